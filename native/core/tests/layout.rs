//! The layout of the sources: how long a file may be, and which file may import which.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, File, ImplItem, Item, ItemMod, ItemUse, Macro, UseTree, Visibility};

/// The floors of this crate from the top, by the modules below its root. A file may import from its own floor and from those below.
const FLOORS: [&[&str]; 9] = [
    &[ROOT],
    &["run"],
    &["operations"],
    &["session", "context"],
    &["login"],
    &["service"],
    &["environments"],
    &["files", "secret_store"],
    &[/* every other module */],
];

/// The crate's own root, `lib.rs`.
const ROOT: &str = "lib";

/// The most lines of a source file, without the module of its tests.
const MOST_LINES: usize = 500;

/// A module by its path below the crate's root; the root is empty.
type Module = Vec<String>;

/// A source file, parsed.
struct Source {
    /// Where it is below `src`.
    file: String,
    module: Module,
    syntax: File,
}

/// One import or path in a file, from the crate's root on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    path: Vec<String>,
    /// Whether it only passes on what a child of the file's module has, as `pub use self::child::Item` does.
    is_reexport: bool,
}

/// What a file imports from the crate.
struct Imports<'a> {
    modules: &'a BTreeSet<Module>,
    /// The file's module, and the inline modules around the place that is being read.
    place: Module,
    found: BTreeSet<Import>,
}

impl Imports<'_> {
    /// Notes a path if it leads into this crate.
    fn note(&mut self, path: &[String], is_public: bool) {
        let Some(absolute) = self.absolute(path) else { return };
        let is_child = absolute.len() > self.place.len() + 1 && absolute.starts_with(&self.place) && self.modules.contains(&absolute[..=self.place.len()]);
        self.found.insert(Import { path: absolute, is_reexport: is_public && is_child });
    }

    /// The path from the crate's root on; `None` is one into another crate, or a name of the file itself.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        match first.as_str() {
            _ if rest.is_empty() && ["crate", "self", "super"].contains(&first.as_str()) => None,
            "crate" => Some(rest.to_vec()),
            "super" => Some([&self.place[..self.place.len().checked_sub(ups)?], &path[ups..]].concat()),
            "self" if rest[0] == "super" => self.absolute(rest),
            "self" => Some([&self.place, rest].concat()),
            child => {
                let module = [self.place.as_slice(), &[child.to_owned()]].concat();
                self.modules.contains(&module).then(|| [module.as_slice(), rest].concat())
            }
        }
    }

    fn note_tree(&mut self, tree: &UseTree, before: &mut Vec<String>, is_public: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before, is_public);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.note_tree(item, before, is_public)),
            UseTree::Glob(_) => self.note(before, is_public),
            UseTree::Name(syn::UseName { ident }) | UseTree::Rename(syn::UseRename { ident, .. }) => {
                let last = (ident != "self").then(|| ident.to_string());
                self.note(&before.iter().cloned().chain(last).collect::<Vec<_>>(), is_public);
            }
        }
    }

    /// Notes the paths among tokens that are not parsed, as those of a macro.
    fn note_tokens(&mut self, tokens: &impl ToString) {
        let text = tokens.to_string().replace(" ::", "::").replace(":: ", "::");
        for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':') {
            let path: Vec<String> = word.split("::").map(str::to_owned).collect();
            if ["crate", "super"].contains(&path[0].as_str()) {
                self.note(&path, false);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes_of(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Fn(function) => function.attrs.as_slice(),
            ImplItem::Const(constant) => &constant.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            syn::visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.place.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new(), !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>(), false);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.note_tokens(&call.tokens);
        syn::visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.note_tokens(&list.tokens);
        }
    }

    /// `pub(in crate::module)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether this is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.require_list().unwrap().tokens.to_string();
        let words: Vec<&str> = condition.split(|letter: char| !letter.is_alphanumeric()).collect();
        words.contains(&"test") && !words.contains(&"not")
    })
}

/// The module of a file below `src`: `a/mod.rs` and `a.rs` are `a`.
fn module_of(file: &str) -> Module {
    let path = file.strip_suffix(".rs").unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == ROOT { Module::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The sources without the files that are compiled for tests only.
fn parse(files: &[(String, String)]) -> Vec<Source> {
    let parsed = files.iter().map(|(file, text)| Source { file: file.clone(), module: module_of(file), syntax: syn::parse_file(text).unwrap() });
    let mut sources: Vec<Source> = parsed.collect();
    let mut for_tests: Vec<Module> = Vec::new();
    for source in &sources {
        if is_for_tests(&source.syntax.attrs) {
            for_tests.push(source.module.clone());
        }
        for item in &source.syntax.items {
            if let Item::Mod(ItemMod { ident, content: None, attrs, .. }) = item
                && is_for_tests(attrs)
            {
                for_tests.push([source.module.as_slice(), &[ident.to_string()]].concat());
            }
        }
    }
    sources.retain(|source| !for_tests.iter().any(|module| source.module.starts_with(module)));
    sources
}

/// The number of a module's floor from the top, and its name.
fn floor_of(module: &[String]) -> (usize, &str) {
    let name = module.first().map_or(ROOT, String::as_str);
    let ground = FLOORS.len() - 1;
    (FLOORS.iter().position(|floor| floor.contains(&name)).unwrap_or(ground), name)
}

/// The module that has a path: the deepest one with a file.
fn deepest<'m>(modules: &'m BTreeSet<Module>, path: &[String]) -> &'m Module {
    (0..=path.len()).rev().find_map(|length| modules.get(&path[..length])).unwrap()
}

/// All that is wrong with the imports of these files, in sentences.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    let sources = parse(&files);
    let modules: BTreeSet<Module> = sources.iter().map(|source| source.module.clone()).collect();
    let names: BTreeMap<&Module, &str> = sources.iter().map(|source| (&source.module, source.file.as_str())).collect();
    let imports: BTreeMap<&Module, BTreeSet<Import>> = sources.iter().map(|source| (&source.module, imports_of(source, &modules))).collect();
    let mut faults = Vec::new();
    let mut graph: BTreeMap<&Module, BTreeMap<&Module, String>> = BTreeMap::new();
    for (from, found) in &imports {
        for import in found {
            let to = deepest(&modules, &import.path);
            if to == *from {
                continue;
            }
            let path = format!("crate::{}", import.path.join("::"));
            let ((floor, name), (upper, upper_name)) = (floor_of(from), floor_of(to));
            let is_upward = upper < floor;
            if is_upward {
                faults.push(format!("{} imports {path}, which goes up from {name} (floor {floor}) to {upper_name} (floor {upper})", names[from]));
            }
            if let Some(owner) = reexported(&imports, to, &import.path)
                && from.starts_with(to)
                && !is_upward
            {
                faults.push(format!("{} imports {path} through {}, although crate::{} has it", names[from], names[to], owner.join("::")));
            }
            if !import.is_reexport {
                graph.entry(from).or_default().entry(to).or_insert(path);
            }
        }
    }
    faults.extend(circles(&graph, &names));
    faults
}

fn imports_of(source: &Source, modules: &BTreeSet<Module>) -> BTreeSet<Import> {
    let mut imports = Imports { modules, place: source.module.clone(), found: BTreeSet::new() };
    imports.visit_file(&source.syntax);
    imports.found
}

/// The path of an item that this module only passes on from one of its children.
fn reexported<'i>(imports: &'i BTreeMap<&Module, BTreeSet<Import>>, module: &Module, path: &[String]) -> Option<&'i [String]> {
    let item = path.get(module.len())?;
    let passed_on = imports[module].iter().filter(|import| import.is_reexport);
    passed_on.map(|import| import.path.as_slice()).find(|path| path.last() == Some(item))
}

/// The shortest circle of imports through each file that is in one, each once.
fn circles(graph: &BTreeMap<&Module, BTreeMap<&Module, String>>, names: &BTreeMap<&Module, &str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for start in graph.keys().copied() {
        let Some(circle) = shortest_circle(graph, start) else { continue };
        if seen.insert(circle.iter().copied().collect::<BTreeSet<_>>()) {
            let steps = circle.iter().copied().zip(circle.iter().copied().skip(1).chain([start]));
            let steps: Vec<String> = steps.map(|(from, to)| format!("{} imports {}", names[from], graph[from][to])).collect();
            circles.push(format!("imports go in a circle: {}", steps.join(", ")));
        }
    }
    circles
}

fn shortest_circle<'m>(graph: &BTreeMap<&'m Module, BTreeMap<&'m Module, String>>, start: &'m Module) -> Option<Vec<&'m Module>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut reached = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                return Some(way);
            }
            if reached.insert(*next) {
                ways.push_back(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}

/// Every Rust file below a folder, by its path from there.
fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for path in std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn sources_of_this_crate() -> Vec<(String, String)> {
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The lines of a source file without the module of its tests, which is the last item.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{'));
    tests.unwrap_or(lines.len())
}

#[test]
fn imports_go_down_and_never_in_a_circle() {
    let files = sources_of_this_crate();
    assert!(files.len() > 20, "only {} files were found", files.len());
    let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let faults = faults(&files);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_floor_has_a_module() {
    let modules: BTreeSet<Module> = sources_of_this_crate().iter().map(|(file, _)| module_of(file)).collect();
    for name in FLOORS.concat() {
        assert!(modules.iter().any(|module| floor_of(module).1 == name), "no module is named {name}");
    }
}

#[test]
fn no_source_file_is_too_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap();
    let folders = ["bench", "native/core/src", "native/core/examples", "native/ffi/src", "native/ffi/examples", "native/stand-in/src"];
    let mut too_long = Vec::new();
    for folder in folders {
        let files = rust_files(&root.join(folder));
        assert!(!files.is_empty(), "no file was found in {folder}");
        let for_tests: BTreeSet<Module> = if folder.ends_with("src") {
            let compiled: BTreeSet<Module> = parse(&files).into_iter().map(|source| source.module).collect();
            files.iter().map(|(file, _)| module_of(file)).filter(|module| !compiled.contains(module)).collect()
        } else {
            BTreeSet::new()
        };
        let long = files.iter().filter(|(file, text)| !for_tests.contains(&module_of(file)) && lines_without_tests(text) > MOST_LINES);
        too_long.extend(long.map(|(file, text)| format!("{folder}/{file}: {} lines", lines_without_tests(text))));
    }
    assert!(too_long.is_empty(), "more than {MOST_LINES} lines without tests:\n{}", too_long.join("\n"));
}

/// The checks themselves, on small crates.
mod checks {
    use super::*;

    const EMPTY: &str = "";

    #[test]
    fn an_upward_import_is_named_with_both_floors() {
        let faults = faults(&[
            ("lib.rs", EMPTY),
            ("error.rs", EMPTY),
            ("files/mod.rs", EMPTY),
            ("files/lock.rs", "use crate::session::Token;"),
            ("session/mod.rs", EMPTY),
        ]);
        assert_eq!(faults, ["files/lock.rs imports crate::session::Token, which goes up from files (floor 7) to session (floor 3)"]);
    }

    #[test]
    fn a_downward_import_is_fine_in_every_form() {
        let text = "use crate::{error::{Code, Error}, session::Token};\npub(crate) use crate::world::World as Everything;\nuse std::time::Duration;\nfn f() -> crate::error::Error { super::session::token() }";
        let files = [("lib.rs", "pub use operations::Plan;"), ("operations/mod.rs", text), ("session.rs", EMPTY), ("error.rs", EMPTY), ("world.rs", EMPTY)];
        assert_eq!(faults(&files), Vec::<String>::new());
    }

    #[test]
    fn session_may_import_login_and_not_the_other_way_round() {
        assert_eq!(faults(&[("lib.rs", EMPTY), ("session.rs", "use crate::login::Login;"), ("login.rs", EMPTY)]), Vec::<String>::new());
        assert_eq!(faults(&[("lib.rs", EMPTY), ("session.rs", EMPTY), ("login.rs", "use crate::session::Token;")]).len(), 1);
    }

    /// Every way to write an import of a file of the session in one of the service.
    #[test]
    fn an_upward_import_is_found_in_every_form() {
        for text in [
            "use crate::{error::Error, session::{live::Live, Token}};",
            "use crate::{\n    error::Error,\n    session::{\n        Token,\n    },\n};",
            "pub(crate) use crate::session::Token;",
            "use crate::session::*;",
            "use crate::session;",
            "use crate::session as other;",
            "use super::session::Token;",
            "mod inner { use super::super::session::Token; }",
            "fn f() -> crate::session::Token { g() }",
            "fn f() { let _ = crate::session::live::new(); }",
            "fn f() { use crate::session::Token; }",
            "fn f() { println!(\"{}\", crate::session::text()); }",
            "impl crate::session::Named for u8 {}",
            "#[serde(with = \"crate::session::text\")]\nstruct S;",
            "use crate::Memory;",
        ] {
            let files = [("lib.rs", EMPTY), ("service.rs", text), ("session/mod.rs", EMPTY), ("session/live.rs", EMPTY), ("error.rs", EMPTY)];
            let faults = faults(&files);
            assert!(
                !faults.is_empty() && faults.iter().all(|fault| fault.starts_with("service.rs imports crate::") && fault.contains("goes up")),
                "{text}: {faults:?}"
            );
        }
    }

    #[test]
    fn what_is_compiled_for_tests_may_import_anything() {
        let text = "#[cfg(test)]\nmod tests { use crate::session::Token; }\n#[cfg(test)]\nuse crate::session::Token;\n#[cfg(all(test, unix))]\nfn f() { crate::session::g() }\nstruct S;\nimpl S { #[cfg(test)] fn f() { crate::session::g() } }\n#[cfg(test)]\nmod attack;";
        let files = [("lib.rs", EMPTY), ("files/mod.rs", text), ("files/attack.rs", "use crate::session::Token;"), ("session.rs", EMPTY)];
        assert_eq!(faults(&files), Vec::<String>::new());
        let real = [("lib.rs", EMPTY), ("files/mod.rs", "#[cfg(not(test))]\nuse crate::session::Token;"), ("session.rs", EMPTY)];
        assert_eq!(faults(&real).len(), 1);
    }

    #[test]
    fn a_circle_is_named_with_its_imports() {
        let files =
            [("lib.rs", EMPTY), ("files/mod.rs", EMPTY), ("files/lock.rs", "use super::write::Safe;"), ("files/write.rs", "use crate::files::lock::Lock;")];
        assert_eq!(
            faults(&files),
            ["imports go in a circle: files/lock.rs imports crate::files::write::Safe, files/write.rs imports crate::files::lock::Lock"]
        );
    }

    #[test]
    fn a_circle_of_three_root_modules_is_found_once() {
        let files =
            [("lib.rs", EMPTY), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c.rs", "fn f() { crate::a::f() }"), ("d.rs", "use crate::a::A;")];
        let faults = faults(&files);
        assert!(faults.len() == 1 && faults[0].contains("a.rs") && faults[0].contains("b.rs") && faults[0].contains("c.rs"), "{faults:?}");
    }

    #[test]
    fn a_module_may_pass_on_what_its_children_have_while_they_import_from_it() {
        let children = [("session/live.rs", "use super::Token;"), ("session/cache.rs", "use crate::session::live::Live;")];
        let parent = "mod cache;\nmod live;\npub use self::live::Live;\npub(crate) use cache::Cache;\npub struct Token;";
        assert_eq!(faults(&[&[("lib.rs", EMPTY), ("session/mod.rs", parent)], &children[..]].concat()), Vec::<String>::new());
        // Used by the module itself it is a circle.
        let parent = "mod cache;\nmod live;\nuse self::live::Live;\npub struct Token;";
        assert_eq!(faults(&[&[("lib.rs", EMPTY), ("session/mod.rs", parent)], &children[..]].concat()).len(), 1);
    }

    #[test]
    fn a_child_imports_from_its_sibling_and_not_what_the_parent_passes_on() {
        let parent = "mod cache;\nmod live;\npub use self::live::Live;";
        let faults = faults(&[("lib.rs", EMPTY), ("session/mod.rs", parent), ("session/live.rs", EMPTY), ("session/cache.rs", "use super::Live;")]);
        assert_eq!(faults, ["session/cache.rs imports crate::session::Live through session/mod.rs, although crate::session::live::Live has it"]);
    }

    #[test]
    fn the_module_of_tests_at_the_end_of_a_file_does_not_count_as_its_length() {
        assert_eq!(lines_without_tests("use a;\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n"), 4);
        assert_eq!(lines_without_tests("use a;\n#[cfg(test)]\nmod attack;\nfn f() {}\n"), 4);
    }
}

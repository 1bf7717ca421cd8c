//! Credentials files from a generator that knows which of their lines are ours, written as in a run.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ini::{Ini, ParseOption};
use proptest::prelude::*;
use time::macros::datetime;
use tokio_util::sync::CancellationToken;

use super::{Python, cases, runner};
use crate::files::credentials_file::{CredentialsFile, Fetched};
use crate::names::profile::ProfileEntry;
use crate::patience::Patience;
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::world::test_world;

const NAMES: [&str; 10] = ["default", "Prod-1", "two words", "\u{dc}n\u{ef}", "prod-1", "a.b@c/d", "profile x", " in blanks ", "\u{e9}#1", "DEFAULT"];

/// How many of the names can be our profiles.
const PROFILES: usize = 7;

/// The keys that a run writes, and the stale key last.
const OUR_KEYS: [&str; WRITTEN + 1] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_account_id",
    "x_security_token_expires",
    "x_sso_role_name",
    "x_sso_environment",
    "x_security_token_issued",
    "aws_security_token",
];

const WRITTEN: usize = 8;

#[derive(Debug, Clone)]
enum Item {
    /// A blank line or a comment.
    Filler(Vec<u8>),
    /// A key that only the user sets.
    Theirs { name: String, delimiter: &'static str, value: String, nested: Vec<String> },
    /// One of our keys, or the stale one, as another tool or a person wrote it; a current one already has the right value.
    Ours { which: usize, capitals: u32, delimiter: &'static str, nested: Vec<String>, current: bool },
}

#[derive(Debug, Clone)]
struct Block {
    name: usize,
    tail: &'static str,
    indent: usize,
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
struct Case {
    top: Vec<Vec<u8>>,
    blocks: Vec<Block>,
    ends: Vec<&'static str>,
    open: bool,
    targets: HashSet<usize>,
    secret: String,
    plain: bool,
}

/// One line with its line end, and whether a write may change it.
struct Line {
    bytes: Vec<u8>,
    ours: bool,
}

/// The keys that a run fetched for a profile.
fn fetched(target: usize, secret: &str) -> (ProfileEntry, RoleCredentials) {
    let profile = ProfileEntry {
        name: NAMES[target].to_owned(),
        account_id: format!("90000000000{target}"),
        role_name: format!("Role+=,.@-{target}"),
        settings: crate::names::profile::ProfileSettings::default(),
    };
    let keys = RoleCredentials {
        access_key_id: format!("ASIA{target}"),
        secret_access_key: Secret::new(secret),
        session_token: Secret::new(format!("{secret}{target}==")),
        expiration: datetime!(2031-01-01 0:00 UTC) + Duration::from_secs(target as u64),
    };
    (profile, keys)
}

/// What the file must contain for them.
fn expected(target: usize, secret: &str) -> [(&'static str, String); WRITTEN] {
    let (profile, keys) = fetched(target, secret);
    let token = keys.session_token.reveal().to_owned();
    let (expires, issued) = (format!("2031-01-01T00:00:0{target}Z"), "2030-12-31T23:00:00Z".to_owned());
    let values = [keys.access_key_id, secret.to_owned(), token, profile.account_id, expires, profile.role_name, "Acme".to_owned(), issued];
    let mut names = OUR_KEYS.into_iter();
    values.map(|value| (names.next().unwrap(), value))
}

fn in_capitals(key: &str, capitals: u32) -> String {
    key.chars().enumerate().map(|(index, c)| if (capitals >> index) & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect()
}

impl Case {
    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<(Vec<u8>, bool)> = self.top.iter().map(|line| (line.clone(), false)).collect();
        let mut names = HashSet::new();
        for block in self.blocks.iter().filter(|block| names.insert(block.name)) {
            lines.push((format!("[{}]{}", NAMES[block.name], block.tail).into_bytes(), false));
            let indent = " ".repeat(block.indent);
            let mut keys = HashSet::new();
            for item in &block.items {
                match item {
                    Item::Filler(line) => lines.push((line.clone(), false)),
                    Item::Theirs { name, delimiter, value, nested } => {
                        if keys.insert(name.to_lowercase()) {
                            lines.push((format!("{indent}{name}{delimiter}{value}").into_bytes(), false));
                            lines.extend(nested.iter().map(|line| (format!("{indent} {line}").into_bytes(), false)));
                        }
                    }
                    Item::Ours { which, capitals, delimiter, nested, current } => {
                        if !keys.insert(OUR_KEYS[*which].to_owned()) {
                            continue;
                        }
                        let target = self.targets.contains(&block.name);
                        let name = in_capitals(OUR_KEYS[*which], *capitals);
                        if target && *current && *which < WRITTEN {
                            lines.push((format!("{indent}{name}  :{}", expected(block.name, &self.secret)[*which].1).into_bytes(), false));
                        } else {
                            let end = if self.plain { "" } else { "\\" };
                            lines.push((format!("{indent}{name}{delimiter}old=#{end}").into_bytes(), target));
                            lines.extend(nested.iter().map(|line| (format!("{indent} {line}").into_bytes(), target)));
                        }
                    }
                }
            }
        }
        let count = lines.len();
        let with_end = |(index, (mut bytes, ours)): (usize, (Vec<u8>, bool))| {
            if !self.open || index + 1 < count {
                let end = self.ends[index % self.ends.len()];
                // An empty line that ends with LF, after a lone CR, would be the second half of a CRLF and not a line.
                if bytes.is_empty() && end == "\n" && self.ends.contains(&"\r") {
                    bytes.push(b' ');
                }
                bytes.extend_from_slice(end.as_bytes());
            }
            Line { bytes, ours }
        };
        lines.into_iter().enumerate().map(with_end).collect()
    }

    /// Leaves out what rust-ini reads differently from Python: a lone CR, text after a header, indented keys and comments, and a backslash, which joins lines.
    fn made_plain(mut self) -> Self {
        let plain = |bytes: &mut Vec<u8>| {
            let kept: Vec<u8> = bytes.trim_ascii_start().iter().copied().filter(|byte| *byte != b'\\').collect();
            *bytes = kept;
        };
        self.plain = true;
        self.top.iter_mut().for_each(plain);
        for block in &mut self.blocks {
            block.tail = "";
            block.indent = 0;
            for item in &mut block.items {
                match item {
                    Item::Filler(line) => plain(line),
                    Item::Theirs { value, .. } => value.retain(|c| c != '\\'),
                    Item::Ours { .. } => {}
                }
            }
        }
        self.ends.iter_mut().filter(|end| **end == "\r").for_each(|end| *end = "\n");
        self
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let filler = || {
        prop_oneof![
            3 => "[ \t]{0,3}".prop_map(String::into_bytes),
            4 => "[ \t]{0,3}[#;][ a-z=\\[\\]\u{e4}\u{4e2d}\\\\]{0,12}".prop_map(String::into_bytes),
            1 => Just(b"# caf\xe9 \xff".to_vec()),
            1 => Just(b"# aws_access_key_id = AKIAOLD".to_vec()),
        ]
    };
    let delimiter = || prop_oneof![Just("="), Just(" = "), Just(":"), Just("\t: ")];
    let nested = || proptest::collection::vec("[a-z]{1,5} = [a-z0-9#=]{1,5}", 0..3);
    let theirs = ("[A-Za-z_]{1,6}", delimiter(), "[a-z0-9=#:;\\[\\]\\\\ \u{e4}]{0,10}", nested()).prop_map(|(name, delimiter, value, nested)| Item::Theirs {
        name: format!("u{name}"),
        delimiter,
        value,
        nested,
    });
    let block_of_s3 = nested().prop_map(|nested| Item::Theirs { name: "s3".to_owned(), delimiter: " =", value: String::new(), nested });
    let capitals = prop_oneof![2 => Just(0), 1 => any::<u32>()];
    let ours = (0..OUR_KEYS.len(), capitals, delimiter(), prop_oneof![3 => Just(Vec::new()), 1 => nested()], proptest::bool::weighted(0.2))
        .prop_map(|(which, capitals, delimiter, nested, current)| Item::Ours { which, capitals, delimiter, nested, current });
    let item = prop_oneof![3 => filler().prop_map(Item::Filler), 3 => theirs, 1 => block_of_s3, 5 => ours];
    let tail = prop_oneof![6 => Just(""), 1 => Just("  "), 1 => Just(" # tail")];
    let block = (0..NAMES.len(), tail, prop_oneof![4 => Just(0), 1 => 1..4_usize], proptest::collection::vec(item, 0..10))
        .prop_map(|(name, tail, indent, items)| Block { name, tail, indent, items });
    let ends = prop_oneof![
        4 => Just(vec!["\n"]),
        3 => Just(vec!["\r\n"]),
        1 => Just(vec!["\r"]),
        2 => proptest::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], 1..6),
    ];
    let targets = proptest::collection::hash_set(0..PROFILES, 1..4);
    (proptest::collection::vec(filler(), 0..4), proptest::collection::vec(block, 0..6), ends, any::<(bool, bool)>(), targets, "[!-~]{1,12}").prop_map(
        |(top, blocks, ends, (open, plain), targets, secret)| {
            let case = Case { top, blocks, ends, open, targets, secret: format!("{secret}~"), plain: false };
            if plain { case.made_plain() } else { case }
        },
    )
}

/// The lines of a text with their line ends, as every reader splits them.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for index in 0..text.len() {
        if text[index] == b'\n' || (text[index] == b'\r' && text.get(index + 1) != Some(&b'\n')) {
            lines.push(&text[start..=index]);
            start = index + 1;
        }
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What remains of a written file after removing everything that the write added.
fn without_ours(text: &[u8], case: &Case, added: &[usize]) -> Vec<u8> {
    let put: HashSet<Vec<u8>> =
        case.targets.iter().flat_map(|target| expected(*target, &case.secret)).map(|(name, value)| format!("{name} = {value}").into_bytes()).collect();
    let headers: Vec<Vec<u8>> = added.iter().map(|target| format!("[{}]", NAMES[*target]).into_bytes()).collect();
    let mut kept: Vec<&[u8]> = Vec::new();
    for line in split(text) {
        let content = bare(line);
        if headers.iter().any(|header| header == content) {
            // The blank line before it was added with it; if one was there before, the comparison ignores blank lines at the end.
            if kept.last().is_some_and(|line| line.trim_ascii().is_empty()) {
                kept.pop();
            }
        } else if !put.contains(content.trim_ascii_start()) {
            kept.push(line);
        }
    }
    kept.concat()
}

fn write(file: &CredentialsFile, fetched: &[(ProfileEntry, RoleCredentials)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let patience = Patience::new(None, CancellationToken::new());
    let issued = datetime!(2030-12-31 23:00 UTC);
    let fetched: Vec<_> = fetched.iter().map(|(profile, keys)| Fetched { environment: "Acme", profile, keys, issued }).collect();
    // The generator creates keys of every kind, and all of them are replaced.
    runtime.block_on(file.write(&fetched, true, &patience)).unwrap();
}

fn read_by_rust_ini(text: &str, section: &str) -> Option<BTreeMap<String, String>> {
    let options = ParseOption { enabled_quote: false, enabled_escape: false, enabled_indented_mutiline_value: true, ..ParseOption::default() };
    let file = Ini::load_from_str_opt(text, options).ok()?;
    Some(file.section(Some(section))?.iter().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect())
}

#[test]
#[allow(clippy::too_many_lines, reason = "it follows one file from the generator to the last reader")]
fn a_write_changes_only_the_bytes_of_our_keys_and_all_tools_read_the_result() {
    let Some(python) = Python::start() else { return };
    let python = RefCell::new(python);
    let (home, world) = test_world();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let path = home.path().join(".aws/credentials");
    let file = CredentialsFile::of(&world).unwrap();
    let (by_rust_ini, created, writes) = (Cell::new(0), Cell::new(0), Cell::new(0));
    runner(2_000)
        .run(&any_case(), |case| {
            let lines = case.lines();
            let old: Vec<u8> = lines.iter().flat_map(|line| line.bytes.clone()).collect();
            std::fs::write(&path, &old).unwrap();
            let lenient = std::str::from_utf8(&old).is_err();
            let before = python.borrow_mut().read(&path, lenient);
            prop_assert!(before.is_ok(), "the generator created a file that Python refuses: {before:?}");
            let before = before.unwrap();

            let mut targets: Vec<usize> = case.targets.iter().copied().collect();
            targets.sort_unstable();
            let keys: Vec<_> = targets.iter().map(|target| fetched(*target, &case.secret)).collect();
            write(&file, &keys);
            let new = std::fs::read(&path).unwrap();

            let present: HashSet<usize> = case.blocks.iter().map(|block| block.name).collect();
            // A file of another encoding gets no new name with letters beyond ASCII.
            targets.retain(|target| present.contains(target) || !lenient || NAMES[*target].is_ascii());
            let added: Vec<usize> = targets.iter().copied().filter(|target| !present.contains(target)).collect();
            let theirs: Vec<u8> = lines.iter().filter(|line| !line.ours).flat_map(|line| line.bytes.clone()).collect();
            let kept = without_ours(&new, &case, &added);
            // If our line without a line end was the last one and is removed, a blank line before it cannot be last without one, so it is removed too.
            let loses_its_last = case.open && lines.last().is_some_and(|line| line.ours);
            if added.is_empty() && !loses_its_last {
                // If the file has no line end at its end, only that of the last line may move.
                let all = |text: &[u8]| if case.open { bare(text).to_vec() } else { text.to_vec() };
                prop_assert_eq!(all(&kept).escape_ascii().to_string(), all(&theirs).escape_ascii().to_string());
            } else {
                prop_assert_eq!(kept.trim_ascii_end().escape_ascii().to_string(), theirs.trim_ascii_end().escape_ascii().to_string());
            }
            let is_open = |text: &[u8]| !text.is_empty() && !text.ends_with(b"\n") && !text.ends_with(b"\r");
            prop_assert!(loses_its_last || is_open(&new) == is_open(&old));

            let mut wanted = before.clone();
            for target in &targets {
                let section = wanted.entry(NAMES[*target].to_owned()).or_insert_with(|| before["DEFAULT"].clone());
                match before["DEFAULT"].get("aws_security_token") {
                    Some(leaked) => drop(section.insert("aws_security_token".to_owned(), leaked.clone())),
                    None => drop(section.remove("aws_security_token")),
                }
                section.extend(expected(*target, &case.secret).map(|(name, value)| (name.to_owned(), value)));
            }
            prop_assert_eq!(python.borrow_mut().read(&path, lenient), Ok(wanted));

            if let Ok(text) = std::str::from_utf8(&new)
                && case.plain
            {
                for target in &targets {
                    let read = read_by_rust_ini(text, NAMES[*target]);
                    for (name, value) in expected(*target, &case.secret) {
                        prop_assert_eq!(
                            read.as_ref().and_then(|keys| keys.get(name)),
                            Some(&value),
                            "rust-ini reads {} of {} differently",
                            name,
                            NAMES[*target]
                        );
                    }
                    by_rust_ini.set(by_rust_ini.get() + 1);
                }
            }
            write(&file, &keys);
            prop_assert!(std::fs::read(&path).unwrap() == new, "writing the same keys again changes the file");
            created.set(created.get() + added.len());
            writes.set(writes.get() + 1);
            Ok(())
        })
        .unwrap();
    println!("{} files written, {} sections added, {} profiles read back by rust-ini as well", writes.get(), created.get(), by_rust_ini.get());
    assert!(by_rust_ini.get() > cases(2_000) / 10);
}

#[test]
fn a_write_with_ten_thousand_profiles_changes_only_our_keys() {
    let Some(mut python) = Python::start() else { return };
    let (home, world) = test_world();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let path = home.path().join(".aws/credentials");
    let file = CredentialsFile::of(&world).unwrap();
    let secret = "se/cr+et=";
    for round in 0..cases(3) as usize {
        let end = ["\n", "\r\n"][round % 2];
        let ours = |index: usize| (index >= round && (index - round).is_multiple_of(97)).then_some(());
        // The order in each profile: old key, the user's key, stale key; first before the write, then after it.
        let profile = |index: usize, written: bool| {
            let mut keys: Vec<String> = vec!["AWS_ACCESS_KEY_ID=old".into(), format!("region = r{index}"), "s3 =".into(), format!("  max = {index}")];
            match ours(index).filter(|()| written) {
                Some(()) => drop(keys.splice(..1, expected(1, secret).map(|(name, value)| format!("{name} = {value}")))),
                None => keys.push("aws_security_token: old".into()),
            }
            format!("# number {index}{end}[P{index}]{end}{}{end}", keys.into_iter().map(|key| key + end).collect::<String>())
        };
        std::fs::write(&path, (0..10_000).map(|index| profile(index, false)).collect::<String>()).unwrap();
        let keys: Vec<_> = (0..10_000)
            .filter(|index| ours(*index).is_some())
            .map(|index| {
                let (profile, keys) = fetched(1, secret);
                (ProfileEntry { name: format!("P{index}"), ..profile }, keys)
            })
            .collect();
        write(&file, &keys);
        assert!(std::fs::read_to_string(&path).unwrap() == (0..10_000).map(|index| profile(index, true)).collect::<String>(), "round {round}");
        let read = python.read(&path, false).unwrap();
        assert_eq!(read.len(), 10_001);
        for (profile, _) in &keys {
            for (name, value) in expected(1, secret) {
                assert_eq!(read[&profile.name][name], value);
            }
        }
    }
}

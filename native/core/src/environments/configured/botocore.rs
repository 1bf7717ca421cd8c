//! botocore's rules for the sections of the config file, which apply on top of configparser's rules for the text.

use std::collections::{BTreeMap, HashMap};
use std::iter::Peekable;
use std::str::Chars;

use crate::files::ini_text::{DEFAULT_SECTION, IniText, Key, Section, is_space};

/// Why botocore refuses the whole file, with the line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) line: usize,
    pub(super) what: String,
}

/// The profiles and sessions in a config file that botocore can read.
#[derive(Debug)]
pub(super) struct ConfigText<'a> {
    pub(super) text: IniText<'a>,
    pub(super) profiles: Vec<Named>,
    pub(super) sso_sessions: Vec<Named>,
    /// Sections for profiles or sessions that botocore ignores, because their headers do not have exactly one name or are not UTF-8.
    pub(super) passed_over: Vec<PassedOver>,
}

/// A section with the name from its header.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    section: usize,
}

/// What a section defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Profile,
    SsoSession,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::SsoSession => "sso-session",
        }
    }
}

/// A section without a name that botocore accepts; `named.name` is the rest of the header after the first word.
#[derive(Debug, Clone)]
pub(super) struct PassedOver {
    pub(super) kind: Kind,
    pub(super) named: Named,
}

/// The values of one section, and those of `[DEFAULT]` that the section does not set.
pub(super) struct Values<'t> {
    text: &'t IniText<'t>,
    own: HashMap<&'t str, &'t Key>,
    defaults: &'t Defaults<'t>,
}

/// The keys of `[DEFAULT]` by name.
pub(super) type Defaults<'t> = HashMap<&'t str, &'t Key>;

impl Named {
    /// The section's place in the text.
    pub(super) fn section<'t>(&self, text: &'t IniText<'_>) -> &'t Section {
        &text.sections[self.section]
    }
}

impl<'a> ConfigText<'a> {
    /// Reads a text as botocore's `load_config` does.
    ///
    /// # Errors
    /// Why botocore refuses the whole file.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let text = IniText::scan(bytes).map_err(|fault| Refused { line: fault.line, what: fault.kind.to_string() })?;
        check_nested_values(&text)?;
        let mut found = Self { profiles: Vec::new(), sso_sessions: Vec::new(), passed_over: Vec::new(), text };
        let (mut profiles, mut sso_sessions) = (HashMap::new(), HashMap::new());
        for index in 0..found.text.sections.len() {
            let section = &found.text.sections[index];
            let header = section.name_lossy();
            let header = header.as_ref();
            let named = |name: String| Named { name, section: index };
            if header == "default" {
                put(&mut found.profiles, &mut profiles, named(header.to_owned()));
                continue;
            }
            let Some(kind) = [Kind::Profile, Kind::SsoSession].into_iter().find(|kind| header.starts_with(kind.word())) else { continue };
            match name_in(header).filter(|_| section.name().is_some()) {
                Some(name) if kind == Kind::Profile => put(&mut found.profiles, &mut profiles, named(name)),
                Some(name) => put(&mut found.sso_sessions, &mut sso_sessions, named(name)),
                None => {
                    let rest = header[kind.word().len()..].trim_matches(is_space);
                    if header[kind.word().len()..].starts_with(is_space) && !rest.is_empty() {
                        let rest = rest.to_owned();
                        found.passed_over.push(PassedOver { kind, named: named(rest) });
                    }
                }
            }
        }
        Ok(found)
    }

    /// The line of a section's header, counted from 1.
    pub(super) fn line(&self, named: &Named) -> usize {
        self.text.sections[named.section].line()
    }

    pub(super) fn defaults(&self) -> Defaults<'_> {
        defaults(&self.text)
    }

    pub(super) fn values<'t>(&'t self, named: &Named, defaults: &'t Defaults<'t>) -> Values<'t> {
        Values { text: &self.text, own: self.text.sections[named.section].keys.iter().map(by_name).collect(), defaults }
    }
}

/// Adds a section; as in botocore, a later section with the same name replaces the earlier one and all its values.
fn put(list: &mut Vec<Named>, places: &mut HashMap<String, usize>, named: Named) {
    if let Some(place) = places.get(&named.name) {
        list[*place] = named;
    } else {
        places.insert(named.name.clone(), list.len());
        list.push(named);
    }
}

fn by_name(key: &Key) -> (&str, &Key) {
    (&*key.name, key)
}

fn defaults<'t>(text: &'t IniText<'_>) -> Defaults<'t> {
    text.sections.iter().filter(|section| is_default(section)).flat_map(|section| &section.keys).map(by_name).collect()
}

fn is_default(section: &Section) -> bool {
    section.name() == Some(DEFAULT_SECTION)
}

impl Values<'_> {
    fn key(&self, name: &str) -> Option<&Key> {
        self.own.get(name).or_else(|| self.defaults.get(name)).copied()
    }

    /// The value of a key as text; `None` if it is missing, empty or nested.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.key(name).map(|key| self.text.value(key).to_string()).filter(|value| !value.is_empty() && !value.starts_with('\n'))
    }

    /// What is wrong if one of these keys has a value that is not UTF-8.
    pub(super) fn not_utf8(&self, names: &[&str]) -> Option<String> {
        let name = names.iter().find(|name| self.key(name).is_some_and(|key| !self.text.is_utf8(key)))?;
        Some(format!("the value of {name} is not UTF-8 text; save the file as UTF-8"))
    }

    /// The first key that both sections have with different values, which botocore refuses in a profile and its `sso-session`.
    pub(super) fn contradicts(&self, session: &Self) -> Option<String> {
        let keys = self.own.keys().chain(session.own.keys());
        let mut different: Vec<_> = keys
            .filter(|name| match (self.key(name), session.key(name)) {
                (Some(one), Some(other)) => *self.text.value(one) != *session.text.value(other),
                _ => false,
            })
            .collect();
        different.sort_unstable();
        different.first().map(|name| (**name).to_owned())
    }

    /// All values; those of indented blocks as maps by key.
    #[cfg(test)]
    pub(super) fn all(&self) -> BTreeMap<String, Result<String, BTreeMap<String, String>>> {
        let keys = self.defaults.iter().chain(self.own.iter()).map(|(name, key)| ((*name).to_owned(), self.text.value(key).to_string()));
        keys.map(|(name, value)| (name, nested_values(&value).map_or(Ok(value), Err))).collect()
    }
}

/// Refuses, as botocore does, an indented block that has a line without `=`, in any section that applies.
fn check_nested_values(text: &IniText<'_>) -> Result<(), Refused> {
    let refused = |key: &Key| Refused { line: key.line(), what: format!("the indented lines below {} must each have the form key = value", key.name) };
    let is_broken = |key: &Key| text.value(key).starts_with('\n') && nested_values(&text.value(key)).is_none();
    let sections = || text.sections.iter().filter(|section| !is_default(section));
    if let Some(broken) = sections().flat_map(|section| &section.keys).find(|key| is_broken(key)) {
        return Err(refused(broken));
    }
    for broken in defaults(text).into_values().filter(|key| is_broken(key)) {
        if sections().any(|section| section.key(&broken.name).is_none()) {
            return Err(refused(broken));
        }
    }
    Ok(())
}

/// The keys of an indented block; `None` if the value is not an indented block, or has a line without `=`.
fn nested_values(value: &str) -> Option<BTreeMap<String, String>> {
    if !value.starts_with('\n') {
        return None;
    }
    // The line ends of Python's str.splitlines.
    let lines = value.split(['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}']);
    let lines = lines.map(|line| line.trim_matches(is_space)).filter(|line| !line.is_empty());
    let pair = |(key, value): (&str, &str)| (key.trim_matches(is_space).to_owned(), value.trim_matches(is_space).to_owned());
    lines.map(|line| line.split_once('=').map(pair)).collect()
}

/// The name of the profile that a section defines; `None` if it defines none.
pub(super) fn profile_in(header: &str) -> Option<String> {
    if header == "default" { Some(header.to_owned()) } else { header.starts_with(Kind::Profile.word()).then(|| name_in(header)).flatten() }
}

/// The second word of a header that has exactly two words.
fn name_in(header: &str) -> Option<String> {
    let mut words = ShellWords { rest: header.chars().peekable() };
    match [words.next(), words.next(), words.next()] {
        [Some(Ok(_)), Some(Ok(name)), None] => Some(name),
        _ => None,
    }
}

/// A word whose quote or escape is not closed.
struct Unfinished;

/// The words of a text as Python's `shlex.split` finds them. No crate follows its rules exactly; comments and escapes differ.
struct ShellWords<'t> {
    rest: Peekable<Chars<'t>>,
}

impl Iterator for ShellWords<'_> {
    type Item = Result<String, Unfinished>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_blank = |c: &char| " \t\r\n".contains(*c);
        while self.rest.next_if(is_blank).is_some() {}
        self.rest.peek()?;
        Some(self.word(is_blank).ok_or(Unfinished))
    }
}

impl ShellWords<'_> {
    fn word(&mut self, is_end: impl Fn(&char) -> bool) -> Option<String> {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| !is_end(c)) {
            match c {
                '\'' | '"' => self.quoted(c, &mut word)?,
                '\\' => word.push(self.rest.next()?),
                _ => word.push(c),
            }
        }
        Some(word)
    }

    fn quoted(&mut self, quote: char, word: &mut String) -> Option<()> {
        loop {
            match self.rest.next()? {
                c if c == quote => return Some(()),
                '\\' if quote == '"' => {
                    let escaped = self.rest.next()?;
                    if !['"', '\\'].contains(&escaped) {
                        word.push('\\');
                    }
                    word.push(escaped);
                }
                c => word.push(c),
            }
        }
    }
}

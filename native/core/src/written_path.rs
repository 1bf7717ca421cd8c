//! Expands paths as users write them in variables: `$NAME`, `${NAME}`, on Windows `%NAME%`, and a leading `~`, as botocore does.

/// Which rules apply to references: those of Python's `posixpath` or `ntpath`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Posix,
    Windows,
}

impl Rules {
    /// The rules of the system that this library runs on.
    pub(crate) const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Posix };

    fn is_separator(self, c: char) -> bool {
        c == '/' || (c == '\\' && self == Self::Windows)
    }
}

/// The values that references in a path can have.
pub(crate) trait Names {
    /// Returns the value of a variable that is set, even if it is empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns the home folder of the user.
    fn home(&self) -> Option<String>;

    /// Returns the home folder of the user with this name.
    fn home_of(&self, user: &str) -> Option<String>;
}

/// A path after its references are replaced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) path: String,
    /// The first reference that has no value; the path still contains it, as in Python.
    pub(crate) unknown: Option<String>,
}

/// Replaces the references in a path. Values are not expanded again.
pub(crate) fn expand(written: &str, rules: Rules, names: &dyn Names) -> Expanded {
    let pieces = match rules {
        Rules::Posix => posix_pieces(written),
        Rules::Windows => windows_pieces(written),
    };
    let mut path = String::new();
    let mut unknown = None;
    // The text since the last value; only here can a reference be left.
    let mut literal = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => literal.push_str(text),
            Piece::Reference { name, text } => match names.variable(name) {
                Some(value) => {
                    unknown = unknown.or_else(|| first_reference(&literal, rules));
                    path.push_str(&literal);
                    literal.clear();
                    path.push_str(&value);
                }
                None => literal.push_str(text),
            },
            Piece::Escaped(c) => {
                unknown = unknown.or_else(|| first_reference(&literal, rules));
                path.push_str(&literal);
                literal.clear();
                path.push(c);
            }
        }
    }
    unknown = unknown.or_else(|| first_reference(&literal, rules));
    path.push_str(&literal);
    let path = expand_home(path, rules, names);
    if path.starts_with('~') {
        let end = path.find(|c| rules.is_separator(c)).unwrap_or(path.len());
        unknown = unknown.or_else(|| Some(path[..end].to_owned()));
    }
    Expanded { path, unknown }
}

enum Piece<'t> {
    Literal(&'t str),
    /// A variable's name, and the text to replace.
    Reference {
        name: &'t str,
        text: &'t str,
    },
    /// A character that was doubled to stand for itself.
    Escaped(char),
}

fn is_posix_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_windows_name(c: char) -> bool {
    is_posix_name(c) || c == '-'
}

/// The length of the longest prefix whose characters all pass.
fn run_length(text: &str, passes: impl Fn(char) -> bool) -> usize {
    text.find(|c| !passes(c)).unwrap_or(text.len())
}

/// The name in braces at the start of the text, and the length including the braces.
fn braced(text: &str) -> Option<(&str, usize)> {
    let end = text.strip_prefix('{')?.find('}')? + 1;
    Some((&text[1..end], end + 1))
}

fn posix_pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        let (before, found) = rest.split_at(start);
        pieces.push(Piece::Literal(before));
        let after = &found[1..];
        let length = run_length(after, is_posix_name);
        let reference = braced(after).or_else(|| (length > 0).then(|| (&after[..length], length)));
        let (piece, taken) = reference.map_or((Piece::Literal("$"), 1), |(name, length)| (Piece::Reference { name, text: &found[..=length] }, length + 1));
        pieces.push(piece);
        rest = &found[taken..];
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

fn windows_pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '%', '$']) {
        let (before, found) = rest.split_at(start);
        pieces.push(Piece::Literal(before));
        let (mark, after) = found.split_at(1);
        // The rest of the text, if the closing character is missing.
        let unclosed = Piece::Literal(found);
        let (piece, taken) = match mark {
            // Nothing is replaced inside single quotes.
            "'" => match after.find('\'') {
                Some(end) => (Piece::Literal(&found[..end + 2]), end + 2),
                None => (unclosed, found.len()),
            },
            "%" if after.starts_with('%') => (Piece::Escaped('%'), 2),
            "%" => match after.find('%') {
                Some(end) => (Piece::Reference { name: &after[..end], text: &found[..end + 2] }, end + 2),
                None => (unclosed, found.len()),
            },
            _ if after.starts_with('$') => (Piece::Escaped('$'), 2),
            _ if after.starts_with('{') => match braced(after) {
                Some((name, length)) => (Piece::Reference { name, text: &found[..=length] }, length + 1),
                None => (unclosed, found.len()),
            },
            _ => match run_length(after, is_windows_name) {
                0 => (Piece::Literal(mark), 1),
                length => (Piece::Reference { name: &after[..length], text: &found[..=length] }, length + 1),
            },
        };
        pieces.push(piece);
        rest = &found[taken..];
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

/// The first reference left in a text. A `$` that no name follows, as in `\\server\home$\me`, and a single `%` are not references.
fn first_reference(text: &str, rules: Rules) -> Option<String> {
    text.char_indices().find_map(|(start, c)| {
        let after = &text[start + c.len_utf8()..];
        let end = match c {
            '$' if after.starts_with('{') => Some(braced(after).map_or(after.len(), |(_, length)| length)),
            '$' => Some(run_length(after, is_posix_name)).filter(|length| *length > 0),
            '%' if rules == Rules::Windows => {
                // ProgramFiles(x86) has parentheses.
                let length = run_length(after, |c| is_windows_name(c) || "().".contains(c));
                (length > 0 && after[length..].starts_with('%')).then_some(length + 1)
            }
            _ => None,
        };
        end.map(|length| text[start..=start + length].to_owned())
    })
}

fn expand_home(path: String, rules: Rules, names: &dyn Names) -> String {
    let Some(after) = path.strip_prefix('~') else { return path };
    let end = after.find(|c| rules.is_separator(c)).unwrap_or(after.len());
    let (user, rest) = after.split_at(end);
    let home = if user.is_empty() { names.home() } else { home_of(user, rules, names) };
    match (home, rules) {
        (None, _) => path,
        (Some(home), Rules::Windows) => format!("{home}{rest}"),
        (Some(home), Rules::Posix) => match format!("{}{rest}", home.trim_end_matches('/')) {
            root if root.is_empty() => "/".to_owned(),
            path => path,
        },
    }
}

/// The home folder of a user; on Windows, as in Python, all home folders have the same parent and their users' names.
fn home_of(user: &str, rules: Rules, names: &dyn Names) -> Option<String> {
    if rules == Rules::Posix {
        return names.home_of(user);
    }
    let home = names.home()?;
    let current = names.variable("USERNAME")?;
    if user == current {
        return Some(home);
    }
    let folder = home.rfind(|c| rules.is_separator(c)).map(|separator| separator + 1)?;
    (home[folder..] == current).then(|| format!("{}{user}", &home[..folder]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stdout)]
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;

    /// Variables, with the home folder in the variable of this system.
    struct Known(BTreeMap<String, String>, Rules);

    impl Names for Known {
        fn variable(&self, name: &str) -> Option<String> {
            self.0.get(name).cloned()
        }

        fn home(&self) -> Option<String> {
            self.variable(if self.1 == Rules::Posix { "HOME" } else { "USERPROFILE" })
        }

        fn home_of(&self, user: &str) -> Option<String> {
            crate::world::home_of_user(user)
        }
    }

    fn expanded(written: &str, rules: Rules, variables: &[(&str, &str)]) -> Expanded {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        expand(written, rules, &Known(variables.collect(), rules))
    }

    fn posix(written: &str) -> Expanded {
        expanded(written, Rules::Posix, &[("HOME", "/home/me"), ("TEAM", "red"), ("DOLLAR", "a$TEAM~"), ("NOTHING", ""), ("TILDE", "~")])
    }

    fn windows(written: &str) -> Expanded {
        let variables = [("USERPROFILE", r"C:\Users\me"), ("USERNAME", "me"), ("TEAM", "red"), ("ProgramFiles(x86)", r"C:\x86")];
        expanded(written, Rules::Windows, &variables)
    }

    fn complete(path: &str) -> Expanded {
        Expanded { path: path.to_owned(), unknown: None }
    }

    #[test]
    fn variables_and_home_folders_are_expanded() {
        for (written, path) in [
            ("$HOME/.aws/creds", "/home/me/.aws/creds"),
            ("${HOME}/.aws/$TEAM-creds", "/home/me/.aws/red-creds"),
            ("~/.aws/creds", "/home/me/.aws/creds"),
            ("~", "/home/me"),
            ("$TILDE/creds", "/home/me/creds"),
            ("/x/$DOLLAR/y", "/x/a$TEAM~/y"),
            ("$NOTHING/creds", "/creds"),
            ("creds/a~b", "creds/a~b"),
        ] {
            assert_eq!(posix(written), complete(path), "{written}");
        }
        let root = crate::world::home_of_user("root").filter(|_| cfg!(unix));
        assert_eq!(
            posix("~root/creds"),
            root.map_or(Expanded { path: "~root/creds".to_owned(), unknown: Some("~root".to_owned()) }, |root| complete(&format!("{root}/creds")))
        );
        for (written, path) in [
            (r"%USERPROFILE%\.aws\creds", r"C:\Users\me\.aws\creds"),
            (r"%ProgramFiles(x86)%\creds", r"C:\x86\creds"),
            (r"$TEAM\${TEAM}", r"red\red"),
            (r"~\.aws\creds", r"C:\Users\me\.aws\creds"),
            (r"~you/creds", r"C:\Users\you/creds"),
            (r"C:\$$TEAM\100%%", r"C:\$TEAM\100%"),
        ] {
            assert_eq!(windows(written), complete(path), "{written}");
        }
    }

    #[test]
    fn a_sign_that_no_name_follows_is_part_of_the_path() {
        for written in ["/100%/creds", "/a$/b", "/a$", "/a$.b/$-c", "/50%TEAM%/creds"] {
            assert_eq!(posix(written), complete(written));
        }
        for written in [r"\\server\home$\me", r"C:\100%\creds", r"C:\100% of 50%\creds", r"\\server\c$", r"C:\it's here"] {
            assert_eq!(windows(written), complete(written));
        }
    }

    #[test]
    fn an_unknown_reference_is_reported_and_stays_in_the_path() {
        for (written, unknown) in [
            ("$HOMEE/creds", "$HOMEE"),
            ("${HOMEE}/creds", "${HOMEE}"),
            ("/x/${HOME/creds", "${HOME/creds"),
            ("/x/${}/creds", "${}"),
            ("/$1/creds", "$1"),
            ("~nobody-has-this-name/creds", "~nobody-has-this-name"),
            ("~nobody-has-this-name", "~nobody-has-this-name"),
        ] {
            assert_eq!(posix(written), Expanded { path: written.to_owned(), unknown: Some(unknown.to_owned()) });
        }
        for (written, unknown) in
            [(r"%HOMEE%\creds", "%HOMEE%"), (r"$HOMEE\creds", "$HOMEE"), (r"C:\100%\$TEAM", "$TEAM"), (r"C:\'$TEAM'\creds", "$TEAM"), (r"C:\${TEAM", "${TEAM")]
        {
            assert_eq!(windows(written), Expanded { path: written.to_owned(), unknown: Some(unknown.to_owned()) });
        }
        assert_eq!(expanded("~/$TEAM", Rules::Posix, &[("TEAM", "red")]), Expanded { path: "~/red".to_owned(), unknown: Some("~".to_owned()) });
    }

    /// Expands each line of the input as Python does on both kinds of systems.
    const READER: &str = r"
import json, ntpath, os, posixpath, sys
variables, texts = json.load(sys.stdin)
os.environ.clear()
os.environ.update(variables)
paths = [posixpath, ntpath]
json.dump([[path.expanduser(path.expandvars(text)) for path in paths] for text in texts], sys.stdout)
";

    #[test]
    fn generated_paths_expand_as_in_python() {
        let variables = BTreeMap::from(
            [
                ("HOME", "/home/me/"),
                ("USERPROFILE", r"C:\Users\me"),
                ("USERNAME", "me"),
                ("A", "va$B~lue"),
                ("B", ""),
                ("A_b-1", "%A%"),
                ("a b", "'x"),
                ("T", "~"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let part = prop::sample::select(vec![
            "$", "%", "{", "}", "'", "~", "/", "\\", "A", "B", "T", "A_b-1", "a b", "${A}", "%A%", "%a b%", "$A", "$B", "$T", "~/", "~me", "~root", "~you",
            "$$", "%%", "x.y", "-", "é", "(x86)", " ",
        ]);
        let texts = prop::collection::vec(part, 0..9);
        let mut runner = TestRunner::deterministic();
        // What follows `${` without `}` stays as it is in newer Pythons only.
        let closed = |text: &String| text.rfind("${").is_none_or(|open| text[open..].contains('}'));
        let texts: Vec<String> = (0..5000).map(|_| texts.new_tree(&mut runner).unwrap().current().concat()).filter(closed).collect();
        let started = Command::new("python3").args(["-c", READER]).env("PYTHONUTF8", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut python) = started else {
            println!("SKIPPED: there is no python3 on this machine, so nothing was compared with os.path.");
            return;
        };
        python.stdin.take().unwrap().write_all(&serde_json::to_vec(&(&variables, &texts)).unwrap()).unwrap();
        let output = python.wait_with_output().unwrap();
        let theirs: Vec<[String; 2]> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(theirs.len(), texts.len());
        for (text, theirs) in texts.iter().zip(theirs) {
            let ours = [Rules::Posix, Rules::Windows].map(|rules| expand(text, rules, &Known(variables.clone(), rules)).path);
            assert_eq!(ours, theirs, "{text:?}");
        }
    }
}

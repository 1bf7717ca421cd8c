//! Generated texts, read by this module and by Python; generated credentials files, written by this module and read by other libraries.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../../tests/common/counts.rs"]
mod counts;
mod files;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

pub(crate) use counts::cases;

use super::{DEFAULT_SECTION, FaultKind, IniText};

/// Sections with their keys and values.
type Read = BTreeMap<String, BTreeMap<String, String>>;

/// A Python process that reads files as its script says; it answers questions line by line in JSON.
pub(crate) struct Python {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const READER: &str = r#"
import configparser, json, sys

def text(value):
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

for line in sys.stdin:
    path, lenient = json.loads(line)
    cp = configparser.RawConfigParser()
    try:
        if lenient:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                cp.read_file(file)
        else:
            cp.read([path])
    except (configparser.Error, UnicodeDecodeError) as error:
        answer = type(error).__name__
    else:
        answer = {text(s): {text(o): text(cp.get(s, o)) for o in cp.options(s)} for s in cp.sections()}
        answer["DEFAULT"] = {text(o): text(v) for o, v in cp.defaults().items()}
    print(json.dumps(answer), flush=True)
"#;

impl Python {
    /// Reports that there is no Python, in which case a test can show nothing.
    fn start() -> Option<Self> {
        let started = Self::run("python3", READER);
        if started.is_none() {
            println!("SKIPPED: there is no python3 on this machine, so nothing was compared with configparser.");
        }
        started
    }

    /// Runs a script that answers each line; `None` if the program cannot be started.
    pub(crate) fn run(program: &str, script: &str) -> Option<Self> {
        let mut child = Command::new(program).args(["-c", script]).env("PYTHONUTF8", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (asks, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, asks, answers })
    }

    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.asks, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What the AWS CLI finds in a file, with the values of `[DEFAULT]` in each section, or the name of its exception.
    ///
    /// `lenient` also reads bytes that are not UTF-8, as Python does with an encoding that has all of them.
    fn read(&mut self, path: &Path, lenient: bool) -> Result<Read, String> {
        match self.ask(&json!([path, lenient])) {
            Value::String(exception) => Err(exception),
            answer => Ok(serde_json::from_value(answer).unwrap()),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn runner(all: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases: cases(all), failure_persistence: None, ..ProptestConfig::default() })
}

/// Lines of all kinds, most of them similar to what configparser accepts.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let near = prop_oneof![
        2 => "[ \t]{0,3}",
        2 => "[ \t]{0,2}[#;][ a-c=\\[\\]]{0,4}",
        4 => "[ \t]{0,2}\\[[a-dA-D \\]]{1,3}\\][ x#\\]=]{0,2}",
        1 => "[ ]{0,1}\\[DEFAULT\\]",
        10 => "[ \t]{0,3}[A-Da-dk\u{c4}\u{3a3}]{1,3}[ \t]{0,2}[=:][ \t]{0,2}[a-c\u{e4}=:#;\\[\\]\\\\]{0,4}[ \t]{0,2}",
        3 => "[ \t]{1,4}[a-c=]{1,3}",
        1 => "[ ]{2,3}#[a-c]{0,2}",
    ];
    let far = "[\\[\\]=:#;ak \t\u{b}\u{c}\u{1c}\u{1f}\u{85}\u{a0}\u{2028}\u{3000}\u{feff}\u{0}\u{130}\u{df}]{0,6}";
    let line =
        prop_oneof![40 => near.prop_map(String::into_bytes), 1 => far.prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..4).boxed()];
    let end = prop_oneof![10 => Just("\n"), 3 => Just("\r\n"), 2 => Just("\r"), 1 => Just("\n\r")];
    let start = prop_oneof![20 => Just(&b"[first]\n"[..]), 2 => Just(&b""[..]), 1 => Just(&b"\xef\xbb\xbf"[..])];
    (start, proptest::collection::vec((line, end), 0..14), any::<bool>()).prop_map(|(start, lines, open)| {
        let mut text = start.to_vec();
        for (index, (line, end)) in lines.iter().enumerate() {
            text.extend_from_slice(line);
            if !open || index + 1 < lines.len() {
                text.extend_from_slice(end.as_bytes());
            }
        }
        text
    })
}

fn read_by_us(text: &[u8]) -> Result<Read, FaultKind> {
    let scan = IniText::scan(text).map_err(|fault| fault.kind)?;
    let keys = |section: &super::Section| section.keys.iter().map(|key| (key.name.to_string(), scan.value(key).to_string())).collect::<BTreeMap<_, _>>();
    let own: Vec<_> = scan.sections.iter().map(|section| (section.name().unwrap().to_owned(), keys(section))).collect();
    let defaults: BTreeMap<_, _> = own.iter().filter(|(name, _)| name == DEFAULT_SECTION).flat_map(|(_, keys)| keys.clone()).collect();
    let mut all: Read = own.into_iter().map(|(name, keys)| (name, defaults.clone().into_iter().chain(keys).collect())).collect();
    all.insert(DEFAULT_SECTION.to_owned(), defaults);
    Ok(all)
}

#[test]
fn exactly_the_files_that_the_aws_cli_reads_are_read() {
    let Some(python) = Python::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let python = RefCell::new(python);
    let counts = RefCell::new(BTreeMap::<&str, u32>::new());
    let count = |what| *counts.borrow_mut().entry(what).or_default() += 1;
    runner(20_000)
        .run(&any_text(), |text| {
            if std::str::from_utf8(&text).is_err() {
                // Python refuses these as UTF-8 and accepts them as Latin-1; this module accepts them, because old encodings in comments are harmless.
                let _ = IniText::scan(&text);
                count("not UTF-8, not compared");
                return Ok(());
            }
            let ours = read_by_us(&text);
            std::fs::write(&path, &text).unwrap();
            let theirs = python.borrow_mut().read(&path, false);
            match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "this module returns {ours:?}, Python {theirs:?}"),
            }
            count(if ours.is_ok() { "read by both" } else { "refused by both" });
            Ok(())
        })
        .unwrap();
    println!("{:?}", counts.borrow());
    assert!(["read by both", "refused by both"].iter().all(|kind| counts.borrow()[kind] > cases(20_000) / 10), "{:?}", counts.borrow());
}

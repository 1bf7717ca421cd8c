//! Checks that the generated files are current.
#![allow(clippy::unwrap_used)]

#[path = "../examples/generate/main.rs"]
mod generate;

#[test]
fn the_generated_files_are_current() {
    for (path, text) in generate::generated().unwrap() {
        let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(committed == text, "{} is stale: run `build.ps1 Generate`", path.display());
    }
}

/// The library takes what C# writes: a test on the other side compares these files with the text of the C# classes.
#[test]
fn every_request_of_the_examples_is_understood() {
    let requests: Vec<_> = generate::requests().unwrap();
    assert!(requests.len() > 10);
    for (name, text) in requests {
        sso_core::protocol::request_from_json(text.as_bytes()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

//! Checks that the generated files are current.
#![allow(clippy::unwrap_used)]

#[path = "../examples/generate.rs"]
mod generate;

#[test]
fn the_generated_files_are_current() {
    for (path, text) in generate::generated().unwrap() {
        let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(committed == text, "{} is stale: run `build.ps1 Generate`", path.display());
    }
}

//! What an AWS tool gets that starts the program as a `credential_process`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sso_stand_in::Options;

#[path = "../../core/tests/common/company.rs"]
mod company;

use company::{Company, approving};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sso-credential-process");

/// The program with the library beside it, as both are installed.
struct Installed {
    folder: tempfile::TempDir,
    program: PathBuf,
}

fn library_name() -> &'static str {
    if cfg!(windows) {
        "aws_sso.dll"
    } else if cfg!(target_os = "macos") {
        "aws_sso.dylib"
    } else {
        "aws_sso.so"
    }
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(Path::new(PROGRAM).file_name().unwrap());
        std::fs::copy(PROGRAM, &program).unwrap();
        let built = Path::new(PROGRAM).parent().unwrap().join("deps");
        let names = [format!("lib{}", library_name()), library_name().to_owned()];
        let library = names.iter().map(|name| built.join(name)).find(|path| path.is_file()).unwrap();
        std::fs::copy(library, folder.path().join(library_name())).unwrap();
        Self { folder, program }
    }

    /// Starts the program as a tool with these variables does.
    fn command(&self, company: &Company, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(company.home.path()).env_remove("HTTPS_PROXY").env_remove("AWS_PROFILE").envs(&company.variables);
        command
    }

    fn run(&self, company: &Company, words: &[&str]) -> Output {
        self.command(company, words).output().unwrap()
    }
}

/// The answer, if it is exactly what every SDK accepts.
#[track_caller]
fn answer(output: &Output) -> Value {
    let (text, errors) = (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    assert!(text.starts_with("{\"Version\":1,") && text.ends_with("}\n") && text.lines().count() == 1, "not one line");
    serde_json::from_str(&text).unwrap()
}

/// The one line on stderr, with nothing on stdout.
#[track_caller]
fn refusal(output: &Output, code: i32) -> String {
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.len(), errors.lines().count()), (Some(code), 0, 1), "{errors}");
    errors.trim_end().strip_prefix("sso-credential-process: ").unwrap().to_owned()
}

#[test]
fn a_tool_gets_keys_that_last_and_the_second_call_needs_no_request() {
    let (installed, company) = (Installed::new(), Company::with(approving(), 2));
    let first = answer(&installed.run(&company, &["--environment", "Acme", "Account1"]));
    assert_eq!(first["AccountId"], "100000000000");
    for key in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        assert!(first[key].as_str().unwrap().len() > 10, "{key}");
    }
    assert!(first["Expiration"].as_str().unwrap().ends_with('Z'));
    assert_eq!(answer(&installed.run(&company, &["--profile", "Account1"])), first);
    let role = ["--environment", "Acme", "--account", "100000000000", "--role", "AWSAdministratorAccess"];
    assert_eq!(answer(&installed.run(&company, &role)), first);
    assert_eq!(company.requests("GetRoleCredentials"), 1);
    assert!(!company.aws("credentials").exists());
}

#[test]
fn variables_of_the_tool_that_name_another_profile_or_keys_change_nothing() {
    let (installed, company) = (Installed::new(), Company::with(approving(), 2));
    let mut command = installed.command(&company, &["--environment", "Acme", "Account1"]);
    command.envs([("AWS_PROFILE", "Account2"), ("AWS_DEFAULT_PROFILE", "none"), ("AWS_ACCESS_KEY_ID", "AKIAX"), ("AWS_REGION", "?")]);
    assert_eq!(answer(&command.output().unwrap())["AccountId"], "100000000000");
}

#[test]
fn keys_of_the_credentials_file_are_used_as_long_as_they_are_good() {
    let (installed, company) = (Installed::new(), Company::with(approving(), 1));
    company.update().assert_created(1);
    let id = answer(&installed.run(&company, &["--environment", "Acme", "Account1"]))["AccessKeyId"].as_str().unwrap().to_owned();
    assert!(company.credentials().contains(&id));
    assert_eq!(company.requests("GetRoleCredentials"), 1);
}

#[test]
fn fifty_processes_at_once_get_the_same_keys_from_one_request() {
    let (installed, company) = (Installed::new(), Company::with(Options { delay: 200, ..approving() }, 1));
    let running: Vec<_> = (0..50)
        .map(|_| {
            let mut command = installed.command(&company, &["--environment", "Acme", "Account1"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let answers: Vec<Value> = running.into_iter().map(|process| answer(&process.wait_with_output().unwrap())).collect();
    assert!(answers.iter().all(|other| *other == answers[0]));
    assert_eq!(company.requests("GetRoleCredentials"), 1);
}

#[test]
fn what_goes_wrong_is_one_line_that_says_what_to_do() {
    let installed = Installed::new();
    let company = Company::without_session(approving(), 1);
    let acme = |name| ["--environment", "Acme", name];
    let line = refusal(&installed.run(&company, &acme("Account1")), 1);
    let module = "is in the PowerShell module Set-AwsCliSsoCredentials.";
    assert!(line.contains("Acme") && line.contains("Connect-SsoSession") && line.ends_with(module), "{line}");
    let line = refusal(&installed.run(&company, &acme("Acount1")), 1);
    assert!(line.contains("No profile is named 'Acount1'") && line.contains("Account1"), "{line}");
    let line = refusal(&installed.run(&company, &["--environment", "Amce", "Account1"]), 1);
    assert!(line.contains("No environment is named Amce"), "{line}");
    let line = refusal(&installed.run(&company, &["--enviroment", "Acme", "Account1"]), 252);
    assert!(line.contains("--enviroment is not an option") && !line.contains(module), "{line}");
    std::fs::write(company.aws("sso-environments"), "[environment Acme]\nwhat = x\n").unwrap();
    let line = refusal(&installed.run(&company, &acme("Account1")), 1);
    assert!(line.contains("line 2: the key what"), "{line}");
}

#[test]
fn a_missing_or_broken_library_is_one_line_that_says_how_to_install_it() {
    let (installed, company) = (Installed::new(), Company::with(approving(), 1));
    let library = installed.folder.path().join(library_name());
    std::fs::write(&library, "not a library").unwrap();
    assert!(refusal(&installed.run(&company, &["Account1"]), 1).contains("cannot be loaded. Run Export-SsoProfile again"));
    std::fs::remove_file(&library).unwrap();
    let line = refusal(&installed.run(&company, &["Account1"]), 1);
    assert!(line.contains("does not exist. Run Export-SsoProfile again") && line.contains("PowerShell module Set-AwsCliSsoCredentials"), "{line}");
}

#[test]
fn the_help_and_the_version_need_no_library() {
    let (installed, company) = (Installed::new(), Company::with(approving(), 0));
    std::fs::remove_file(installed.folder.path().join(library_name())).unwrap();
    let text = |word| String::from_utf8(installed.run(&company, &[word]).stdout).unwrap();
    let manifest = include_str!("../../../Set-AwsCliSsoCredentials.psd1");
    let version = text("--version").trim().strip_prefix("sso-credential-process ").unwrap().to_owned();
    assert!(manifest.contains(&format!("ModuleVersion     = '{version}'")) || manifest.contains(&format!("'{version}'")), "{version}");
    let help = text("--help");
    assert!(["--environment", "--profile", "--account", "--role", "--version", "never logs in"].iter().all(|part| help.contains(part)), "{help}");
}

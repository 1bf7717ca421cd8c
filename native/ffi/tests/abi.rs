//! The boundary, through raw pointers and through a C program.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use sso_stand_in::{Options, StandIn};

/// The cdylib that cargo built beside this test.
fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
}

fn requests(home: &Path, service: &StandIn, profiles: u64) -> [String; 2] {
    let accounts: Vec<String> = (0..profiles).map(|n| format!(r#"{{"profile":"Account{n}","account_id":"{}"}}"#, 100_000_000_000 + n)).collect();
    let (path, url) = (serde_json::to_string(home).unwrap(), service.url());
    let variables = format!(r#""HOME":{path},"USERPROFILE":{path},"AWS_ENDPOINT_URL_SSO":"{url}","AWS_ENDPOINT_URL_SSO_OIDC":"{url}""#);
    let world = format!(r#""directory":{path},"variables":{{{variables}}}"#);
    [
        format!(
            r#"{{{world},"operation":{{"set_environment":{{"name":"Acme","start_url":"{}","region":"us-west-2","default_role_name":"AWSAdministratorAccess","accounts":[{}]}}}}}}"#,
            service.start_url(),
            accounts.join(",")
        ),
        format!(r#"{{{world},"operation":{{"update":{{"targets":[{{"environment":"Acme"}}],"session":{{"browser":false}}}}}}}}"#),
    ]
}

/// Compiles the C program against the library.
fn compile(folder: &Path, flags: &[&str]) -> PathBuf {
    let program = folder.join("abi");
    let library = library_folder();
    let compiled = Command::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g"])
        .args(flags)
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/abi.c"), "-o"])
        .arg(&program)
        .arg(format!("-L{}", library.display()))
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .args(["-laws_sso", "-lpthread"])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    program
}

fn run(command: &mut Command) -> String {
    // In cargo's own value, the folder of an earlier build comes before the one that this test was built with.
    let ran = command.env_remove("LD_LIBRARY_PATH").output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && text.contains("whole"), "{text}");
    text
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs gcc or clang with AddressSanitizer")]
fn a_c_program_updates_under_address_sanitizer() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let [set, update] = requests(home.path(), &service, 5);
    run(Command::new(program).args([set, update, "5".to_owned()]).env("ASAN_OPTIONS", "detect_leaks=1"));
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs gcc or clang")]
fn a_forked_child_gets_an_error_and_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &[]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let [set, update] = requests(home.path(), &service, 5);
    let forced = update.replace(r#""session":"#, r#""force":true,"session":"#);
    run(Command::new(program).args([set, update, "5".to_owned(), forced]));
}

#[test]
#[ignore = "takes a minute and needs valgrind: runs with `build.ps1 Test -Full`"]
fn a_thousand_operations_lose_no_memory_and_do_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &[]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let [set, update] = requests(home.path(), &service, 5);
    run(Command::new(&program).args([&set, &update, "5"]));
    let in_use_at_exit = |count: &str| -> u64 {
        let valgrind = ["--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9", "--show-leak-kinds=definite"];
        let text = run(Command::new("valgrind").args(valgrind).arg(&program).args(["repeat", &update, count]));
        let line = text.lines().find(|line| line.contains("in use at exit:")).unwrap();
        line.split("exit: ").nth(1).unwrap().split(' ').next().unwrap().replace(',', "").parse().unwrap()
    };
    let (few, many) = (in_use_at_exit("100"), in_use_at_exit("1000"));
    assert!(many <= few + 4096, "{few} bytes after 100 operations, {many} after 1,000");
}

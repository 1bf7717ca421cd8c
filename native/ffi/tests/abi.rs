//! The boundary, through raw pointers and through a C program.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "common/requests.rs"]
mod requests;

use std::path::{Path, PathBuf};
use std::process::Command;

use requests::Requests;
use sso_stand_in::{Options, StandIn};

/// The cdylib that cargo built beside this test.
fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
}

/// The first C compiler that is installed and makes programs for this system and processor, which is not always the machine's own.
fn compiler() -> Option<String> {
    let makes_ours = |name: &String| {
        let made = Command::new(name).arg("-dumpmachine").output();
        // Apple has another name for its processor.
        made.is_ok_and(|made| cfg!(target_os = "macos") || String::from_utf8_lossy(&made.stdout).starts_with(std::env::consts::ARCH))
    };
    let debians = cfg!(target_os = "linux").then(|| format!("{}-linux-gnu-gcc", std::env::consts::ARCH));
    debians.into_iter().chain(["cc", "gcc", "clang"].map(str::to_owned)).find(makes_ours)
}

const SANITIZED: [&str; 2] = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"];

/// Whether a program that does nothing runs with the sanitizers: they need their libraries, and more of the system than an emulator has.
fn runs_with_sanitizers(folder: &Path, compiler: &str) -> bool {
    let (source, program) = (folder.join("nothing.c"), folder.join("nothing"));
    std::fs::write(&source, "int main(void) { return 0; }").unwrap();
    let made = Command::new(compiler).args(SANITIZED).arg(source).arg("-o").arg(&program).output().unwrap();
    made.status.success() && Command::new(program).env("ASAN_OPTIONS", "detect_leaks=1").output().is_ok_and(|ran| ran.status.success())
}

/// Compiles the C program against the library.
fn compile(folder: &Path, compiler: &str, flags: &[&str]) -> PathBuf {
    let program = folder.join(format!("abi{}", std::env::consts::EXE_SUFFIX));
    let library = library_folder();
    let mut command = Command::new(compiler);
    command.args(["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g"]).args(flags);
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/abi.c"), "-o"]).arg(&program);
    command.arg(format!("-L{}", library.display())).arg("-laws_sso");
    if cfg!(windows) {
        // Windows looks for a library beside the program.
        std::fs::copy(library.join("aws_sso.dll"), folder.join("aws_sso.dll")).unwrap();
    } else {
        command.arg(format!("-Wl,-rpath,{}", library.display())).arg("-lpthread");
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    program
}

fn run(command: &mut Command) -> String {
    // In cargo's own value, the folder of an earlier build comes before the one that this test was built with.
    let ran = command.env_remove("LD_LIBRARY_PATH").output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && text.contains("whole"), "{text}");
    text
}

impl Requests {
    /// The command that has the C program set an environment of five profiles and update it.
    fn pass_to(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args([&self.set_environment, &self.update, "5"]);
        command
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs gcc or clang with AddressSanitizer")]
fn a_c_program_updates_under_address_sanitizer() {
    let folder = tempfile::tempdir().unwrap();
    let compiler = compiler().unwrap();
    if !runs_with_sanitizers(folder.path(), &compiler) {
        println!("SKIPPED: a program with AddressSanitizer does not run here, as under qemu.");
        return;
    }
    let program = compile(folder.path(), &compiler, &SANITIZED);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let requests = Requests::of(home.path(), &service, 5);
    run(requests.pass_to(&program).env("ASAN_OPTIONS", "detect_leaks=1"));
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs gcc or clang")]
fn a_forked_child_gets_an_error_and_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &compiler().unwrap(), &[]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let requests = Requests::of(home.path(), &service, 5);
    run(requests.pass_to(&program).arg(&requests.forced_update));
}

#[test]
fn a_c_program_sees_a_panic_as_an_event_and_updates() {
    let Some(compiler) = compiler() else {
        println!("SKIPPED: there is no cc, gcc, or clang for this system.");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &compiler, &[]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    run(&mut Requests::of(home.path(), &service, 5).pass_to(&program));
}

#[test]
#[ignore = "takes a minute and needs valgrind: runs with `build.ps1 Test -Full`"]
fn a_thousand_operations_lose_no_memory_and_do_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), &compiler().unwrap(), &[]);
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let requests = Requests::of(home.path(), &service, 5);
    run(&mut requests.pass_to(&program));
    let in_use_at_exit = |count: &str| -> u64 {
        let valgrind = ["--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9", "--show-leak-kinds=definite"];
        let text = run(Command::new("valgrind").args(valgrind).arg(&program).args(["repeat", &requests.update, count]));
        let line = text.lines().find(|line| line.contains("in use at exit:")).unwrap();
        line.split("exit: ").nth(1).unwrap().split(' ').next().unwrap().replace(',', "").parse().unwrap()
    };
    let (few, many) = (in_use_at_exit("100"), in_use_at_exit("1000"));
    assert!(many <= few + 4096, "{few} bytes after 100 operations, {many} after 1,000");
}

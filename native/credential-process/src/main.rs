//! `credential_process` for AWS tools: returns the keys of one profile, from the files of the module or, if they are due, from the service.
//!
//! All of the work is done by the module's library, in the folder of this program. It never logs in, and says nothing if it succeeds.

mod answer;
mod arguments;
mod library;
mod request;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::{Command, HELP};
use library::Library;

/// The exit codes, as those of the AWS CLI: the keys could not be returned, or the arguments are wrong.
const FAILED: u8 = 1;
const WRONG_ARGUMENTS: u8 = 252;

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(what) => return fail(&format!("{what} Run sso-credential-process --help."), WRONG_ARGUMENTS),
    };
    let outcome = match command {
        Command::Help => Ok(HELP.as_bytes().to_vec().into()),
        Command::Version => Ok(format!("sso-credential-process {}\n", env!("MODULE_VERSION")).into_bytes().into()),
        Command::Keys(wanted) => Library::beside_this_program().and_then(|library| library.keys(&request::text_of(&wanted))),
    };
    match outcome {
        Ok(text) if std::io::stdout().write_all(&text).is_ok() => ExitCode::SUCCESS,
        Ok(_) => fail("The output could not be written.", FAILED),
        Err(what) => fail(&with_module(what), FAILED),
    }
}

/// The reason, with the module that has the commands it names: the program stays when the module is gone, and others may read this than those who installed it.
fn with_module(what: String) -> String {
    if what.contains("-Sso") { format!("{what} This command is in the PowerShell module Set-AwsCliSsoCredentials.") } else { what }
}

/// AWS tools show what is on stderr if a program fails.
fn fail(what: &str, code: u8) -> ExitCode {
    // Without a place for the message, the exit code has to do.
    let _ = writeln!(std::io::stderr(), "sso-credential-process: {what}");
    ExitCode::from(code)
}

//! The stand-in as a program: prints one line of JSON when it is ready, then serves until it is stopped.

use std::io::{self, Read, Write};
use std::thread;

use clap::Parser;
use serde_json::json;
use sso_stand_in::{Options, StandIn};

/// A loopback IAM Identity Center for tests, demos and benchmarks.
#[derive(Parser)]
#[command(name = "sso-stand-in")]
struct Arguments {
    #[command(flatten)]
    options: Options,

    /// Stop when standard input closes, so that a stand-in does not outlive the program that started it.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let stand_in = StandIn::start(arguments.options)?;
    let ready = json!({ "url": stand_in.url(), "start_url": stand_in.start_url() });
    let mut output = io::stdout().lock();
    writeln!(output, "{ready}")?;
    output.flush()?;
    drop(output);
    if arguments.until_stdin_closes {
        // The input is discarded; an error ends the wait just like a closed pipe.
        let mut input = io::stdin().lock();
        let mut ignored = [0; 256];
        while matches!(input.read(&mut ignored), Ok(count) if count > 0) {}
        return Ok(());
    }
    loop {
        thread::park();
    }
}

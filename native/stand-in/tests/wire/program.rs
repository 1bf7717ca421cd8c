//! The stand-in as a program.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sso_stand_in::Stats;

use crate::client::send;

#[test]
fn it_prints_its_address_in_one_line_and_stops_when_stdin_closes() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sso-stand-in"))
        .args(["--until-stdin-closes", "--start-url", "https://example.com/start"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["start_url"], "https://example.com/start");
    let url = ready["url"].as_str().unwrap();
    let stats: Stats = serde_json::from_value(send(url, "GET", "/_stats", &[], "").json()).unwrap();
    // The request for these figures opens a connection, too.
    assert_eq!(stats, Stats { connections: 1, ..Stats::default() });
    assert_eq!(send(url, "POST", "/_control", &[], r#"{"delay":5}"#).json(), json!({ "decided": 0 }));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}

#[test]
fn a_wrong_flag_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_sso-stand-in")).args(["--fail", "Nothing:1:500"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

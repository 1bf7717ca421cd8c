//! Shows what the module does, without PowerShell: two updates against a local Identity Center, in a temporary home folder.
#![allow(clippy::print_stdout, reason = "this program prints its results")]

use std::collections::BTreeMap;
use std::error::Error;

use sso_core::World;
use sso_core::protocol::{AccountRow, Event, Level, Operation, SessionTerms, SetEnvironment, Target, Update};
use sso_stand_in::{Options, StandIn};

const ACCOUNTS: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let service = StandIn::start(Options { approve_after_polls: Some(2), ..Options::default() })?;
    let home = tempfile::tempdir()?;
    let variables: BTreeMap<String, String> = [
        (if cfg!(windows) { "USERPROFILE" } else { "HOME" }, home.path().display().to_string()),
        ("AWS_ENDPOINT_URL_SSO", service.url().to_owned()),
        ("AWS_ENDPOINT_URL_SSO_OIDC", service.url().to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let world = World::new(variables, home.path().to_path_buf(), std::sync::Arc::new(sso_core::DesktopBrowser));

    let accounts = (0..ACCOUNTS).map(|index| AccountRow {
        profile: format!("Account{}", index + 1),
        account_id: format!("{:012}", 100_000_000_000 + index),
        role_name: None,
        ..AccountRow::default()
    });
    show(
        &world,
        Operation::SetEnvironment(SetEnvironment {
            name: "Acme".to_owned(),
            start_url: Some(service.start_url().to_owned()),
            region: Some("us-west-2".to_owned()),
            default_role_name: Some("AWSAdministratorAccess".to_owned()),
            accounts: Some(accounts.collect()),
            ..SetEnvironment::default()
        }),
    )?;
    println!("A first update:");
    show(&world, update())?;
    println!("\nThe credentials file, secrets masked:");
    for line in std::fs::read_to_string(home.path().join(".aws").join("credentials"))?.lines().take(14) {
        match line.split_once(" = ") {
            Some((name @ ("aws_access_key_id" | "aws_secret_access_key" | "aws_session_token"), _)) => println!("{name} = ****"),
            _ => println!("{line}"),
        }
    }
    println!("\nA second update:");
    show(&world, update())?;
    let stats = service.stats();
    println!("\nThe stand-in counted {} login, {} protocol violations and {} early polls.", stats.logins, stats.violations.len(), stats.early_polls);
    if stats.violations.is_empty() && stats.early_polls == 0 { Ok(()) } else { Err("the protocol was broken".into()) }
}

fn update() -> Operation {
    Operation::Update(Update {
        is_named: false,
        targets: vec![Target { environment: "Acme".to_owned(), profiles: None }],
        force: false,
        replace_keys: false,
        minimum_remaining: 900,
        session: SessionTerms { browser: false, ..SessionTerms::default() },
        throttle_limit: 16,
        report_profiles: true,
        expose_token: false,
    })
}

fn show(world: &World, operation: Operation) -> Result<(), Box<dyn Error>> {
    let run = sso_core::run(operation, world.clone());
    while let Some(event) = run.next() {
        match event {
            Event::Verification(login) => println!("Open {} to approve the login; the page shows {}.", login.url, login.user_code.unwrap_or_default()),
            Event::Profile(profile) => {
                println!(
                    "{:<12} {} {:<24} {:<10} {}",
                    profile.profile_name,
                    profile.account_id,
                    profile.role_name,
                    profile.status,
                    profile.expiration.unwrap_or_default()
                );
            }
            Event::Note(note) if note.level == Level::Warning => println!("Warning: {}", note.text),
            Event::Completed(summary) => {
                println!("{}: {} fetched, {} still good, {} failed", summary.environment, summary.refreshed, summary.still_valid, summary.failed);
            }
            Event::Failed(failed) => return Err(failed.message.into()),
            _ => {}
        }
    }
    Ok(())
}

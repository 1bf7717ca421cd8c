//! What a program with the AWS SDK for Rust gets from the endpoint. `tests/Sdk.Tests.ps1` has the other SDKs.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../common/company.rs"]
mod company;

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::join_all;
use serde_json::Value;
use sso_core::protocol::{Event, ExportKind, ExportProfile, Operation, SessionTerms, StartEndpoint, event_to_json};
use sso_stand_in::{Control, Options};

use company::{Company, Seen, approving};

/// How many different keys a program waits for, so that six expire.
const DIFFERENT: usize = 7;

/// How many programs ask at the same time.
const CLIENTS: usize = 200;

/// In seconds. The endpoint renews keys with a third of it left, in which a test of failing renewals has to be done.
const LIFETIME: u32 = 9;

const MINE: &str = "[default]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine\n";

/// What the module takes over from the endpoint: variables by name.
fn endpoint(company: &Company) -> [(&'static str, String); 3] {
    let mut endpoint = Value::Null;
    let request = StartEndpoint { profile: "Account1".into(), environments: vec!["Acme".into()], region: None, session: SessionTerms::default() };
    let seen = Seen::watching(&company.start(Operation::StartEndpoint(request)), |event| {
        if matches!(event, Event::Endpoint(_)) {
            endpoint = serde_json::from_slice::<Value>(&event_to_json(event)).unwrap()["endpoint"].take();
        }
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "url"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"), ("AWS_PROFILE", "config_profile")]
        .map(|(name, member)| (name, endpoint[member].as_str().unwrap().to_owned()))
}

/// This program as one that a user starts with these variables; it gets keys once, or again and again.
fn started<const N: usize>(company: &Company, how: &str, variables: [(&'static str, String); N]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["a_program_of_the_user", "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .envs(&company.variables)
        .envs(variables)
        .env("SSO_TEST_HOW", how);
    // Windows opens no socket without it.
    #[allow(clippy::disallowed_methods, reason = "a variable of the system, and not of a user")]
    let system = std::env::var_os("SystemRoot");
    command.envs(system.map(|root| ("SystemRoot", root)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_program_gets_keys_by_the_session_of_an_exported_profile() {
    let company = Company::with(approving(), 1);
    let request = ExportProfile {
        environment: "Acme".into(),
        profiles: vec!["Account1".into()],
        kind: ExportKind::SsoSession,
        programs: std::path::PathBuf::new(),
        prune: false,
        kept: Vec::new(),
        check_only: false,
    };
    let seen = company.run(Operation::ExportProfile(request));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let output = started(&company, "once", [("AWS_PROFILE", "Account1".to_owned())]).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("ALL GOOD"), "{said}");
    assert_eq!((company.requests("GetRoleCredentials"), company.service.stats().logins), (1, 0));
}

fn wait_until(company: &Company, fetches: u64) {
    while company.requests("GetRoleCredentials") < fetches {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_program_gets_good_keys_while_six_expire_while_a_renewal_fails_and_for_200_at_once_whatever_default_has() {
    let company = Company::with(Options { credential_lifetime: LIFETIME, ..approving() }, 1);
    for file in ["config", "credentials"] {
        std::fs::write(company.aws(file), MINE).unwrap();
    }
    let program = started(&company, "again", endpoint(&company));
    wait_until(&company, 3);
    company.service.control(Control { fail: vec!["GetRoleCredentials:all:500".parse().unwrap()], ..Control::default() });
    wait_until(&company, company.requests("GetRoleCredentials") + 2);
    company.service.control(Control { clear: true, ..Control::default() });
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("ALL GOOD"), "{said}");
    company.assert_polite();
}

/// What a program does that creates its own chain of providers.
async fn chain(http: &SharedHttpClient) -> DefaultCredentialsChain {
    // The region plays no part in credentials, and without one the SDK would ask for it.
    let settings = ProviderConfig::without_region().with_http_client(http.clone());
    DefaultCredentialsChain::builder().configure(settings).region(Region::from_static("us-west-2")).build().await
}

/// The ID of good keys: they are not from a file, and had not expired before they were asked for.
async fn good_id(chain: &DefaultCredentialsChain) -> String {
    let start = SystemTime::now();
    let keys = chain.provide_credentials().await.unwrap();
    assert!(keys.access_key_id().starts_with("ASIA") && keys.expiry().unwrap() > start);
    keys.access_key_id().to_owned()
}

#[tokio::test]
#[ignore = "the other tests start it as a process of its own"]
#[allow(clippy::disallowed_methods, reason = "the variable is how its parent talks to it")]
async fn a_program_of_the_user() {
    let http: SharedHttpClient = aws_smithy_http_client::Builder::new().build_http();
    let one = chain(&http).await;
    if std::env::var("SSO_TEST_HOW").unwrap() == "once" {
        good_id(&one).await;
        println!("ALL GOOD");
        return;
    }
    let mut seen = HashSet::new();
    while seen.len() < DIFFERENT {
        seen.insert(good_id(&one).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let all = join_all((0..CLIENTS).map(|_| chain(&http))).await;
    let ids = join_all(all.iter().map(good_id)).await;
    assert_eq!(ids.len(), CLIENTS);
    println!("ALL GOOD");
}

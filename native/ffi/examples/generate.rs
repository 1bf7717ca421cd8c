//! Writes the generated files anew: the C header, the C# declarations, and an example of each event for the test of the C# reader.

use std::error::Error;
use std::path::{Path, PathBuf};

use interoptopus::util::NamespaceMappings;
use interoptopus::Interop;
use interoptopus_backend_csharp::{CSharpVisibility, Config, Generator};
use sso_core::error::Code;
use sso_core::protocol::{
    event_to_json, AccountRow, AccountView, Added, Completed, ConsoleView, CredentialView, EnvironmentView, Event, Failed, KeysView, Level, Note, Planned,
    PlannedProfile, Profile, Progress, Removed, RoleView, SessionView, TokenCache, TokenView, Verification, Waiting,
};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every generated file with the text that it should have.
pub(crate) fn generated() -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let mut files = vec![(crate_folder().join("include/aws_sso.h"), header()?), (crate_folder().join("../../module/Native/NativeMethods.g.cs"), csharp()?)];
    for event in events() {
        let text = String::from_utf8(event_to_json(&event))?;
        let name = text.split('"').nth(1).ok_or("an event without a name")?;
        files.push((crate_folder().join(format!("../../tests/events/{name}.json")), format!("{text}\n")));
    }
    Ok(files)
}

/// One of each kind, with every field filled.
fn events() -> Vec<Event> {
    let text = |text: &str| text.to_owned();
    let time = || text("2026-01-02T03:04:05Z");
    let failure = sso_core::error::Error::new(Code::RoleNotAssigned, "The role is not assigned to you.")
        .with_action("Ask your administrator.")
        .with_target("Account \u{e4}")
        .with_request_id(Some(text("6dcbbc70-f030-8e92-59cb-eb5d4aeed0e9")));
    vec![
        Event::Planned(Planned {
            environment: text("Acme"),
            profiles: vec![PlannedProfile { profile_name: text("Account1"), due: false, obstacle: Some(text("it has long-term access keys")) }],
        }),
        Event::Verification(Verification {
            host: text("d-12345abcde.awsapps.com"),
            environment: text("Acme"),
            url: text("https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-EFGH"),
            user_code: Some(text("ABCD-EFGH")),
            expires: time(),
            browser_opened: false,
            qr_code: Some(vec![text("\u{2588}\u{2580}\u{2588}"), text("\u{2588} \u{2584}")]),
        }),
        Event::Waiting(Waiting { environment: text("Acme"), text: text("Waiting"), seconds_left: Some(599) }),
        Event::Progress(Progress { activity: text("Fetching credentials"), done: 3, total: 20, name: Some(text("Account1")) }),
        Event::Note(Note { level: Level::Warning, text: text("A \"note\"") }),
        Event::Profile(Profile {
            environment: text("Acme"),
            profile_name: text("Account 1"),
            account_id: text("012345678901"),
            role_name: text("AWSAdministratorAccess"),
            status: text("Created"),
            expiration: Some(time()),
        }),
        Event::Failed(Failed::new(&failure, true)),
        Event::Completed(Completed {
            environment: text("Acme"),
            profile_names: vec![text("Account1"), text("Account2")],
            refreshed: 1,
            still_valid: 1,
            failed: 2,
            session_expires: Some(time()),
            credentials_expire: Some(time()),
            cancelled: true,
        }),
        Event::Environment(EnvironmentView {
            name: text("Acme"),
            start_url: text("https://d-12345abcde.awsapps.com/start/"),
            region: text("us-west-2"),
            default_role_name: Some(text("AWSAdministratorAccess")),
            token_cache: TokenCache::Memory,
            source: text("/home/user/.aws/sso-environments"),
            accounts: vec![AccountRow { profile: text("Account1"), account_id: text("012345678901"), role_name: Some(text("AWSReadOnlyAccess")) }],
        }),
        Event::Session(SessionView {
            environment: text("Acme"),
            start_url: text("https://d-12345abcde.awsapps.com/start/"),
            region: text("us-west-2"),
            state: text("Refreshable"),
            token_expires: Some(time()),
            refreshable: true,
            registration_expires: Some(time()),
            token_cache: TokenCache::AwsCli,
            path: Some(text("/home/user/.aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json")),
        }),
        Event::Account(AccountView {
            environment: text("Acme"),
            account_id: text("012345678901"),
            account_name: Some(text("Production \u{e4}")),
            email_address: Some(text("aws@example.com")),
        }),
        Event::Role(RoleView {
            environment: text("Acme"),
            account_id: text("012345678901"),
            account_name: Some(text("Production")),
            email_address: Some(text("aws@example.com")),
            role_name: text("AWSReadOnlyAccess"),
            profile_name: None,
        }),
        Event::Added(Added {
            environment: text("Acme"),
            profile_name: text("Production-AWSReadOnlyAccess"),
            account_id: text("012345678901"),
            role_name: text("AWSReadOnlyAccess"),
        }),
        Event::Removed(Removed { environment: text("Acme"), profile_name: text("Account1") }),
        Event::Keys(KeysView::new(("Acme", "Account1"), "012345678901", "AKIAEXAMPLE", "example-secret", "example-token", text("2026-01-01T01:00:00Z"))),
        Event::Console(ConsoleView {
            environment: text("Acme"),
            profile_name: text("Account1"),
            url: text("https://d-12345abcde.awsapps.com/start/#/console?account_id=012345678901&role_name=AWSReadOnlyAccess"),
            browser_opened: true,
        }),
        Event::Token(TokenView::new("Acme", "an access token", 28_800)),
        Event::Credential(CredentialView {
            environment: text("Acme"),
            profile_name: text("Account 1"),
            account_id: text("012345678901"),
            role_name: text("AWSAdministratorAccess"),
            state: text("Due"),
            reason: Some(text("its keys expire soon")),
            expiration: Some(time()),
        }),
    ]
}

fn header() -> Result<String, Box<dyn Error>> {
    let config = cbindgen::Config::from_file(crate_folder().join("cbindgen.toml"))?;
    let mut text = Vec::new();
    cbindgen::Builder::new().with_config(config).with_src(crate_folder().join("src/lib.rs")).generate()?.write(&mut text);
    Ok(String::from_utf8(text)?)
}

fn csharp() -> Result<String, Box<dyn Error>> {
    let config = Config {
        class: "NativeMethods".to_owned(),
        dll_name: "aws_sso".to_owned(),
        file_header_comment:
            "// Generated by Interoptopus from native/ffi/src/lib.rs: do not edit, run `build.ps1 Generate`.\n// <auto-generated/>\n#nullable disable"
                .to_owned(),
        namespace_mappings: NamespaceMappings::new("AwsSso.Native"),
        visibility_types: CSharpVisibility::ForceInternal,
        ..Config::default()
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("NativeMethods.g.cs");
    Generator::new(config, aws_sso::inventory()).write_file(&file)?;
    Ok(std::fs::read_to_string(file)?.replace("\r\n", "\n").trim_end().to_owned() + "\n")
}

#[allow(dead_code, reason = "the test that compares includes this file as a module")]
fn main() -> Result<(), Box<dyn Error>> {
    for (path, text) in generated()? {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

//! An example of each request and of each event, with every field filled.

use serde_json::{json, Map, Value};
use sso_core::error::Code;
use sso_core::protocol::{
    AccountRow, AccountView, Added, Completed, ConsoleView, CredentialState, CredentialView, CredentialsFileUse, EndpointView, EnvironmentView, Event,
    ExportStatus, Exported, Failed, KeysView, Level, Note, Planned, PlannedProfile, Profile, ProfileStatus, Progress, PromptSource, PromptView, RefreshState,
    RefreshView, Removed, RoleView, Secret, SessionState, SessionView, SyncSettings, TokenCache, TokenView, Verification, Waiting,
};

use super::protocol::{Kind, Part, Protocol, Type};

/// A request for each operation, by the operation's name.
pub(crate) fn requests(protocol: &Protocol) -> Vec<(String, Value)> {
    let operations = protocol.parts("Operation").iter();
    operations
        .map(|operation| {
            let mut request = object(protocol, protocol.parts("Request"));
            request["operation"] = json!({ &operation.name: value(protocol, operation) });
            (operation.name.clone(), request)
        })
        .collect()
}

fn object(protocol: &Protocol, parts: &[Part]) -> Value {
    Value::Object(parts.iter().map(|part| (part.name.clone(), value(protocol, part))).collect::<Map<_, _>>())
}

fn value(protocol: &Protocol, part: &Part) -> Value {
    let one = match &part.kind {
        Kind::Text | Kind::Time => json!(format!("a {}", part.name)),
        Kind::Secret => json!("example-secret"),
        Kind::Flag => json!(true),
        Kind::Long => json!(1_800),
        Kind::Int => json!(8),
        Kind::Map => json!({ "HOME": "/home/user", "AWS_CONFIG_FILE": "/home/user/\u{e4} \"b\"" }),
        Kind::Named(name) => match protocol.type_of(name) {
            Some(Type::Words { words, .. }) => json!(words.last().map(|word| &word.name)),
            _ => object(protocol, protocol.parts(name)),
        },
    };
    if part.is_list {
        json!([one])
    } else {
        one
    }
}

/// One of each kind, with every field filled.
pub(crate) fn events() -> Vec<Event> {
    [of_runs(), of_lists(), of_tables(), of_requests_for_one()].into_iter().flatten().collect()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn time() -> String {
    text("2026-01-02T03:04:05Z")
}

fn of_runs() -> Vec<Event> {
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
            status: ProfileStatus::Created,
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
    ]
}

fn of_tables() -> Vec<Event> {
    vec![
        Event::Environment(EnvironmentView {
            name: text("Acme"),
            start_url: text("https://d-12345abcde.awsapps.com/start/"),
            region: text("us-west-2"),
            default_role_name: Some(text("AWSAdministratorAccess")),
            profile_region: Some(text("eu-central-1")),
            profile_output: Some(text("json")),
            sync: Some(SyncSettings {
                roles: vec![text("AWSReadOnlyAccess")],
                accounts: vec![text("Prod*")],
                exclude: vec![text("*Sandbox*")],
                name_template: Some(text("{AccountName}")),
                name_prefix: Some(text("acme-")),
            }),
            token_cache: TokenCache::Memory,
            credentials_file: CredentialsFileUse::Never,
            source: text("/home/user/.aws/sso-environments"),
            accounts: vec![AccountRow {
                profile: text("Account1"),
                account_id: text("012345678901"),
                role_name: Some(text("AWSReadOnlyAccess")),
                profile_region: Some(text("eu-central-1")),
                profile_output: Some(text("json")),
            }],
        }),
        Event::Added(Added {
            environment: text("Acme"),
            profile_name: text("Production-AWSReadOnlyAccess"),
            account_id: text("012345678901"),
            role_name: text("AWSReadOnlyAccess"),
            profile_region: Some(text("eu-central-1")),
            profile_output: Some(text("json")),
        }),
        Event::Exported(Exported {
            environment: text("Acme"),
            profile_name: text("Account1"),
            account_id: Some(text("012345678901")),
            role_name: Some(text("AWSReadOnlyAccess")),
            status: ExportStatus::Changed,
            changed_keys: vec![text("credential_process"), text("region")],
            credentials_removed: true,
        }),
    ]
}

fn of_lists() -> Vec<Event> {
    vec![
        Event::Session(SessionView {
            environment: text("Acme"),
            start_url: text("https://d-12345abcde.awsapps.com/start/"),
            region: text("us-west-2"),
            state: SessionState::Refreshable,
            token_expires: Some(time()),
            refreshable: true,
            registration_expires: Some(time()),
            token_cache: TokenCache::System,
            is_store_locked: Some(true),
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
        Event::Removed(Removed { environment: text("Acme"), profile_name: text("Account1") }),
        Event::Credential(CredentialView {
            environment: text("Acme"),
            profile_name: text("Account 1"),
            account_id: text("012345678901"),
            role_name: text("AWSAdministratorAccess"),
            state: CredentialState::Due,
            reason: Some(text("its keys expire soon")),
            expiration: Some(time()),
        }),
        Event::Refresh(RefreshView {
            environment: text("Acme"),
            profile_name: text("Account 1"),
            account_id: text("012345678901"),
            role_name: text("AWSAdministratorAccess"),
            state: RefreshState::Retrying,
            last_error: Some(text("The service could not be reached.")),
            expiration: Some(time()),
            next_attempt: Some(time()),
            ends: Some(time()),
        }),
    ]
}

fn of_requests_for_one() -> Vec<Event> {
    vec![
        Event::Keys(KeysView {
            environment: text("Acme"),
            profile_name: text("Account1"),
            account_id: text("012345678901"),
            access_key_id: text("AKIAEXAMPLE"),
            secret_access_key: Secret::new("example-secret"),
            session_token: Secret::new("example-token"),
            expiration: text("2026-01-01T01:00:00Z"),
        }),
        Event::Console(ConsoleView {
            environment: text("Acme"),
            profile_name: text("Account1"),
            url: text("https://d-12345abcde.awsapps.com/start/#/console?account_id=012345678901&role_name=AWSReadOnlyAccess"),
            browser_opened: true,
        }),
        Event::Endpoint(EndpointView {
            environment: text("Acme"),
            profile_name: text("Account1"),
            url: text("http://127.0.0.1:50000/sso-endpoint/example-path"),
            token: Secret::new("example-token"),
            config_profile: text("sso-endpoint-Account1"),
            expiration: text("2026-01-01T01:00:00Z"),
        }),
        Event::Prompt(PromptView { profile_name: text("Account1"), source: PromptSource::Endpoint, expiration: Some(text("2026-01-01T01:00:00Z")) }),
        Event::Token(TokenView::new("Acme", "an access token", 28_800)),
    ]
}

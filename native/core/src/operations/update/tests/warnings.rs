//! What an update warns of, each once in a process.

use super::outcomes::{DEV, PROD, section, update_of, updated, user};
use crate::protocol::{Event, Level, Update};
use crate::service::scripted::{Call, START, exception, keys};
use crate::test_user::{START_URL, TestUser};

/// The notes of this level of an update.
async fn notes(user: &TestUser, level: Level, update: Update) -> Vec<String> {
    let events = updated(user, update).await.into_iter();
    events.filter_map(|event| if let Event::Note(note) = event { Some(note).filter(|note| note.level == level) } else { None }).map(|note| note.text).collect()
}

async fn warnings(user: &TestUser) -> Vec<String> {
    notes(user, Level::Warning, update_of(&["Acme"])).await
}

/// Two warnings of runs in a row: the first run of a process gives it, and the second does not.
async fn only_warning(user: &TestUser) -> String {
    let forced = Update { force: true, ..update_of(&["Acme"]) };
    let mut first = notes(user, Level::Warning, forced.clone()).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(notes(&user.in_another_run(), Level::Warning, forced).await.is_empty());
    first.remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_update_in_order_warns_of_nothing() {
    assert!(warnings(&user()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_profiles_is_named_with_the_command_that_adds_them() {
    let user = user();
    user.store(&format!("[environment Acme]\nsso_start_url = {START_URL}\nsso_region = us-west-2\n"));
    let warnings = warnings(&user).await;
    assert!(warnings.len() == 1 && warnings[0].contains("Sync-SsoProfile -Environment Acme"), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn keys_that_never_last_as_long_as_is_asked_for_are_warned_of() {
    let user = user();
    user.service.on(Call::GetRoleCredentials, |request| keys(request, START + 1800));
    let update = Update { minimum_remaining: 1801, ..update_of(&["Acme"]) };
    let first = notes(&user, Level::Warning, update.clone()).await;
    assert!(first.len() == 1 && first[0].starts_with("The credentials of Prod, Dev are valid for only 30 min, less than -MinimumRemaining"), "{first:?}");
    let user = self::user();
    user.service.on(Call::GetRoleCredentials, |request| keys(request, START + 1800));
    assert!(notes(&user, Level::Warning, Update { minimum_remaining: 1800, ..update }).await.is_empty(), "they last as long as is asked for");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_folder_where_everybody_can_write_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let user = user();
    std::fs::set_permissions(user.path(""), std::fs::Permissions::from_mode(0o777)).unwrap();
    let warning = only_warning(&user).await;
    assert!(warning.contains("Every user of this machine can write to") && warning.contains("chmod go-w"), "{warning}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_file_that_others_could_read_or_that_has_a_second_name_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let user = user();
    user.write_credentials("");
    std::fs::set_permissions(user.path("credentials"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(only_warning(&user).await.starts_with("Other users could read"));
    std::fs::hard_link(user.path("credentials"), user.path("second")).unwrap();
    assert!(only_warning(&user).await.contains("hard link"));
}

#[tokio::test(start_paused = true)]
async fn a_section_name_with_blanks_is_corrected_and_that_is_said() {
    let user = user();
    user.write_credentials("[ Prod ]\nregion = us-west-2\n");
    let warning = only_warning(&user).await;
    assert!(warning.starts_with("The section name [Prod] had spaces inside its brackets"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_aws_tools_misread_is_warned_of() {
    let user = user();
    user.store(&format!(
        "[environment Acme]\nsso_start_url = {START_URL}\nsso_region = us-west-2\n[environment Acme profile a=b]\nsso_account_id = {PROD}\nsso_role_name = Admin\n"
    ));
    let warning = only_warning(&user).await;
    assert!(warning.ends_with("a=b. Rename it."), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn what_the_config_file_has_for_a_profile_before_its_keys_is_warned_of() {
    for (key, expected) in [
        ("sso_account_id = 999999999999\nsso_role_name = Admin", "has a different account or role for Prod, Dev"),
        ("role_arn = arn:aws:iam::1:role/x\nsource_profile = y", "has a role_arn for Prod, Dev"),
        ("credential_process = other", "has a credential_process for Prod, Dev"),
    ] {
        let user = user();
        std::fs::write(user.path("config"), format!("[profile Prod]\n{key}\n[profile Dev]\n{key}\n")).unwrap();
        let warning = only_warning(&user).await;
        assert!(warning.contains(expected), "{warning}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_whose_credential_process_calls_the_module_is_left_to_it() {
    // The second is the first, encoded.
    let encoded = "RwBlAHQALQBTAHMAbwBDAHIAZQBkAGUAbgB0AGkAYQBsACAALQBBAHMAQwByAGUAZABlAG4AdABpAGEAbABQAHIAbwBjAGUAcwBzACAALQBQAHIAbwBmAGkAbABlAE4AYQBtAGUAIAAnAFAAcgBvAGQAJwA=";
    for command in
        ["pwsh -c Get-SsoCredential Prod -AsCredentialProcess".to_owned(), format!("pwsh -NoProfile -EncodedCommand {encoded}"), format!("pwsh -enc {encoded}")]
    {
        let user = user();
        std::fs::write(user.path("config"), format!("[profile Prod]\ncredential_process = {command}\n")).unwrap();
        assert!(warnings(&user).await.is_empty(), "{command}");
        let asked: Vec<String> = user.service.seen(Call::GetRoleCredentials).iter().map(|request| request.field("account_id").to_owned()).collect();
        assert_eq!(asked, [DEV]);
        user.write_credentials(&section(&user, "Prod", PROD, 3600));
        let warning = only_warning(&user).await;
        assert!(warning.contains("has keys for Prod, which AWS tools use instead of its credential_process"), "{warning}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_verbose_the_user_reads_why_each_profile_is_due() {
    let user = user();
    user.write_credentials(&format!("{}\n[Dev]\naws_access_key_id = AKIATHEIRS\n", section(&user, "Prod", PROD, 3600)));
    let notes = notes(&user, Level::Verbose, update_of(&["Acme"])).await;
    for expected in [format!("Prod is valid until {}.", user.time(3600)), "Dev is skipped: its section has long-term access keys (AKIA…).".to_owned()] {
        assert!(notes.contains(&expected), "{notes:?}");
    }
    user.write_credentials(&section(&user, "Prod", PROD, 1));
    let notes = self::notes(&user, Level::Verbose, update_of(&["Acme"])).await;
    assert!(
        notes.iter().any(|note| note == "Prod is due: its keys expire soon.") && notes.iter().any(|note| note.starts_with("Dev is due: it is not in")),
        "{notes:?}"
    );
    assert!(notes.iter().any(|note| note.starts_with("2 profiles were written to")), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn with_verbose_the_user_reads_that_the_service_asked_for_fewer_requests() {
    let user = user();
    user.service.on_first(Call::GetRoleCredentials, [exception(429, "TooManyRequestsException")]);
    let slowed = notes(&user, Level::Verbose, update_of(&["Acme"])).await;
    assert!(slowed.iter().any(|note| note.starts_with("The service throttled 1 request, so")), "{slowed:?}");
    let later = notes(&user, Level::Verbose, Update { force: true, ..update_of(&["Acme"]) }).await;
    assert!(!later.iter().any(|note| note.starts_with("The service throttled")), "the run before is not this one: {later:?}");
}

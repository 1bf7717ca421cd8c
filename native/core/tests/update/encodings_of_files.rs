//! Each file that a user may have saved with a program of Windows, in each encoding of these programs.

use sso_core::protocol::{AccountRow, GetEnvironment, Operation, Plan, SetEnvironment, Update};

use crate::encodings::{Saved, saved};
use crate::sessions::{token_file, without_login};
use crate::{Company, Seen, approving, rows, update_of};

const ZURICH: &str = "Z\u{fc}rich";

/// What a user gets from a file.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Read,
    /// An error or a warning names the file and its encoding.
    Refused,
}

use Outcome::{Read, Refused};

/// Checks that what was said names the file, its encoding and what to do.
#[track_caller]
fn refused(said: &str, file: &str, encoding: &str) -> Outcome {
    for words in [file, encoding, "UTF-8"] {
        assert!(said.contains(words), "{words:?} is missing: {said}");
    }
    Refused
}

/// Whatever was read, no letter was replaced on the way to any file.
#[track_caller]
fn assert_no_letter_was_lost(company: &Company) {
    let folders = [company.aws(""), company.aws("sso/cache")];
    for entry in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(3).any(|bytes| bytes == b"\xef\xbf\xbd") && !bytes.windows(6).any(|bytes| bytes == b"\\ufffd"), "{}", path.display());
        }
    }
}

fn said(seen: &Seen) -> String {
    let errors = seen.failed.iter().map(|failed| format!("{} {}", failed.message, failed.action.as_deref().unwrap_or_default()));
    errors.chain(seen.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

/// Saves a file in every encoding, and compares what `look` finds with what is expected.
#[track_caller]
fn assert_outcomes(text: &str, expected: [Outcome; 8], look: impl Fn(&Saved) -> Outcome) {
    for (saved, expected) in saved(text).iter().zip(expected) {
        assert_eq!(look(saved), expected, "{}", saved.encoding);
    }
}

#[test]
fn the_file_of_environments_is_read_or_refused_by_its_encoding() {
    let text = "[environment Acme]\r\nsso_start_url = https://d-12345abcde.awsapps.com/start\r\nsso_region = us-west-2\r\ndefault_role_name = R\r\n\r\n\
        [environment Acme profile Z\u{fc}rich]\r\nsso_account_id = 100000000001\r\n";
    assert_outcomes(text, [Read, Read, Read, Read, Refused, Refused, Refused, Refused], |saved| {
        let company = Company::with(approving(), 1);
        std::fs::write(company.aws("sso-environments"), &saved.bytes).unwrap();
        let plan = || Operation::Plan(Plan { environments: vec!["Acme".into()], minimum_remaining: 900, force: false, due_only: false, replace_keys: false });
        let seen = company.run(plan());
        let outcome = if seen.failed.is_empty() {
            assert_eq!(seen.planned, [(ZURICH.to_owned(), true)]);
            Read
        } else {
            refused(&said(&seen), "sso-environments", saved.encoding)
        };
        // A change keeps every letter, or is refused.
        let wanted = SetEnvironment { name: "Acme".into(), region: Some("eu-west-1".into()), ..SetEnvironment::default() };
        let changed = company.run(Operation::SetEnvironment(wanted));
        assert_eq!(changed.failed.is_empty(), outcome == Read, "{:?}", changed.failed);
        let after = std::fs::read(company.aws("sso-environments")).unwrap();
        if outcome == Read {
            assert_eq!(String::from_utf8(after).unwrap(), text.replace("us-west-2", "eu-west-1"));
        } else {
            assert_eq!(after, saved.bytes);
        }
        assert_no_letter_was_lost(&company);
        outcome
    });
}

#[test]
fn a_value_in_an_old_encoding_stops_its_environment_alone() {
    let company = Company::with(approving(), 1);
    let path = company.aws("sso-environments");
    let bad = b"\n[environment Bad]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-west-2\nsso_session = caf\xe9\n";
    let text = [std::fs::read(&path).unwrap().as_slice(), bad].concat();
    std::fs::write(&path, &text).unwrap();
    let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
    assert!(listed.only_error("EnvironmentInvalid").contains("the value of sso_session is not UTF-8 text; save the file as UTF-8"), "{:?}", listed.failed);
    company.update().assert_created(1);
    // Letters of two encodings in one file could be told apart by no editor.
    let row = AccountRow { profile: ZURICH.into(), ..rows(1).remove(0) };
    let changed = company.set("Acme", vec![row]);
    refused(&changed.only_error("EnvironmentInvalid"), "sso-environments", "not UTF-8 text (line 12)");
    assert_eq!(std::fs::read(&path).unwrap(), text);
    assert!(company.set("Acme", rows(2)).failed.is_empty(), "plain letters are the same in both");
    assert!(std::fs::read(&path).unwrap().ends_with(bad));
}

#[test]
fn the_config_file_is_read_as_the_aws_cli_reads_it_or_refused_by_its_encoding() {
    let text = "# Z\u{fc}rich\r\n[sso-session my-sso]\r\nsso_start_url = {start_url}\r\nsso_region = us-west-2\r\n\r\n\
        [profile Z\u{fc}rich]\r\nsso_session = my-sso\r\nsso_account_id = 100000000000\r\nsso_role_name = AWSAdministratorAccess\r\n";
    // On Windows, the AWS CLI itself writes the file in the ANSI code page.
    let ansi = if cfg!(windows) { Read } else { Refused };
    let company = Company::without_session(approving(), 0);
    company.seed_session(None);
    company.seed_session(Some("my-sso"));
    std::fs::remove_file(company.aws("sso-environments")).unwrap();
    assert_outcomes(&text.replace("{start_url}", company.service.start_url()), [Read, Refused, Refused, Refused, Refused, Refused, Refused, ansi], |saved| {
        std::fs::write(company.aws("config"), &saved.bytes).unwrap();
        let _ = std::fs::remove_file(company.aws("credentials"));
        let seen = company.run(Operation::Update(update_of("my-sso")));
        assert_eq!(std::fs::read(company.aws("config")).unwrap(), saved.bytes);
        assert_no_letter_was_lost(&company);
        if company.credentials().contains("[Z\u{fc}rich]") {
            return Read;
        }
        let encoding = if saved.encoding == "not UTF-8 text" { "its header is not UTF-8 text" } else { saved.encoding };
        refused(&said(&seen), "config", encoding)
    });
}

#[cfg(not(windows))]
#[test]
fn a_value_of_the_config_file_in_an_old_encoding_stops_its_profile_or_session_alone() {
    let company = Company::with(approving(), 1);
    company.seed_session(Some("my-sso"));
    let start_url = company.service.start_url();
    let profile = |name: &str, role: &[u8]| {
        [format!("[profile {name}]\nsso_session = my-sso\nsso_account_id = 100000000000\nsso_role_name = ").as_bytes(), role, b"\noutput = caf\xe9\n"].concat()
    };
    let session = |name: &str, url: &[u8]| [format!("[sso-session {name}]\nsso_region = us-west-2\nsso_start_url = ").as_bytes(), url, b"\n"].concat();
    let text = [
        session("my-sso", start_url.as_bytes()),
        session("other", b"https://caf\xe9.example.com/start"),
        profile("good", b"AWSAdministratorAccess"),
        profile("bad", b"Gr\xf6\xdfe"),
    ];
    std::fs::write(company.aws("config"), text.concat()).unwrap();
    let seen = company.run(Operation::Update(update_of("my-sso")));
    seen.assert_created(1);
    assert!(seen.notes.iter().any(|note| note.contains("the profile bad is skipped: the value of sso_role_name is not UTF-8 text")), "{:?}", seen.notes);
    let error = company.run(Operation::Update(update_of("other"))).only_error("EnvironmentInvalid");
    assert!(error.contains("the value of sso_start_url is not UTF-8 text; save the file as UTF-8"), "{error}");
}

#[test]
fn a_path_of_the_config_file_in_an_old_encoding_is_an_error_and_not_another_path() {
    let mut company = Company::with(approving(), 1);
    std::fs::write(company.aws("config"), b"[default]\nca_bundle = /home/J\xfcrgen/ca.pem\n").unwrap();
    company.turn_to("https://127.0.0.1:9");
    let error = company.update().only_error(if cfg!(windows) { "ReadFailed" } else { "ConfigFileInvalid" });
    // On Windows, the path is the one that was meant.
    let words = if cfg!(windows) { "J\u{fc}rgen" } else { "has a path that is not UTF-8 text. Save the file as UTF-8" };
    assert!(error.contains(words) && error.contains("ca_bundle"), "{error}");
}

#[test]
fn the_credentials_file_keeps_every_byte_or_is_refused_by_its_encoding() {
    let text = "# Z\u{fc}rich\r\n[other]\r\naws_access_key_id = AKIAEXAMPLE\r\nnote = caf\u{e9}\r\n";
    let company = Company::with(approving(), 1);
    assert_outcomes(text, [Read, Refused, Refused, Refused, Refused, Refused, Refused, Read], |saved| {
        std::fs::write(company.aws("credentials"), &saved.bytes).unwrap();
        let seen = company.update();
        let after = std::fs::read(company.aws("credentials")).unwrap();
        assert_no_letter_was_lost(&company);
        if seen.failed.is_empty() {
            assert!(after.starts_with(&saved.bytes) && after.len() > saved.bytes.len() + 100, "{}", saved.encoding);
            return Read;
        }
        assert_eq!((seen.codes(), after), (vec!["CredentialsFileInvalid".to_owned()], saved.bytes.clone()));
        refused(&said(&seen), "credentials", saved.encoding)
    });
    assert_eq!(company.requests("GetRoleCredentials"), 2, "what is refused is refused before anything is fetched");
}

#[test]
fn a_profile_that_could_not_be_found_in_a_credentials_file_of_another_encoding_is_the_only_one_that_fails() {
    let company = Company::with(approving(), 0);
    let zurich = AccountRow { profile: ZURICH.into(), ..rows(1).remove(0) };
    assert!(company.set("Acme", vec![zurich, rows(2).remove(1)]).failed.is_empty());
    // As the AWS CLI on Windows writes it.
    let before = b"[Z\xfcrich]\naws_access_key_id = ASIAOLD\n";
    std::fs::write(company.aws("credentials"), before).unwrap();
    let seen = company.update();
    let error = seen.only_error("CredentialsFileInvalid");
    assert!(error.starts_with("Could not update profile Z\u{fc}rich: its name cannot be written, because the file is not UTF-8 text (line 1)"), "{error}");
    assert_eq!(seen.statuses(), [("Created", 1), ("CredentialsFileInvalid", 1)].into());
    let after = std::fs::read(company.aws("credentials")).unwrap();
    assert!(after.starts_with(before) && !after.windows(7).any(|name| name == "Z\u{fc}rich".as_bytes()));
}

#[test]
fn a_token_that_an_editor_saved_is_still_the_session_and_another_encoding_means_a_login() {
    let company = Company::with(approving(), 1);
    let path = token_file(&company);
    let text = std::fs::read_to_string(&path).unwrap().replacen('{', "{\"note\": \"Z\u{fc}rich\", ", 1);
    // A token that cannot be read counts as missing, as for the AWS CLI: a login replaces it.
    assert_outcomes(&text, [Read, Read, Read, Read, Refused, Refused, Refused, Refused], |saved| {
        std::fs::write(&path, &saved.bytes).unwrap();
        let _ = std::fs::remove_file(company.aws("credentials"));
        let seen = company.run(Operation::Update(Update { session: without_login(), ..update_of("Acme") }));
        assert_eq!(std::fs::read(&path).unwrap(), saved.bytes);
        if seen.failed.is_empty() {
            return Read;
        }
        assert_eq!(seen.codes(), ["LoginRequired"]);
        Refused
    });
}

#[test]
fn a_name_whose_letters_were_lost_when_its_file_was_read_is_not_stored() {
    let company = Company::with(approving(), 1);
    let before = std::fs::read(company.aws("sso-environments")).unwrap();
    let lost = AccountRow { profile: "Z\u{fffd}rich".into(), ..rows(1).remove(0) };
    for seen in [company.set("Acme", vec![lost]), company.set("Z\u{fffd}rich", rows(1))] {
        let error = seen.only_error("EnvironmentInvalid");
        assert!(error.contains("has the character U+FFFD in place of a letter") && error.contains("save that file as UTF-8"), "{error}");
    }
    assert_eq!(std::fs::read(company.aws("sso-environments")).unwrap(), before);
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Company, Seen, approving};

/// Files as other tools and other mishaps leave them in the folder of the cache.
const FOREIGN: [(&str, &[u8]); 9] = [
    ("empty.json", b""),
    ("not-json.json", b"\x00\xff\xfe no JSON \n"),
    ("half.json", b"{\"startUrl\": \"https://d-12345abcde.awsapps.com/start/\", \"accessTok"),
    ("list.json", b"[{\"accessToken\": \"theirs\"}]"),
    ("trailing.json", b"{\"accessToken\": \"theirs\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}}}"),
    ("aws-toolkit-vscode-client-id-us-west-2.json", b"{\"clientId\":\"c\",\"clientSecret\":\"s\",\"expiresAt\":\"2099-01-01T00:00:00.000Z\"}"),
    (
        "da39a3ee5e6b4b0d3255bfef95601890afd80709.json",
        b"{\n  \"startUrl\": \"https://d-12345abcde.awsapps.com/start\",\n  \"region\": \"us-west-2\",\n  \"accessToken\": \"theirs\",\n  \"expiresAt\": \"2099-01-01T00:00:00Z\"\n}\n",
    ),
    ("kiro-auth-token.json", b"{\"accessToken\":\"k\",\"refreshToken\":\"k\",\"expiresAt\":\"2099-01-01T00:00:00.000Z\",\"authMethod\":\"IdC\"}"),
    ("notes.txt", b"mine"),
];

fn folder(company: &Company) -> PathBuf {
    company.aws("sso/cache")
}

/// Every file below the folder with its bytes, without the lock files; directories have none.
fn contents(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).ok()));
    named.filter(|(name, _)| Path::new(name).extension().is_none_or(|extension| extension != "lock")).collect()
}

/// The file among those of the cache that holds this key and was not there before.
fn ours(company: &Company, key: &str) -> PathBuf {
    let foreign: Vec<&str> = FOREIGN.iter().map(|(name, _)| *name).collect();
    let found = contents(&folder(company)).into_iter().find(|(name, bytes)| {
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        !foreign.contains(&name.as_str()) && text.contains(&format!("\"{key}\": "))
    });
    folder(company).join(found.unwrap().0)
}

fn token_file(company: &Company) -> PathBuf {
    ours(company, "accessToken")
}

fn registration_file(company: &Company) -> PathBuf {
    ours(company, "scopes")
}

/// A company whose user has a session; the next run is a new process.
fn logged_in() -> (Company, PathBuf) {
    let mut company = Company::with(approving(), 1);
    company.update().assert_created(1);
    company.forget();
    let token = token_file(&company);
    (company, token)
}

fn is_token(path: &Path) -> bool {
    serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(&std::fs::read(path).unwrap()).is_ok_and(|object| object.contains_key("accessToken"))
}

#[track_caller]
fn assert_refreshed(seen: &Seen) {
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(seen.statuses(), [("Refreshed", 1)].into());
}

#[test]
fn files_of_other_tools_in_the_cache_do_not_change() {
    let mut company = Company::without_session(approving(), 1);
    let folder = folder(&company);
    std::fs::create_dir_all(folder.join("a-folder.json")).unwrap();
    for (name, bytes) in FOREIGN {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let before = contents(&folder);
    company.update().assert_created(1);
    assert_eq!(company.service.stats().logins, 1, "no token of others is taken");
    for end_of_token in [false, true] {
        company.forget();
        company.service.control(sso_stand_in::Control { expire_tokens: end_of_token, ..sso_stand_in::Control::default() });
        assert_refreshed(&company.forced());
    }
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
    let after = contents(&folder);
    for (name, bytes) in &before {
        assert_eq!(after.get(name), Some(bytes), "{name}");
    }
    // The token and the registration, and nothing that was left over.
    assert_eq!(after.len(), before.len() + 2, "{:?}", after.keys());
}

#[test]
fn an_invalid_token_file_leads_to_a_login_and_is_replaced() {
    let good = |token: &Path| std::fs::read_to_string(token).unwrap();
    let spoil: [fn(&str) -> Vec<u8>; 6] = [
        |_| Vec::new(),
        |text| text.as_bytes()[..text.len() / 2].to_vec(),
        |text| format!("{text}}}").into_bytes(),
        |text| format!("{text}\0\0\0").into_bytes(),
        |_| b"\xff\xfe\0\0".to_vec(),
        |text| format!("[{text}]").into_bytes(),
    ];
    for spoil in spoil {
        let (company, token) = logged_in();
        let spoiled = spoil(&good(&token));
        std::fs::write(&token, &spoiled).unwrap();
        assert_refreshed(&company.forced());
        assert_eq!(company.browser.opened(), 1, "{:?}", String::from_utf8_lossy(&spoiled));
        assert!(is_token(&token), "{:?}", good(&token));
    }
}

#[test]
fn an_invalid_registration_file_is_replaced_at_the_next_login() {
    for spoiled in [&b""[..], b"{\"clientId\": ", b"[]", b"{\"clientId\": 1, \"clientSecret\": null}"] {
        let (company, token) = logged_in();
        let registration = registration_file(&company);
        std::fs::write(&registration, spoiled).unwrap();
        std::fs::remove_file(&token).unwrap();
        assert_refreshed(&company.forced());
        assert_eq!((company.requests("RegisterClient"), company.service.stats().logins), (1, 1));
        assert!(std::fs::read_to_string(&registration).unwrap().contains("\"clientSecret\": \""));
    }
}

#[test]
fn a_folder_in_place_of_the_token_file_causes_a_warning_and_stays() {
    let (company, token) = logged_in();
    std::fs::remove_file(&token).unwrap();
    std::fs::create_dir(&token).unwrap();
    std::fs::write(token.join("theirs"), "theirs").unwrap();
    let seen = company.forced();
    assert_refreshed(&seen);
    assert!(seen.notes.iter().any(|note| note.contains("kept only in this PowerShell")), "{:?}", seen.notes);
    assert_eq!(std::fs::read_to_string(token.join("theirs")).unwrap(), "theirs");
    // The session is in memory: this PowerShell needs no other login.
    assert_refreshed(&company.forced());
    assert_eq!(company.browser.opened(), 1);
}

#[cfg(unix)]
#[test]
fn a_token_file_that_cannot_be_read_leads_to_a_login() {
    use std::os::unix::fs::PermissionsExt as _;
    let (company, token) = logged_in();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&token).is_ok() {
        eprintln!("skipped: this user may read any file");
        return;
    }
    assert_refreshed(&company.forced());
    assert_eq!(company.browser.opened(), 1);
}

#[test]
fn members_of_other_tools_in_the_token_file_survive_a_refresh_and_a_login() {
    let (company, token) = logged_in();
    let text = std::fs::read_to_string(&token).unwrap();
    std::fs::write(&token, text.replace("\"startUrl\"", "\"theirs\": {\"a\": [1, null]}, \"startUrl\"")).unwrap();
    for end_sessions in [false, true] {
        company.service.control(sso_stand_in::Control { expire_tokens: true, end_sessions, ..sso_stand_in::Control::default() });
        assert_refreshed(&company.forced());
        let text = std::fs::read_to_string(&token).unwrap();
        assert!(text.contains("\"theirs\": {\"a\": [1, null]}"), "{end_sessions}: {text}");
    }
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

#[test]
fn a_file_in_place_of_the_cache_causes_a_warning_and_stays() {
    let company = Company::without_session(approving(), 1);
    std::fs::create_dir_all(company.aws("sso")).unwrap();
    std::fs::write(folder(&company), "theirs").unwrap();
    let seen = company.update();
    seen.assert_created(1);
    assert!(seen.notes.iter().any(|note| note.contains("kept only in this PowerShell")), "{:?}", seen.notes);
    assert_eq!(std::fs::read_to_string(folder(&company)).unwrap(), "theirs");
}

//! The AWS CLI's own cache of SSO tokens and client registrations, `~/.aws/sso/cache`, shared with it and with the SDKs.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::config_file::SsoSession;
use crate::credentials_file::rfc3339;
use crate::environment::Environment;
use crate::error::Error;
use crate::protocol::LoginMethod;
use crate::safe_write::{Lock, SafeFile, write_failed};
use crate::secret::Secret;
use crate::world::World;

/// The scope without which the service gives no refresh token.
pub(crate) const ACCOUNT_ACCESS: &str = "sso:account:access";

/// The grant of a login by PKCE.
const AUTHORIZATION_CODE: &str = "authorization_code";

/// The grants of a client for a login by PKCE, as the AWS CLI registers it.
pub(crate) const PKCE_GRANTS: [&str; 2] = [AUTHORIZATION_CODE, "refresh_token"];

/// A client registration is used only while this is left, as the AWS CLI does.
const REGISTRATION_MARGIN: time::Duration = time::Duration::minutes(15);

/// A client that was registered with the service.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) expires_at: OffsetDateTime,
    /// The login that it is registered for; one that is only to refresh with may be of either kind.
    pub(crate) method: LoginMethod,
}

impl Registration {
    pub(crate) fn is_usable(&self, now: OffsetDateTime) -> bool {
        self.expires_at - now >= REGISTRATION_MARGIN
    }
}

/// An access token with what is needed to refresh it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) access_token: Secret,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) registration: Option<Registration>,
}

/// The files of one environment in the cache.
#[derive(Debug, Clone)]
pub(crate) struct TokenFiles {
    folder: PathBuf,
    token_file: String,
    registration_file: String,
    start_url: String,
    region: String,
    scopes: Vec<String>,
}

impl TokenFiles {
    /// The files that the AWS CLI would use: those of a `[sso-session]` where there is one, else those of the start URL as written.
    pub(crate) fn of(world: &World, environment: &Environment, session: Option<&SsoSession>) -> Option<Self> {
        let folder = world.home()?.join(".aws").join("sso").join("cache");
        let start_url = session.map_or(&environment.start_url, |session| &session.start_url).clone();
        let mut scopes = session.and_then(|session| session.scopes.clone()).unwrap_or_default();
        if !scopes.iter().any(|scope| scope == ACCOUNT_ACCESS) {
            scopes.insert(0, ACCOUNT_ACCESS.to_owned());
        }
        let registration_key = json!({
            "region": environment.region,
            "scopes": scopes,
            "session_name": session.map(|session| session.name.as_str()),
            "startUrl": start_url,
            "tool": "botocore",
        });
        Some(Self {
            folder,
            token_file: sha1_hex(session.map_or(start_url.as_str(), |session| &session.name).as_bytes()),
            registration_file: sha1_hex(&python_json(&registration_key)),
            start_url,
            region: environment.region.clone(),
            scopes,
        })
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn file(&self, name: &str) -> SafeFile {
        SafeFile::at(&self.folder.join(format!("{name}.json")))
    }

    pub(crate) fn token_path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.token_file))
    }

    /// The lock for refreshing, logging in and writing.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.token_file))
    }

    /// The token in the cache; what is not there, empty, corrupt or of another kind is no token.
    pub(crate) fn read_token(&self) -> Option<Token> {
        let object = self.read(&self.token_file)?;
        let text = |name: &str| text_of(&object, name);
        let registration = match (text("clientId"), text("clientSecret"), time_of(&object, "registrationExpiresAt")) {
            (Some(client_id), Some(client_secret), Some(expires_at)) => {
                Some(Registration { client_id, client_secret: Secret::new(client_secret), expires_at, method: LoginMethod::DeviceCode })
            }
            _ => None,
        };
        Some(Token {
            access_token: Secret::new(text("accessToken")?),
            expires_at: time_of(&object, "expiresAt")?,
            refresh_token: text("refreshToken").map(Secret::new),
            registration,
        })
    }

    /// The client registration in the cache, if it is one for this login.
    pub(crate) fn read_registration(&self, method: LoginMethod) -> Option<Registration> {
        let object = self.read(&self.registration_file)?;
        let is_pkce = object.get("grantTypes").and_then(Value::as_array).is_some_and(|types| types.iter().any(|grant| grant == AUTHORIZATION_CODE));
        if is_pkce != (method == LoginMethod::Pkce) {
            return None;
        }
        Some(Registration {
            method,
            client_id: text_of(&object, "clientId")?,
            client_secret: Secret::new(text_of(&object, "clientSecret")?),
            expires_at: time_of(&object, "expiresAt")?,
        })
    }

    /// Writes the token; `lock` is that of [`Self::lock_path`].
    pub(crate) fn write_token(&self, lock: &Lock, token: &Token) -> Result<(), Error> {
        let client = token.registration.as_ref();
        self.write(
            lock,
            &self.token_file,
            &[
                ("startUrl", Some(json!(self.start_url))),
                ("region", Some(json!(self.region))),
                ("accessToken", Some(json!(token.access_token.reveal()))),
                ("expiresAt", Some(json!(rfc3339(token.expires_at)))),
                ("clientId", client.map(|client| json!(client.client_id))),
                ("clientSecret", client.map(|client| json!(client.client_secret.reveal()))),
                ("registrationExpiresAt", client.map(|client| json!(rfc3339(client.expires_at)))),
                ("refreshToken", token.refresh_token.as_ref().map(|token| json!(token.reveal()))),
            ],
        )
    }

    /// Writes the registration; `lock` is that of [`Self::lock_path`].
    pub(crate) fn write_registration(&self, lock: &Lock, registration: &Registration) -> Result<(), Error> {
        self.write(
            lock,
            &self.registration_file,
            &[
                ("clientId", Some(json!(registration.client_id))),
                ("clientSecret", Some(json!(registration.client_secret.reveal()))),
                ("expiresAt", Some(json!(rfc3339(registration.expires_at)))),
                ("scopes", Some(json!(self.scopes))),
                ("grantTypes", (registration.method == LoginMethod::Pkce).then(|| json!(PKCE_GRANTS))),
            ],
        )
    }

    /// Takes the token's file away; `lock` is that of [`Self::lock_path`].
    pub(crate) fn remove_token(&self, _lock: &Lock) -> Result<(), Error> {
        let path = self.token_path();
        match std::fs::remove_file(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(write_failed(&path, &fault)),
            _ => Ok(()),
        }
    }

    fn read(&self, name: &str) -> Option<Map<String, Value>> {
        object_of(&self.file(name).read().ok()??.bytes)
    }

    /// Writes the fields over those of the file, in their order; `None` takes one away, what others wrote besides stays behind them.
    fn write(&self, lock: &Lock, name: &str, fields: &[(&str, Option<Value>)]) -> Result<(), Error> {
        let file = self.file(name);
        file.replace(lock, |old| {
            let mut object = Map::new();
            let mut old = old.and_then(object_of).unwrap_or_default();
            for (name, value) in fields {
                old.retain(|other, _| !other.eq_ignore_ascii_case(name));
                if let Some(value) = value {
                    object.insert((*name).to_owned(), value.clone());
                }
            }
            object.extend(old);
            Ok(Some(Zeroizing::new(python_json(&Value::Object(object)))))
        })
        .map(drop)
    }
}

/// The JSON object in the bytes, whatever white space stands around it.
fn object_of(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A field by its name without case, as the SDK for Rust reads it; null and the empty text are as good as missing.
fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    let value = object.get(name).or_else(|| object.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value))?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A time in any of the dialects that the tools of the field write: `Z`, an offset, fractions, or the suffix `UTC` of old ones.
fn time_of(object: &Map<String, Value>, name: &str) -> Option<OffsetDateTime> {
    let text = text_of(object, name)?;
    let text = text.trim().strip_suffix("UTC").map_or_else(|| text.trim().to_owned(), |bare| format!("{bare}Z"));
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The value as Python's `json.dumps` writes it: on one line, a blank behind each comma and colon, nothing but ASCII.
fn python_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, PythonFormatter);
    // Writing a JSON value into memory has no way to fail.
    let _ = serde::Serialize::serialize(value, &mut writer);
    bytes
}

struct PythonFormatter;

impl serde_json::ser::Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if (' '..='~').contains(&c) {
                write!(writer, "{c}")?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::macros::datetime;

    use super::*;
    use crate::protocol::TokenCache;
    use crate::world::test_world;

    fn environment(start_url: &str) -> Environment {
        Environment {
            name: "Acme".into(),
            start_url: start_url.into(),
            region: "us-east-1".into(),
            default_role_name: None,
            token_cache: TokenCache::AwsCli,
            sso_session: None,
            profiles: Vec::new(),
            source: PathBuf::new(),
        }
    }

    fn session(scopes: Option<&[&str]>) -> SsoSession {
        SsoSession {
            name: "my-sso".into(),
            start_url: "https://my-sso.awsapps.com/start".into(),
            region: "us-east-1".into(),
            scopes: scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        }
    }

    fn token() -> Token {
        Token {
            access_token: Secret::new("a"),
            expires_at: datetime!(2026-01-02 3:04:05.9 UTC),
            refresh_token: Some(Secret::new("r")),
            registration: Some(Registration {
                client_id: "c".into(),
                client_secret: Secret::new("s"),
                expires_at: datetime!(2026-04-02 3:04:05 UTC),
                method: LoginMethod::DeviceCode,
            }),
        }
    }

    fn lock(files: &TokenFiles) -> Lock {
        Lock::try_take(&files.lock_path()).unwrap().unwrap()
    }

    #[test]
    fn the_files_have_the_names_that_the_aws_cli_looks_for() {
        let (_home, world) = test_world();
        let start_url = environment("https://my-sso.awsapps.com/start");
        let files = TokenFiles::of(&world, &start_url, None).unwrap();
        assert_eq!(files.token_file, "a00fce5cb007c23a469c136160398db65edcb180");
        let files = TokenFiles::of(&world, &start_url, Some(&session(Some(&[ACCOUNT_ACCESS])))).unwrap();
        assert_eq!(files.token_file, "0ad374308c5a4e22f723adf10145eafad7c4031c");
        assert_eq!(files.registration_file, "64cef7a979e6a09d90c6ca3e025f0f20c8aa20d9");
    }

    #[test]
    fn a_token_is_written_to_the_byte_as_the_aws_cli_writes_it() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://my-sso.awsapps.com/start"), None).unwrap();
        files.write_token(&lock(&files), &token()).unwrap();
        let text = std::fs::read_to_string(files.token_path()).unwrap();
        assert_eq!(
            text,
            r#"{"startUrl": "https://my-sso.awsapps.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": "2026-01-02T03:04:05Z", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2026-04-02T03:04:05Z", "refreshToken": "r"}"#
        );
        let read = files.read_token().unwrap();
        assert_eq!((read.access_token.reveal(), read.refresh_token.unwrap().reveal()), ("a", "r"));
    }

    #[test]
    fn keys_of_others_stay_and_a_refresh_token_that_is_no_more_goes() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None).unwrap();
        std::fs::create_dir_all(&files.folder).unwrap();
        std::fs::write(files.token_path(), "{\n \"AccessToken\": \"old\", \"refreshToken\": null, \"theirs\": [1, \"\u{e4}\u{1f600}\"]}\n").unwrap();
        files.write_token(&lock(&files), &Token { refresh_token: None, registration: None, ..token() }).unwrap();
        assert_eq!(
            std::fs::read_to_string(files.token_path()).unwrap(),
            r#"{"startUrl": "https://x.example.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": "2026-01-02T03:04:05Z", "theirs": [1, "\u00e4\ud83d\ude00"]}"#
        );
    }

    #[test]
    fn every_dialect_of_the_field_is_read_and_anything_else_is_no_token() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None).unwrap();
        std::fs::create_dir_all(&files.folder).unwrap();
        for (text, expected) in [
            (r#"{"accessToken":"a","expiresAt":"2026-01-02T03:04:05UTC"}"#, true),
            (r#"{"accessToken":"a","expiresAt":"2026-01-02T03:04:05.123Z","clientId":null}"#, true),
            (r#"{"ACCESSTOKEN":"a","expiresat":"2026-01-02T04:04:05+01:00"}"#, true),
            ("", false),
            ("[]", false),
            ("{", false),
            (r#"{"accessToken":"a"}"#, false),
            (r#"{"accessToken":1,"expiresAt":"2026-01-02T03:04:05Z"}"#, false),
            (r#"{"accessToken":"a","expiresAt":"soon"}"#, false),
            (r#"{"clientId":"a","clientSecret":"b","expiresAt":"2026-01-02T03:04:05Z"}"#, false),
        ] {
            std::fs::write(files.token_path(), text).unwrap();
            let token = files.read_token();
            assert_eq!(token.is_some(), expected, "{text}");
            if let Some(token) = token {
                assert_eq!(token.expires_at.truncate_to_second(), datetime!(2026-01-02 3:04:05 UTC), "{text}");
            }
        }
    }

    #[test]
    fn a_registration_for_another_flow_is_not_used() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None).unwrap();
        files.write_registration(&lock(&files), token().registration.as_ref().unwrap()).unwrap();
        let registration = files.read_registration(LoginMethod::DeviceCode).unwrap();
        assert!(registration.is_usable(datetime!(2026-04-02 2:49:05 UTC)) && !registration.is_usable(datetime!(2026-04-02 2:49:06 UTC)));
        let path = files.folder.join(format!("{}.json", files.registration_file));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, r#"{"clientId": "c", "clientSecret": "s", "expiresAt": "2026-04-02T03:04:05Z", "scopes": ["sso:account:access"]}"#);
        assert!(files.read_registration(LoginMethod::Pkce).is_none());
        files.write_registration(&lock(&files), &Registration { method: LoginMethod::Pkce, ..registration.clone() }).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text.replace("\"]}", "\"], \"grantTypes\": [\"authorization_code\", \"refresh_token\"]}"));
        assert!(files.read_registration(LoginMethod::DeviceCode).is_none() && files.read_registration(LoginMethod::Pkce).is_some());
        files.write_registration(&lock(&files), &registration).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn what_holds_a_token_prints_no_secret() {
        let token = Token { access_token: Secret::new("hunter2"), refresh_token: Some(Secret::new("hunter2")), ..token() };
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}

//! The AWS CLI's cache of SSO tokens and client registrations, `~/.aws/sso/cache`, shared with the AWS CLI and the SDKs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::environments::configured::SsoSession;
use crate::environments::environment::Environment;
use crate::environments::start_url::portal_url;
use crate::error::{Code, Error};
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::patience::{Patience, WaitLimit};
use crate::protocol::LoginMethod;
use crate::secret::{Secret, SecretBytes};
use crate::service::oidc::{AUTHORIZATION_CODE, PKCE_GRANTS, Registration};
use crate::session::token_json::{SecretObject, SecretValue, field, object_of, python_json, text_of, time_of, wipe};
use crate::sha1_hex::sha1_hex;
use crate::timestamp::rfc3339;
use crate::world::World;

/// The scope that is required for a refresh token.
pub(crate) const ACCOUNT_ACCESS: &str = "sso:account:access";

/// The key in a token's file for the refresh token that the service refused, by its SHA-1. AWS tools ignore unknown keys; once one of them logs in or
/// refreshes, the refresh token is another one, so the key no longer matches.
const REFUSED: &str = "x_refresh_token_refused";

/// How a start URL can end when copied from different places; the AWS CLI names the token's file after the text as written.
const ENDINGS: [&str; 8] = ["", "/", "#", "#/", "/#", "/#/", "#/?tab=accounts", "/#/?tab=accounts"];

/// The content of a lock beside the token files: some tools read every file there as a JSON object.
const NO_OBJECT: &[u8] = b"{}\n";

/// An access token and what is needed to refresh it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) access_token: Secret,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) registration: Option<Registration>,
    /// The file that it was read from, if that is for another spelling of the start URL.
    pub(crate) other_file: Option<String>,
    /// The mark of a refused refresh token, from the file.
    pub(crate) refused: Option<String>,
}

impl Token {
    /// The refresh token and the client that may use it, if both are usable at `now`.
    pub(crate) fn refresh_with(&self, now: OffsetDateTime) -> Option<(&Secret, &Registration)> {
        Some((self.refresh_token.as_ref()?, self.registration.as_ref().filter(|client| !client.has_ended(now))?))
    }

    /// Whether it gives a session at `now`, by itself or after a refresh.
    pub(crate) fn is_usable(&self, now: OffsetDateTime) -> bool {
        self.expires_at > now || self.refresh_with(now).is_some()
    }

    /// Identifies the refresh token without revealing it.
    pub(crate) fn refresh_mark(&self) -> Option<String> {
        self.refresh_token.as_ref().map(mark_of)
    }

    /// Identifies the access token without revealing it.
    pub(crate) fn access_mark(&self) -> String {
        mark_of(&self.access_token)
    }
}

/// Identifies a token without revealing it.
pub(crate) fn mark_of(token: &Secret) -> String {
    sha1_hex(token.reveal().as_bytes())
}

/// The lock of one session, for refreshing, logging in and writing its token.
#[derive(Debug)]
pub(crate) struct TokenLock {
    held: Lock,
    _of_old_versions: Vec<Lock>,
}

impl TokenLock {
    /// The lock itself, for a file that it protects, too.
    pub(super) fn held(&self) -> &Lock {
        &self.held
    }
}

/// The cache files of one environment.
#[derive(Debug, Clone)]
pub(crate) struct TokenFiles {
    wait_limit: WaitLimit,
    folder: PathBuf,
    lock_folder: PathBuf,
    lock_name: String,
    token_file: String,
    /// The files that the AWS CLI would use for other spellings of the same start URL.
    other_files: Vec<String>,
    registration_file: String,
    start_url: String,
    region: String,
    scopes: Vec<String>,
}

impl TokenFiles {
    /// The files that the AWS CLI would use: those of a `[sso-session]` if there is one, else those of the start URL as written.
    ///
    /// `spellings` are other environments' start URLs for the same portal.
    pub(crate) fn of(world: &World, environment: &Environment, session: Option<&SsoSession>, spellings: &[String]) -> Option<Self> {
        let sso = world.home()?.join(".aws").join("sso");
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
        let token_file = sha1_hex(session.map_or(start_url.as_str(), |session| &session.name).as_bytes());
        let portal = portal_url(&start_url);
        // Like the AWS CLI, finds a session that has a name only by that name.
        let other_files = if session.is_some() { Vec::new() } else { files_of(&portal, spellings, &token_file) };
        Some(Self {
            wait_limit: world.wait_limit.clone(),
            folder: sso.join("cache"),
            lock_folder: sso.join("locks"),
            lock_name: if session.is_some() { token_file.clone() } else { sha1_hex(portal.as_bytes()) },
            token_file,
            other_files,
            registration_file: sha1_hex(&python_json(&registration_key)),
            start_url,
            region: environment.region.clone(),
            scopes,
        })
    }

    /// Identifies the session: the name of its own token file, without the extension.
    pub(crate) fn session(&self) -> &str {
        &self.token_file
    }

    /// Identifies the session by the same name for every spelling of the start URL.
    pub(super) fn shared_name(&self) -> &str {
        &self.lock_name
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The folder of the AWS CLI's cache.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn start_url(&self) -> &str {
        &self.start_url
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    fn file(&self, name: &str) -> SafeFile {
        SafeFile::at(&self.folder.join(format!("{name}.json")), &self.wait_limit)
    }

    /// The AWS CLI's file for the start URL as written, or for the session's name.
    #[cfg(test)]
    pub(crate) fn own_path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.token_file))
    }

    /// The file of a token.
    pub(crate) fn path_of(&self, token: &Token) -> PathBuf {
        self.folder.join(format!("{}.json", token.other_file.as_ref().unwrap_or(&self.token_file)))
    }

    /// The lock for refreshing, logging in and writing. It is not in the cache folder, where some tools read every file as JSON.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.lock_folder.join(format!("{}.lock", self.lock_name))
    }

    /// The lock that earlier versions of the module created in the cache folder.
    fn old_lock_path(&self, token_file: &str) -> PathBuf {
        self.folder.join(format!("{token_file}.lock"))
    }

    /// Waits for the lock, and for the locks of earlier versions of the module if they exist. Calls `waiting` if somebody else holds one.
    ///
    /// If only the cache folder is writable, as in a container that mounts nothing else, the lock is there, as in earlier versions.
    pub(crate) async fn lock(&self, patience: &Patience, mut waiting: impl FnMut()) -> Result<TokenLock, Error> {
        let path = self.lock_path();
        let at_once = match Lock::try_take(&path) {
            Err(error) if error.code() == Code::WriteFailed => {
                let unwritable = |fault: Error| if fault.code() == Code::WriteFailed { error } else { fault };
                return self.lock_in_cache(patience, waiting).await.map_err(unwritable);
            }
            outcome => outcome?,
        };
        let held = if let Some(lock) = at_once {
            lock
        } else {
            waiting();
            Lock::take_async(&path, patience).await?
        };
        let mut old = Vec::new();
        for file in self.all_files() {
            if let Some(lock) = Lock::take_existing(&self.old_lock_path(file), patience, &mut waiting).await? {
                lock.fill(NO_OBJECT);
                old.push(lock);
            }
        }
        Ok(TokenLock { held, _of_old_versions: old })
    }

    async fn lock_in_cache(&self, patience: &Patience, mut waiting: impl FnMut()) -> Result<TokenLock, Error> {
        let path = self.old_lock_path(&self.token_file);
        let held = if let Some(lock) = Lock::try_take(&path)? {
            lock
        } else {
            waiting();
            Lock::take_async(&path, patience).await?
        };
        held.fill(NO_OBJECT);
        Ok(TokenLock { held, _of_old_versions: Vec::new() })
    }

    /// All files that may contain this session's token, in the same order for every spelling of the start URL.
    fn all_files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.other_files.iter().map(String::as_str).chain([self.token_file.as_str()]).collect();
        files.sort_unstable();
        files
    }

    /// Reads the token in the cache; a missing, empty, corrupt or unrelated file has none.
    ///
    /// # Errors
    /// Another program holds the file, so that nobody knows whether it has a token.
    pub(crate) fn read_token(&self) -> Result<Option<Token>, Error> {
        Ok(self.read(&self.token_file)?.as_ref().and_then(Self::token_of))
    }

    /// Reads the tokens stored under other spellings of the start URL, for the same region.
    ///
    /// # Errors
    /// See [`Self::read_token`].
    pub(crate) fn read_other_tokens(&self) -> Result<Vec<Token>, Error> {
        let token = |name: &String, object: &SecretObject| {
            let same_region = text_of(object, "region").is_none_or(|region| region == self.region);
            Self::token_of(object).filter(|_| same_region).map(|token| Token { other_file: Some(name.clone()), ..token })
        };
        let tokens = self.other_files.iter().map(|name| Ok(self.read(name)?.and_then(|object| token(name, &object))));
        tokens.filter_map(Result::transpose).collect()
    }

    fn token_of(object: &SecretObject) -> Option<Token> {
        let text = |name: &str| text_of(object, name);
        // Text that cannot be a token would break the request that it is sent in.
        let secret = |name: &str| text(name).and_then(Secret::plain);
        let registration = text("clientId").zip(secret("clientSecret")).map(|(client_id, client_secret)| Registration {
            client_id,
            client_secret,
            expires_at: time_of(object, "registrationExpiresAt"),
            method: method_of(object),
        });
        Some(Token {
            access_token: secret("accessToken")?,
            expires_at: time_of(object, "expiresAt")?,
            refresh_token: secret("refreshToken"),
            registration,
            other_file: None,
            refused: text(REFUSED),
        })
    }

    /// Reads the client registration in the cache, if it is for this kind of login.
    pub(crate) fn read_registration(&self, method: LoginMethod) -> Option<Registration> {
        // Without it, a new client is registered.
        let object = self.read(&self.registration_file).ok()??;
        if method_of(&object) != method {
            return None;
        }
        Some(Registration {
            method,
            client_id: text_of(&object, "clientId")?,
            client_secret: Secret::plain(text_of(&object, "clientSecret")?)?,
            expires_at: Some(time_of(&object, "expiresAt")?),
        })
    }

    /// Writes the token to the file that it came from.
    pub(crate) fn write_token(&self, lock: &TokenLock, token: &Token) -> Result<(), Error> {
        let place = [("startUrl", Some(field(&self.start_url))), ("region", Some(field(&self.region)))];
        let fields = fields_of(token).into_iter().chain([(REFUSED, None)]);
        match &token.other_file {
            // Keeps the start URL and the region as the file has them.
            Some(name) if self.read(name)?.is_some() => self.write(lock, name, &fields.collect::<Vec<_>>()),
            _ => self.write(lock, &self.token_file, &place.into_iter().chain(fields).collect::<Vec<_>>()),
        }
    }

    /// The token as one JSON object, as it would be in a file, with how its client logs in.
    pub(super) fn text_of(token: &Token) -> SecretBytes {
        let is_pkce = token.registration.as_ref().is_some_and(|client| client.method == LoginMethod::Pkce);
        let mut object = SecretObject::default();
        for (name, value) in fields_of(token).into_iter().chain([("grantTypes", is_pkce.then(|| field(PKCE_GRANTS)))]) {
            if let Some(SecretValue(value)) = &value {
                object.0.insert(name.to_owned(), value.clone());
            }
        }
        python_json(&object.0)
    }

    /// The token of such an object.
    pub(super) fn token_in(bytes: &[u8]) -> Option<Token> {
        Self::token_of(&object_of(bytes)?)
    }

    /// Records in a token's file that the service refused its refresh token, unless another program has renewed it in the meantime.
    pub(crate) fn note_refused(&self, lock: &TokenLock, refused: &Token) -> Result<(), Error> {
        let name = refused.other_file.as_ref().unwrap_or(&self.token_file);
        let mark = refused.refresh_mark();
        self.file(name)
            .replace(&lock.held, |old| {
                let object = old.and_then(object_of);
                let is_same = |object: &SecretObject| Self::token_of(object).is_some_and(|token| token.refresh_mark() == mark && token.refused != mark);
                let Some(mut object) = object.filter(is_same) else { return Ok(None) };
                object.0.insert(REFUSED.to_owned(), json!(mark));
                Ok(Some(python_json(&object.0)))
            })
            .map(drop)
    }

    /// Writes the registration to its file.
    pub(crate) fn write_registration(&self, lock: &TokenLock, registration: &Registration) -> Result<(), Error> {
        self.write(
            lock,
            &self.registration_file,
            &[
                ("clientId", Some(field(&registration.client_id))),
                ("clientSecret", Some(field(registration.client_secret.reveal()))),
                ("expiresAt", registration.expires_at.map(|end| field(rfc3339(end)))),
                ("scopes", Some(field(&self.scopes))),
                ("grantTypes", (registration.method == LoginMethod::Pkce).then(|| field(PKCE_GRANTS))),
            ],
        )
    }

    /// Removes the token's file.
    pub(crate) fn remove_token(&self, lock: &TokenLock, token: &Token) -> Result<(), Error> {
        self.file(token.other_file.as_ref().unwrap_or(&self.token_file)).remove(&lock.held)
    }

    /// Removes the client registration's file, which has a client secret.
    pub(super) fn remove_registration(&self, lock: &TokenLock) -> Result<(), Error> {
        self.file(&self.registration_file).remove(&lock.held)
    }

    /// Reads a file of the cache. One that cannot be read for good counts as missing, since a login replaces what it has.
    fn read(&self, name: &str) -> Result<Option<SecretObject>, Error> {
        match self.file(name).read() {
            Err(error) if error.code() == Code::FileLocked => Err(error),
            read => Ok(read.ok().flatten().and_then(|contents| object_of(&contents.bytes))),
        }
    }

    /// Replaces these fields of the file and puts them first; `None` removes a field. Fields of other programs are kept and follow.
    fn write(&self, lock: &TokenLock, name: &str, fields: &[(&str, Option<SecretValue>)]) -> Result<(), Error> {
        let file = self.file(name);
        file.replace(&lock.held, |old| {
            let mut object = SecretObject::default();
            let mut old = old.and_then(object_of).unwrap_or_default();
            for (name, value) in fields {
                old.0.retain(|other, value| {
                    let is_kept = !other.eq_ignore_ascii_case(name);
                    if !is_kept {
                        wipe(value);
                    }
                    is_kept
                });
                if let Some(SecretValue(value)) = value {
                    object.0.insert((*name).to_owned(), value.clone());
                }
            }
            object.0.append(&mut old.0);
            Ok(Some(python_json(&object.0)))
        })
        .map(drop)
    }
}

/// The fields of a token in a file.
fn fields_of(token: &Token) -> [(&'static str, Option<SecretValue>); 6] {
    let client = token.registration.as_ref();
    let end = client.and_then(|client| client.expires_at);
    [
        ("accessToken", Some(field(token.access_token.reveal()))),
        ("expiresAt", Some(field(rfc3339(token.expires_at)))),
        ("clientId", client.map(|client| field(&client.client_id))),
        ("clientSecret", client.map(|client| field(client.client_secret.reveal()))),
        ("registrationExpiresAt", end.map(|end| field(rfc3339(end)))),
        ("refreshToken", token.refresh_token.as_ref().map(|token| field(token.reveal()))),
    ]
}

/// How a registered client logs in.
fn method_of(object: &SecretObject) -> LoginMethod {
    let grants = object.0.get("grantTypes").and_then(Value::as_array);
    if grants.is_some_and(|types| types.iter().any(|grant| grant == AUTHORIZATION_CODE)) { LoginMethod::Pkce } else { LoginMethod::DeviceCode }
}

/// The files of a portal's token under all usual and known spellings of its start URL, except this environment's own.
fn files_of(portal: &str, spellings: &[String], own: &str) -> Vec<String> {
    let usual = ENDINGS.iter().map(|ending| format!("{portal}{ending}"));
    let mut files: Vec<String> = usual.chain(spellings.iter().cloned()).map(|start_url| sha1_hex(start_url.as_bytes())).filter(|file| file != own).collect();
    files.sort_unstable();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use time::macros::datetime;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::protocol::SyncSettings;
    use crate::world::test_world;

    fn environment(start_url: &str) -> Environment {
        Environment {
            name: "Acme".into(),
            start_url: start_url.into(),
            region: "us-east-1".into(),
            default_role_name: None,
            defaults: crate::names::profile::ProfileSettings::default(),
            sync: SyncSettings::default(),
            credentials_file: crate::protocol::CredentialsFileUse::Always,
            token_cache: None,
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
                expires_at: Some(datetime!(2026-04-02 3:04:05 UTC)),
                method: LoginMethod::DeviceCode,
            }),
            other_file: None,
            refused: None,
        }
    }

    fn own_path(files: &TokenFiles) -> PathBuf {
        files.path_of(&token())
    }

    fn patience(milliseconds: u64) -> Patience {
        Patience::new(Some(Duration::from_millis(milliseconds)), CancellationToken::new())
    }

    #[tokio::main(flavor = "current_thread")]
    async fn taken(files: &TokenFiles, milliseconds: u64) -> Result<TokenLock, Error> {
        files.lock(&patience(milliseconds), || {}).await
    }

    fn lock(files: &TokenFiles) -> TokenLock {
        taken(files, 10_000).unwrap()
    }

    #[test]
    fn the_files_have_the_names_that_the_aws_cli_uses() {
        let (_home, world) = test_world();
        let start_url = environment("https://my-sso.awsapps.com/start");
        let files = TokenFiles::of(&world, &start_url, None, &[]).unwrap();
        assert_eq!(files.token_file, "a00fce5cb007c23a469c136160398db65edcb180");
        let files = TokenFiles::of(&world, &start_url, Some(&session(Some(&[ACCOUNT_ACCESS]))), &[]).unwrap();
        assert_eq!(files.token_file, "0ad374308c5a4e22f723adf10145eafad7c4031c");
        assert_eq!(files.registration_file, "64cef7a979e6a09d90c6ca3e025f0f20c8aa20d9");
    }

    #[test]
    fn a_token_file_is_identical_to_the_aws_clis() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://my-sso.awsapps.com/start"), None, &[]).unwrap();
        files.write_token(&lock(&files), &token()).unwrap();
        let text = std::fs::read_to_string(own_path(&files)).unwrap();
        assert_eq!(
            text,
            r#"{"startUrl": "https://my-sso.awsapps.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": "2026-01-02T03:04:05Z", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2026-04-02T03:04:05Z", "refreshToken": "r"}"#
        );
        let read = files.read_token().unwrap().unwrap();
        assert_eq!((read.access_token.reveal(), read.refresh_token.unwrap().reveal()), ("a", "r"));
    }

    #[test]
    fn keys_from_other_programs_stay_and_an_old_refresh_token_is_removed() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None, &[]).unwrap();
        std::fs::create_dir_all(&files.folder).unwrap();
        std::fs::write(own_path(&files), "{\n \"AccessToken\": \"old\", \"refreshToken\": null, \"theirs\": [1, \"\u{e4}\u{1f600}\"]}\n").unwrap();
        files.write_token(&lock(&files), &Token { refresh_token: None, registration: None, ..token() }).unwrap();
        assert_eq!(
            std::fs::read_to_string(own_path(&files)).unwrap(),
            r#"{"startUrl": "https://x.example.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": "2026-01-02T03:04:05Z", "theirs": [1, "\u00e4\ud83d\ude00"]}"#
        );
    }

    #[test]
    fn every_format_of_other_tools_is_read_and_anything_else_is_not_a_token() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None, &[]).unwrap();
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
            std::fs::write(own_path(&files), text).unwrap();
            let token = files.read_token().unwrap();
            assert_eq!(token.is_some(), expected, "{text}");
            if let Some(token) = token {
                assert_eq!(token.expires_at.truncate_to_second(), datetime!(2026-01-02 3:04:05 UTC), "{text}");
            }
        }
    }

    #[test]
    fn a_registration_for_another_kind_of_login_is_not_used() {
        let (_home, world) = test_world();
        let files = TokenFiles::of(&world, &environment("https://x.example.com/start"), None, &[]).unwrap();
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

    #[cfg(windows)]
    #[test]
    fn a_token_that_another_program_holds_is_never_taken_as_absent() {
        use std::os::windows::fs::OpenOptionsExt as _;
        let (_home, mut world) = test_world();
        world.wait_limit = WaitLimit::new(Some(Duration::from_millis(100)), CancellationToken::new());
        let files = TokenFiles::of(&world, &environment("https://my-sso.awsapps.com/start"), None, &[]).unwrap();
        files.write_token(&lock(&files), &token()).unwrap();
        let held = std::fs::OpenOptions::new().read(true).share_mode(0).open(own_path(&files)).unwrap();
        assert_eq!(files.read_token().unwrap_err().code(), Code::FileLocked);
        drop(held);
        assert!(files.read_token().unwrap().is_some());
    }

    #[test]
    fn values_with_tokens_print_no_secret() {
        let token = Token { access_token: Secret::new("hunter2"), refresh_token: Some(Secret::new("hunter2")), ..token() };
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}

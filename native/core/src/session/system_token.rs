//! The session of an environment in the user's secret store, and the file beside it that says, without any secret, what is there.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::files::safe_write::SafeFile;
use crate::outlet::Outlet;
use crate::secret::SecretBytes;
use crate::secret_store::fault::Fault;
use crate::secret_store::{Prompt, SecretStore, StoreState};
use crate::session::token_cache::{Token, TokenFiles, TokenLock};
use crate::timestamp::rfc3339;
use crate::world::World;

/// The version of the record and of the value in the store.
const VERSION: u32 = 1;

/// The longest record, in bytes.
const LONGEST_RECORD: usize = 16 * 1024;

/// Where a session in the user's secret store is, and its record.
#[derive(Clone)]
pub(crate) struct SystemToken {
    /// The AWS CLI's names for the session, and its lock.
    pub(crate) names: TokenFiles,
    store: SecretStore,
    record: SafeFile,
}

/// What is known of a session in the store without looking into the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Record {
    version: u32,
    start_url: String,
    region: String,
    pub(crate) expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_expires_at: Option<String>,
    /// Whether the store has a refresh token with a client that may use it.
    pub(crate) is_refreshable: bool,
    /// The mark of the access token, which tells one token from the next.
    pub(crate) token: String,
    /// The mark of the refresh token that the service refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
}

impl Record {
    fn of(names: &TokenFiles, token: &Token) -> Self {
        let client = token.registration.as_ref();
        Self {
            version: VERSION,
            start_url: names.start_url().to_owned(),
            region: names.region().to_owned(),
            expires_at: rfc3339(token.expires_at),
            registration_expires_at: client.and_then(|client| client.expires_at).map(rfc3339),
            is_refreshable: token.refresh_token.is_some() && client.is_some(),
            token: token.access_mark(),
            refused: token.refused.clone(),
        }
    }

    /// When the access token expires.
    pub(crate) fn end(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.expires_at, &Rfc3339).ok()
    }

    /// Whether the session can be renewed at `now` without a login.
    pub(crate) fn is_refreshable_at(&self, now: OffsetDateTime) -> bool {
        let client_end = self.registration_expires_at.as_ref().map(|end| OffsetDateTime::parse(end, &Rfc3339));
        self.is_refreshable && self.refused.is_none() && client_end.is_none_or(|end| end.is_ok_and(|end| end > now))
    }
}

/// What the store has for a session.
pub(crate) enum Stored {
    /// The token that the record is about.
    Token(Token),
    /// No token, or none that can be read.
    Nothing,
}

impl SystemToken {
    /// The place of the session with these names.
    pub(crate) fn of(world: &World, names: TokenFiles) -> Option<Self> {
        let path = record_path(world, &names)?;
        Some(Self { record: SafeFile::at(&path, &world.wait_limit), store: SecretStore::of(world), names })
    }

    /// Whether the session of these names is recorded as one in the store.
    pub(crate) fn is_recorded(world: &World, names: &TokenFiles) -> bool {
        record_path(world, names).is_some_and(|path| path.is_file())
    }

    /// What sentences call the store.
    pub(crate) fn store_name(&self) -> &'static str {
        self.store.name()
    }

    /// The record; `None` if no session was stored.
    ///
    /// # Errors
    /// It cannot be read, or a newer version of this module has written it.
    pub(crate) fn record(&self) -> Result<Option<Record>, Error> {
        let Some(contents) = self.record.read()? else { return Ok(None) };
        let record = (contents.bytes.len() <= LONGEST_RECORD).then(|| serde_json::from_slice::<Record>(&contents.bytes).ok()).flatten();
        // One that is broken is no session: the next login replaces it.
        let Some(record) = record.filter(|record| record.version > 0 && !record.token.is_empty()) else { return Ok(None) };
        if record.version > VERSION {
            let what = format!("A newer version of this module has stored the session in {}.", self.store.name());
            return Err(Error::new(Code::SecretStoreFailed, what)
                .with_target(self.record.path().display().to_string())
                .with_action("Update the module, or run Disconnect-SsoSession with the newer version."));
        }
        Ok(Some(record))
    }

    /// Makes sure that a session can be stored, before anybody logs in; unlocks the store if the user may be asked.
    pub(crate) async fn open(&self, prompt: Prompt) -> Result<(), Error> {
        match (self.store.state().await?, prompt) {
            (StoreState::Unlocked, _) => Ok(()),
            (StoreState::Locked, Prompt::Never) => Err(Fault::Locked.into()),
            (StoreState::Locked, Prompt::Allowed) => match self.store.read(self.names.shared_name(), prompt).await {
                // What cannot be read was set aside, so another value can be stored.
                Ok(_) | Err(Fault::Unreadable) => Ok(()),
                Err(fault) => Err(fault.into()),
            },
        }
    }

    /// Reads the token. One that cannot be read is set aside and reported once, and then counts as missing.
    pub(crate) async fn read(&self, record: &Record, prompt: Prompt, outlet: &Outlet) -> Result<Stored, Error> {
        match self.store.read(self.names.shared_name(), prompt).await {
            Ok(None) => Ok(Stored::Nothing),
            Ok(Some(value)) => {
                if let Some(token) = token_of(&value) {
                    return Ok(Stored::Token(Token { refused: record.refused.clone(), ..token }));
                }
                self.store.set_aside(self.names.shared_name()).await?;
                outlet.warn(Error::from(Fault::Unreadable).to_string());
                Ok(Stored::Nothing)
            }
            Err(fault @ Fault::Unreadable) => {
                outlet.warn(Error::from(fault).to_string());
                Ok(Stored::Nothing)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Stores the token, and then its record.
    pub(crate) async fn write(&self, lock: &TokenLock, environment: &str, token: &Token, prompt: Prompt) -> Result<(), Error> {
        let text = TokenFiles::text_of(token);
        let mut value = Zeroizing::new(String::with_capacity(text.len() * 4 / 3 + 4));
        BASE64_STANDARD.encode_string(text.as_slice(), &mut value);
        self.store.write(self.names.shared_name(), &format!("IAM Identity Center session of {environment}"), &value, prompt).await?;
        self.write_record(lock, &Record::of(&self.names, token))
    }

    /// Records that the service refused the refresh token of this token.
    pub(crate) fn note_refused(&self, lock: &TokenLock, refused: &Token) -> Result<(), Error> {
        match self.record()? {
            Some(record) if record.token == refused.access_mark() => self.write_record(lock, &Record { refused: refused.refresh_mark(), ..record }),
            _ => Ok(()),
        }
    }

    fn write_record(&self, lock: &TokenLock, record: &Record) -> Result<(), Error> {
        let bytes = serde_json::to_vec(record).map_err(|_| Error::new(Code::InternalError, "The record of a session could not be made."))?;
        self.record.replace(lock.held(), |_| Ok(Some(SecretBytes::from(bytes.as_slice())))).map(drop)
    }

    /// Removes what the store may have of a session whose record is lost.
    pub(crate) async fn remove_unrecorded(&self) -> Result<bool, Fault> {
        self.store.remove(self.names.shared_name(), Prompt::Never).await
    }

    /// Removes the token and its record.
    pub(crate) async fn remove(&self, lock: &TokenLock, prompt: Prompt) -> Result<(), Error> {
        self.store.remove(self.names.shared_name(), prompt).await?;
        self.record.remove(lock.held())
    }
}

fn record_path(world: &World, names: &TokenFiles) -> Option<PathBuf> {
    Some(world.home()?.join(".aws").join("sso").join("stored").join(format!("{}.json", names.shared_name())))
}

/// The token of a value in the store.
fn token_of(value: &str) -> Option<Token> {
    let bytes = SecretBytes::from(BASE64_STANDARD.decode(value).ok()?);
    TokenFiles::token_in(&bytes)
}

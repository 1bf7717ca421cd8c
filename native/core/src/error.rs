//! What can go wrong, with a code for each kind of error.

use serde::Serialize;

use crate::text::without_controls;

/// The codes; each is the same word in Rust, in JSON and in PowerShell's `FullyQualifiedErrorId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Code {
    /// No environment has this name.
    EnvironmentNotFound,
    /// The settings of an environment cannot be used.
    EnvironmentInvalid,
    /// No AWS tool can read the credentials file.
    CredentialsFileInvalid,
    /// The AWS config file cannot be read.
    ConfigFileInvalid,
    /// The user declined the login.
    LoginDeclined,
    /// The user did not approve the login in time.
    LoginTimedOut,
    /// A login is needed but not allowed.
    LoginRequired,
    /// The service refused the login for another reason.
    LoginFailed,
    /// The service does not know the start URL in this region.
    StartUrlRejected,
    /// The user does not have this role in this account (403).
    RoleNotAssigned,
    /// The service does not know the account or the role (404).
    AccountNotFound,
    /// The service throttled the requests until time was up.
    Throttled,
    /// The service failed, or its response could not be understood.
    ServiceError,
    /// The service could not be reached, or did not respond in time.
    NetworkError,
    /// The path in a variable cannot be used.
    PathInvalid,
    /// A file could not be read.
    ReadFailed,
    /// A file could not be written.
    WriteFailed,
    /// Another process held a lock until time was up.
    FileLocked,
    /// A command would write credentials of an environment to the credentials file, which gets none.
    CredentialsFileUnused,
    /// There is no secret store for this user here.
    SecretStoreUnavailable,
    /// The secret store is locked, and the user did not unlock it.
    SecretStoreLocked,
    /// The secret store did not do what it was asked for.
    SecretStoreFailed,
    /// No profile has this name.
    ProfileNotFound,
    /// Two rows have the same profile name.
    ProfileNameConflict,
    /// The profile's section in the credentials file has keys that this module did not write.
    ProfileHasOtherKeys,
    /// A fault of this module.
    InternalError,
}

/// One error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: Code,
    message: String,
    action: Option<String>,
    target: Option<String>,
    request_id: Option<String>,
}

impl Error {
    /// Creates an error with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: without_controls(&message.into()), action: None, target: None, request_id: None }
    }

    /// Adds a context before the message, which becomes the reason.
    #[must_use]
    pub fn behind(mut self, what: impl std::fmt::Display) -> Self {
        self.message = without_controls(&format!("{what}: {}", self.message));
        self
    }

    /// Sets the sentence that says what to do next.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(without_controls(&action.into()));
        self
    }

    /// Adds a sentence to what to do next.
    #[must_use]
    pub fn and_action(mut self, action: impl std::fmt::Display) -> Self {
        self.action = Some(without_controls(&self.action.map_or_else(|| action.to_string(), |before| format!("{before} {action}"))));
        self
    }

    /// Sets what the error happened to.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(without_controls(&target.into()));
        self
    }

    /// Sets the service's request ID.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id.map(|id| without_controls(&id));
        self
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns what to do next, as a sentence.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Returns what the error happened to.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Returns the service's request ID.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_service_cannot_control_the_terminal() {
        let error = Error::new(Code::ServiceError, "no\u{1b}[2Jway\r\n\u{9b}31m\u{7}").with_target("a\u{0}b").with_action("x\u{8}y");
        assert_eq!((error.to_string().as_str(), error.target(), error.action()), ("no[2Jway31m", Some("ab"), Some("xy")));
    }

    #[test]
    fn direction_marks_and_invisible_characters_are_removed() {
        let ranges = [
            '\u{0}'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{61c}'..='\u{61c}',
            '\u{180e}'..='\u{180e}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{2064}',
            '\u{2066}'..='\u{206f}',
            '\u{feff}'..='\u{feff}',
            '\u{e0000}'..='\u{e01ef}',
        ];
        for c in ranges.into_iter().flatten() {
            assert_eq!(without_controls(&format!("Ac{c}me{c}")), "Acme", "U+{:04X}", u32::from(c));
            assert_eq!(
                Error::new(Code::ServiceError, format!("{c}no")).behind(c).with_request_id(Some(c.to_string())).to_string(),
                ": no",
                "U+{:04X}",
                u32::from(c)
            );
        }
        for seen in ["Zürich – 東京 🏢", "عربي", "नमस्ते", "a b\u{a0}c", "e\u{301}"] {
            assert_eq!(without_controls(seen), seen);
        }
    }
}

//! What can go wrong with the secret store, and what the user reads then.

use crate::error::{Code, Error};

/// What a sentence calls the store of this system.
pub(super) const NAME: &str = if cfg!(windows) {
    "Windows data protection"
} else if cfg!(target_os = "macos") {
    "the login keychain"
} else {
    "the Secret Service"
};

/// What a fault's advice says for users who cannot get a store.
const WITHOUT: &str = "use -TokenCache Memory";

/// What went wrong with the secret store.
#[derive(Debug, Clone)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "not every system has all of these faults"))]
pub(crate) enum Fault {
    /// No D-Bus session bus is running, or it cannot be reached.
    NoBus,
    /// The D-Bus session bus belongs to another user.
    Refused,
    /// No program provides the store.
    NoProvider,
    /// The store has no default collection.
    NoCollection,
    /// The store is locked, and nobody may be asked to unlock it.
    Locked,
    /// The user closed the prompt, or it could not be shown.
    Dismissed,
    /// The store did not answer within so many seconds.
    TimedOut { seconds: u64 },
    /// The user did not answer the prompt within so many seconds.
    Unanswered { seconds: u64 },
    /// What the store has cannot be read. It was set aside.
    Unreadable,
    /// The store returned another value than the one that was written.
    NotKept,
    /// The store ended, or the connection to it.
    Lost,
    /// A step failed, with the name of the error in the store's terms.
    Failed { step: &'static str, error: Option<String> },
    /// A file of the store could not be read or written.
    #[cfg_attr(not(windows), allow(dead_code, reason = "only there, the store is in files of this module"))]
    File(Box<Error>),
}

impl Fault {
    /// What a status of the keychain of macOS means.
    #[cfg(any(target_os = "macos", test))]
    pub(super) fn of_keychain(step: &'static str, status: i32) -> Self {
        match status {
            // errSecInteractionNotAllowed.
            -25308 => Self::Locked,
            // errSecUserCanceled and errSecAuthFailed.
            -128 | -25293 => Self::Dismissed,
            // errSecMissingEntitlement, errSecNotAvailable, errSecNoSuchKeychain and errSecNoDefaultKeychain.
            -34018 | -25291 | -25294 | -25307 => Self::NoCollection,
            status => Self::Failed { step, error: Some(format!("OSStatus {status}")) },
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::NoBus | Self::Refused | Self::NoProvider | Self::NoCollection => Code::SecretStoreUnavailable,
            Self::Locked | Self::Dismissed | Self::Unanswered { .. } => Code::SecretStoreLocked,
            Self::TimedOut { .. } | Self::Unreadable | Self::NotKept | Self::Lost | Self::Failed { .. } => Code::SecretStoreFailed,
            Self::File(error) => error.code(),
        }
    }

    fn message(&self) -> String {
        let store = capitalized(NAME);
        match self {
            Self::NoBus => "There is no secret store here: no D-Bus session bus is running.".to_owned(),
            Self::Refused => "There is no secret store here: the D-Bus session bus belongs to another user.".to_owned(),
            Self::NoProvider => format!("There is no secret store here: no program provides {NAME}."),
            Self::NoCollection if cfg!(target_os = "linux") => format!("{store} has no default keyring."),
            Self::NoCollection => format!("{store} is not available to this process."),
            Self::Locked => format!("{store} is locked."),
            Self::Dismissed => format!("The prompt of {NAME} was closed, or could not be shown."),
            Self::TimedOut { seconds } => format!("{store} did not answer within {seconds} s."),
            Self::Unanswered { seconds } => format!("The prompt of {NAME} was not answered within {seconds} s."),
            Self::Unreadable => format!("The session that {NAME} has stored cannot be read. It was set aside."),
            Self::NotKept => format!("{store} did not keep the session: it returned another value than the one that was stored."),
            Self::Lost => format!("{store} ended before it answered."),
            Self::Failed { step, error: Some(error) } => format!("{store} failed: {step} ({error})."),
            Self::Failed { step, error: None } => format!("{store} failed: {step}."),
            Self::File(error) => error.to_string(),
        }
    }

    fn action(&self) -> String {
        match self {
            Self::Refused => format!("Run PowerShell as the user of the desktop session, without sudo, or {WITHOUT}."),
            Self::NoProvider => format!("Install and start GNOME Keyring, KWallet, or KeePassXC, or {WITHOUT}."),
            Self::NoCollection if cfg!(target_os = "linux") => format!("Create a default keyring, for example in Passwords and Keys, or {WITHOUT}."),
            Self::NoBus | Self::NoCollection => format!("Run PowerShell in a desktop session, or {WITHOUT}."),
            Self::Locked => "Unlock it, or run Connect-SsoSession where you can answer its prompt.".to_owned(),
            Self::Dismissed | Self::Unanswered { .. } => format!("Run the command again and answer the prompt, or {WITHOUT}."),
            Self::TimedOut { .. } | Self::Lost => format!("Check that it is running, then run the command again, or {WITHOUT}."),
            Self::Unreadable => "Run Connect-SsoSession to log in again.".to_owned(),
            Self::NotKept | Self::Failed { .. } => format!("Run the command again, or {WITHOUT}."),
            Self::File(error) => error.action().unwrap_or_default().to_owned(),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::File(error) => *error,
            fault => Self::new(fault.code(), fault.message()).with_target(NAME).with_action(fault.action()),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_fault_is_a_sentence_with_what_to_do_and_a_code_of_the_store() {
        let faults = [
            Fault::NoBus,
            Fault::Refused,
            Fault::NoProvider,
            Fault::NoCollection,
            Fault::Locked,
            Fault::Dismissed,
            Fault::TimedOut { seconds: 3 },
            Fault::Unanswered { seconds: 60 },
            Fault::Unreadable,
            Fault::NotKept,
            Fault::Lost,
            Fault::Failed { step: "CreateItem", error: Some("org.freedesktop.DBus.Error.Failed".to_owned()) },
            Fault::Failed { step: "CreateItem", error: None },
        ];
        for fault in faults {
            let error = Error::from(fault.clone());
            let sentences = [error.to_string(), error.action().unwrap().to_owned()];
            assert!(sentences.iter().all(|text| text.ends_with('.') && text.starts_with(char::is_uppercase)), "{sentences:?}");
            assert!(format!("{:?}", error.code()).starts_with("SecretStore"), "{fault:?}");
        }
    }

    #[test]
    fn what_macos_reports_over_ssh_or_without_an_entitlement_is_told_from_a_failure() {
        let code = |status| Fault::of_keychain("SecItemAdd", status).code();
        assert_eq!([-25308, -128, -25293].map(code), [Code::SecretStoreLocked; 3]);
        assert_eq!([-34018, -25307].map(code), [Code::SecretStoreUnavailable; 2]);
        let error = Error::from(Fault::of_keychain("SecItemAdd", -50));
        assert!(error.to_string().ends_with("failed: SecItemAdd (OSStatus -50)."), "{error}");
    }

    #[test]
    fn a_fault_of_a_file_is_the_error_of_that_file() {
        let error = Error::from(Fault::File(Box::new(Error::new(Code::WriteFailed, "full").with_action("Free some space."))));
        assert_eq!((error.code(), error.to_string().as_str(), error.action()), (Code::WriteFailed, "full", Some("Free some space.")));
    }
}

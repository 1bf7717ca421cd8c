//! Why a request got no response, in words from a fixed list: the SDK's own error texts can contain the whole request with its tokens.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use rustls::CertificateError;

use crate::service::connections::{CutOff, TooLarge};
use crate::text::shortened;

/// The most links of a chain of causes that are followed.
const DEEPEST: usize = 32;

/// The most names of a certificate that are shown.
const MOST_NAMES: usize = 3;
const LONGEST_NAME: usize = 100;

/// What went wrong with a connection, and whether it was the one to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Whether the proxy could not be reached, as opposed to the host itself.
    pub(crate) at_proxy: bool,
    pub(crate) fault: Fault,
}

/// A kind of fault; each text is part of a sentence and comes from the lists in this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The name has no address.
    Unresolved,
    /// The certificate was rejected, and why.
    Certificate(String),
    /// The proxy did not connect to the host, and why.
    Tunnel(&'static str),
    Other(String),
}

impl Cause {
    /// The cause of a failure if it is of a known kind, otherwise only the kind of the failure.
    pub(crate) fn of<E: StdError + 'static>(failure: &SdkError<E, HttpResponse>) -> Self {
        let mut found = Found::default();
        chain(failure).for_each(|cause| found.look_at(cause));
        found.into_cause(match failure {
            SdkError::ConstructionFailure(_) => "the request could not be built",
            SdkError::TimeoutError(_) => "there was no response in time",
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "there was no response in time",
            SdkError::DispatchFailure(failure) if failure.is_user() => "the request could not be sent",
            SdkError::DispatchFailure(failure) if failure.is_io() => "the connection failed",
            SdkError::DispatchFailure(_) => "the request could not be built or sent",
            SdkError::ResponseError(_) => "the response could not be read",
            _ => "the request failed for an unknown reason",
        })
    }
}

/// Whether a failure is due to a response larger than any that the service sends.
pub(crate) fn is_too_large<E: StdError + 'static>(failure: &SdkError<E, HttpResponse>) -> bool {
    chain(failure).any(<dyn StdError>::is::<TooLarge>)
}

/// The causes of a failure; the failure itself adds nothing to its variant.
fn chain<E: StdError + 'static>(failure: &SdkError<E, HttpResponse>) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(failure.source(), |&cause| match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        // The source of an I/O error is the source of its inner error, so the inner error itself would be skipped.
        Some(inner) => Some(inner),
        None => cause.source(),
    })
    .take(DEEPEST)
}

/// What is known about a chain of causes.
#[derive(Debug, Default)]
struct Found {
    at_proxy: bool,
    fault: Option<Fault>,
    /// What happened to the HTTP connection.
    http: Option<&'static str>,
    /// The system's text for its error code.
    io: Option<String>,
    /// The kind of an I/O error that has no system error code.
    io_kind: Option<io::ErrorKind>,
}

impl Found {
    fn look_at(&mut self, cause: &(dyn StdError + 'static)) {
        if let Some(fault) = cause.downcast_ref::<io::Error>() {
            match fault.raw_os_error() {
                // The system's text for the code, and nothing that a library added to the error.
                Some(code) => self.io = Some(io::Error::from_raw_os_error(code).to_string()),
                None => self.io_kind = Some(fault.kind()),
            }
        } else if let Some(fault) = cause.downcast_ref::<rustls::Error>() {
            self.fault.get_or_insert(match fault {
                rustls::Error::InvalidCertificate(why) => Fault::Certificate(certificate_words(why)),
                other => Fault::Other(tls_words(other).to_owned()),
            });
        } else if let Some(fault) = cause.downcast_ref::<hyper::Error>() {
            self.http = Some(http_words(fault));
        } else if cause.is::<CutOff>() {
            self.http = Some("the connection was closed in the middle of a response");
        } else if cause.is::<ResolveDnsError>() || says(cause, "dns error") {
            self.fault = Some(Fault::Unresolved);
        } else if says(cause, "tunnel error: failed to create underlying connection") {
            self.at_proxy = true;
        } else if let Some((_, words)) = TUNNEL_FAULTS.iter().find(|(text, _)| says(cause, text)) {
            self.fault = Some(Fault::Tunnel(words));
        }
    }

    /// Returns the cause; `failure` is the text for a cause that is not known.
    fn into_cause(self, failure: &str) -> Cause {
        let io = || self.io.clone().or_else(|| self.io_kind.filter(|kind| *kind != io::ErrorKind::Other).map(|kind| kind.to_string()));
        let fault = self.fault.clone().unwrap_or_else(|| {
            let words: Vec<String> = [self.http.map(str::to_owned), io()].into_iter().flatten().collect();
            Fault::Other(if words.is_empty() { failure.to_owned() } else { words.join(": ") })
        });
        Cause { at_proxy: self.at_proxy, fault }
    }
}

/// What `hyper_util` reports about a proxy that does not connect; its error type is not public. It distinguishes only status 407.
const TUNNEL_FAULTS: [(&str, &str); 6] = [
    ("tunnel error: proxy authorization required", "the proxy requires a user name and password, or different ones (407)"),
    ("tunnel error: unsuccessful", "the proxy refused to connect to it"),
    ("tunnel error: proxy response headers too long", "the response of the proxy is too long"),
    ("tunnel error: unexpected end of file", "the proxy closed the connection"),
    ("tunnel error: io error establishing tunnel", "the connection to the proxy failed"),
    ("tunnel error: missing destination host", "the request to the proxy has no host"),
];

/// Whether an error prints as exactly this text. Other output is never kept, because it may contain secrets.
fn says(error: &(dyn StdError + 'static), text: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl std::fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> std::fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(std::fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{error}").is_ok() && rest.0.is_empty()
}

fn http_words(fault: &hyper::Error) -> &'static str {
    if fault.is_timeout() {
        "there was no response in time"
    } else if fault.is_parse() {
        "the response is not HTTP"
    } else if fault.is_incomplete_message() {
        "the connection was closed before the response was complete"
    } else if fault.is_closed() || fault.is_canceled() || fault.is_body_write_aborted() {
        "the connection was closed"
    } else if fault.is_user() {
        "the request could not be sent"
    } else {
        "the HTTP connection failed"
    }
}

/// Why a certificate was rejected, as the rest of a sentence about it; the name in parentheses is the one that other tools show.
fn certificate_words(why: &CertificateError) -> String {
    let words = match why {
        CertificateError::UnknownIssuer => "it is from an issuer that is not trusted (UnknownIssuer)",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired (Expired)",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet (NotValidYet)",
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            return format!("it is for {} only (NotValidForName)", names_of(presented));
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another host (NotValidForName)",
        CertificateError::Revoked => "it was revoked (Revoked)",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "it is not for a server (InvalidPurpose)",
        CertificateError::BadSignature => "its signature is not valid (BadSignature)",
        CertificateError::BadEncoding => "it cannot be read (BadEncoding)",
        CertificateError::UnhandledCriticalExtension => "it has an extension that is not supported (UnhandledCriticalExtension)",
        CertificateError::UnknownRevocationStatus | CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "it is not known whether it was revoked (UnknownRevocationStatus)"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature algorithm is not supported (UnsupportedSignatureAlgorithm)"
        }
        // Windows and macOS have reasons of their own.
        CertificateError::Other(_) => "the system does not accept it",
        CertificateError::ApplicationVerificationFailure => "the system does not accept it (ApplicationVerificationFailure)",
        _ => "the TLS library rejected it",
    };
    words.to_owned()
}

/// The names in a certificate, each of which prints like `DnsName("example.com")`.
fn names_of(presented: &[String]) -> String {
    let name = |text: &String| shortened(text.split('"').nth(1).unwrap_or(text), LONGEST_NAME);
    let more = if presented.len() > MOST_NAMES { " and more" } else { "" };
    format!("{}{more}", presented.iter().take(MOST_NAMES).map(name).collect::<Vec<_>>().join(", "))
}

/// What failed in TLS apart from the certificate.
fn tls_words(fault: &rustls::Error) -> &'static str {
    match fault {
        rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. } | rustls::Error::InappropriateHandshakeMessage { .. } => {
            "the response is not TLS (InvalidMessage)"
        }
        rustls::Error::AlertReceived(_) => "the host ended the TLS handshake with an alert (AlertReceived)",
        rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => {
            "the host supports none of the TLS versions and ciphers (PeerIncompatible)"
        }
        rustls::Error::PeerMisbehaved(_) | rustls::Error::PeerSentOversizedRecord => "the host does not follow the TLS protocol (PeerMisbehaved)",
        rustls::Error::NoCertificatesPresented => "the host sent no certificate (NoCertificatesPresented)",
        rustls::Error::DecryptError => "the TLS data could not be decrypted (DecryptError)",
        rustls::Error::FailedToGetCurrentTime => "the time of this computer could not be read (FailedToGetCurrentTime)",
        rustls::Error::FailedToGetRandomBytes => "the system returned no random numbers (FailedToGetRandomBytes)",
        _ => "TLS failed",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    const TOKEN: &str = "aoaAAAAsecret";

    /// An error that prints its request, like the SDK's error for an endpoint that cannot be applied.
    #[derive(Debug, thiserror::Error)]
    #[error("failed to apply endpoint to request `{0}`")]
    struct PrintsAll(&'static str, #[source] Option<Box<dyn StdError + Send + Sync>>);

    fn prints_all() -> Box<dyn StdError + Send + Sync> {
        PrintsAll(TOKEN, Some(io::Error::other(PrintsAll(TOKEN, Some(TOKEN.into()))).into())).into()
    }

    fn answer() -> HttpResponse {
        HttpResponse::new(200.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(TOKEN))
    }

    type Failure = SdkError<GetRoleCredentialsError, HttpResponse>;

    #[test]
    fn no_failure_of_the_sdk_shows_text_of_its_request() {
        let failures: [Failure; 8] = [
            SdkError::construction_failure(prints_all()),
            SdkError::timeout_error(prints_all()),
            SdkError::dispatch_failure(ConnectorError::io(prints_all())),
            SdkError::dispatch_failure(ConnectorError::user(prints_all())),
            SdkError::dispatch_failure(ConnectorError::timeout(prints_all())),
            SdkError::dispatch_failure(ConnectorError::other(prints_all(), None)),
            SdkError::response_error(prints_all(), answer()),
            SdkError::service_error(GetRoleCredentialsError::unhandled(prints_all()), answer()),
        ];
        for failure in failures {
            let cause = format!("{:?}", Cause::of(&failure));
            assert!(format!("{failure:?}").contains(TOKEN) && !cause.contains(TOKEN), "{cause}");
        }
    }

    fn words(fault: impl Into<Box<dyn StdError + Send + Sync>>) -> String {
        let failure: Failure = SdkError::dispatch_failure(ConnectorError::io(fault.into()));
        match Cause::of(&failure).fault {
            Fault::Other(words) => words,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_the_systems_code_and_text_of_a_fault_are_shown() {
        assert!(words(io::Error::from_raw_os_error(13)).ends_with("(os error 13)"));
        assert_eq!(words(io::Error::new(io::ErrorKind::UnexpectedEof, TOKEN)), "unexpected end of file");
        assert_eq!(words(io::Error::other(TOKEN)), "the connection failed");
        assert_eq!(words(io::Error::other(io::Error::new(io::ErrorKind::ConnectionReset, PrintsAll(TOKEN, None)))), "connection reset");
        assert_eq!(words(TOKEN), "the connection failed");
    }

    #[test]
    fn the_reason_for_rejecting_a_certificate_is_found_anywhere_in_the_chain() {
        let refused = |why| words(io::Error::other(io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why))));
        for (why, name) in [
            (CertificateError::UnknownIssuer, "(UnknownIssuer)"),
            (CertificateError::Expired, "(Expired)"),
            (CertificateError::NotValidYet, "(NotValidYet)"),
            (CertificateError::NotValidForName, "(NotValidForName)"),
            (CertificateError::Revoked, "(Revoked)"),
            (CertificateError::BadSignature, "(BadSignature)"),
        ] {
            let words = refused(why);
            assert!(words.starts_with("Certificate(") && words.contains(name), "{words}");
        }
        assert_eq!(words(rustls::Error::General(TOKEN.to_owned())), "TLS failed");
    }

    #[test]
    fn the_shown_names_of_a_certificate_are_few_short_and_harmless() {
        let names = ["a.example.com", "\u{1b}[2Jb\u{202e}", &"x".repeat(5000), "d"].map(|name| format!("DnsName(\"{name}\")"));
        let shown = names_of(&names);
        assert!(shown.starts_with("a.example.com, [2Jb, xxx") && shown.ends_with("… and more") && shown.len() < 200, "{shown}");
    }
}

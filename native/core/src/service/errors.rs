//! The errors for what the services refuse, in words for users.

use crate::error::{Code, Error};
use crate::service::causes::{Cause, Fault};
use crate::service::client::Service;
use crate::service::proxy::Proxy;
use crate::service::refusal::{Refusal, nameless};
use crate::service::settings::{host_of, shown_endpoint};
use crate::text::capitalized;

impl Service {
    /// The error for a refusal by the access portal that the operation does not handle itself.
    pub(crate) fn portal_error(&self, refusal: &Refusal) -> Error {
        self.error(refusal, &self.portal_host())
    }

    /// The error for a refusal by SSO-OIDC that the operation does not handle itself.
    pub(crate) fn oidc_error(&self, refusal: &Refusal) -> Error {
        self.error(refusal, &self.oidc_host())
    }

    fn oidc_host(&self) -> String {
        let host = || self.oidc_host.get().cloned().unwrap_or_else(|| format!("SSO-OIDC in {}", self.settings.endpoints.region));
        shown_endpoint(self.settings.endpoints.oidc_url.as_deref()).unwrap_or_else(host)
    }

    fn portal_host(&self) -> String {
        let host = || self.portal_host.get().cloned().unwrap_or_else(|| format!("the access portal in {}", self.settings.endpoints.region));
        shown_endpoint(self.settings.endpoints.portal_url.as_deref()).unwrap_or_else(host)
    }

    fn error(&self, refusal: &Refusal, host: &str) -> Error {
        match refusal {
            Refusal::TimedOut { status: Some(429), .. } => Error::new(Code::Throttled, "The service throttled the requests until the time limit.")
                .with_action("Run the command again in a minute, with a smaller -ThrottleLimit or a longer -Timeout."),
            Refusal::Answered { status: 429, .. } => {
                Error::new(Code::Throttled, "The service throttled the request.").with_action("Run the command again in a minute.")
            }
            Refusal::TimedOut { status: Some(status), .. } => {
                Error::new(Code::ServiceError, format!("{} returned status {status} until the time limit.", capital(host)))
                    .with_action("Run the command again. If the error persists, contact your administrator.")
            }
            Refusal::TimedOut { status: None, .. } => {
                Error::new(Code::NetworkError, format!("{} did not respond in time. {}", capital(host), self.settings.in_words()))
                    .with_action("Check the network, or specify a longer -Timeout.")
            }
            Refusal::Unreachable(cause) => self.unreachable(host, cause),
            Refusal::Answered { error, status, .. } if *error == nameless(*status) => Error::new(
                Code::ServiceError,
                format!("{} returned status {status} with no error that the service defines. {}", capital(host), self.settings.in_words()),
            )
            .with_action("Run the command again. A proxy may have returned this response."),
            Refusal::Answered { error, status, message, .. } => {
                let said = if message.is_empty() { error.clone() } else { format!("{error}: {message}") };
                Error::new(Code::ServiceError, format!("{} returned status {status} ({said}).", capital(host)))
                    .with_action("Run the command again. If the error persists, contact your administrator.")
            }
            Refusal::Garbled { message, .. } => {
                Error::new(Code::ServiceError, format!("{} returned a response that cannot be understood: {message}.", capital(host)))
                    .with_action("Run the command again. A proxy may have changed the response.")
            }
            Refusal::Unusable { message, .. } => {
                Error::new(Code::ServiceError, format!("{} returned a response that cannot be used: {message}.", capital(host)))
                    .with_action("Check that this is the address of IAM Identity Center. If it is, contact your administrator.")
            }
        }
        .with_request_id(refusal.request_id())
    }

    /// The error for a host that could not be reached.
    fn unreachable(&self, host: &str, cause: &Cause) -> Error {
        let settings = self.settings.in_words();
        let proxy = self.settings.proxy.proxy.as_ref();
        // Leaves out the proxy's address if it cannot be shown.
        let at_proxy = proxy.filter(|_| cause.at_proxy).map(|proxy| (proxy, proxy.place().unwrap_or_default()));
        let message = match (&cause.fault, &at_proxy) {
            (Fault::Unresolved, None) => format!("The name {} could not be resolved. {settings}", host_of(host)),
            (Fault::Unresolved, Some((proxy, place))) => {
                format!("The name {} of the proxy in {} could not be resolved. {settings}", host_of(place), proxy.source)
            }
            (Fault::Certificate(why), _) => format!("{} could not be reached: its certificate was rejected because {why}. {settings}", capital(host)),
            (Fault::Tunnel(why), _) => format!("{} could not be reached: {why}. {settings}", capital(host)),
            (Fault::Other(why), Some((proxy, _))) => format!("{} could not be reached: {why}, at the proxy {}. {settings}", capital(host), proxy.in_words()),
            (Fault::Other(why), None) => format!("{} could not be reached: {why}. {settings}", capital(host)),
        };
        let action = match (&cause.fault, proxy) {
            (Fault::Certificate(_), _) => {
                "If your company inspects TLS traffic, set AWS_CA_BUNDLE to the PEM file of its CA. Otherwise, check the clock of this computer and the network.".to_owned()
            }
            (Fault::Tunnel(_), Some(Proxy { source, .. })) => {
                format!("Check the proxy's address, user name and password in {source}, or bypass it with NO_PROXY.")
            }
            (_, Some(Proxy { source, .. })) => format!("Check the network, the region, and the proxy and CA settings ({source}, NO_PROXY, AWS_CA_BUNDLE)."),
            (_, None) => "Check the network, the region, and the proxy and CA settings (HTTPS_PROXY, NO_PROXY, AWS_CA_BUNDLE).".to_owned(),
        };
        Error::new(Code::NetworkError, message).with_action(action)
    }
}

fn capital(text: &str) -> String {
    // A URL or host name keeps its case.
    if text.contains('.') || text.starts_with("http") { text.to_owned() } else { capitalized(text) }
}

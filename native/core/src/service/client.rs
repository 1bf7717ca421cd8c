//! The two services of IAM Identity Center, SSO-OIDC and the access portal, as one client per setting of endpoints, proxy and certificates.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_sdk_sso::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_sso::config::timeout::TimeoutConfig;
use aws_sdk_sso::config::{AppName, BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig};
use aws_sdk_sso::error::SdkError;
use aws_sdk_ssooidc::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder as HttpClientBuilder, Connector};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::environments::configured::ConfigFile;
use crate::environments::stored::is_trustworthy;
use crate::error::{Code, Error, capitalized, shortened, without_controls};
use crate::files::credentials_file::{RoleCredentials, rfc3339};
use crate::login::pkce::REDIRECT_URI;
use crate::protocol::LoginMethod;
use crate::run::Outlet;
use crate::secret::{LONGEST_SECRET, Secret, is_plain};
use crate::service::causes::{Cause, Fault, is_too_large};
use crate::service::connections::renewing;
use crate::service::pace::Pace;
use crate::session::token_cache::{PKCE_GRANTS, Registration};
use crate::world::World;

/// The name that the approval page shows, and that the service logs.
const CLIENT_NAME: &str = "Set-AwsCliSsoCredentials";

const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// One try of a request may take this long; the run's own limit comes on top.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// So many items a page of a list may have, and more is refused (service model, `MaxResultType`).
const LARGEST_PAGE: i32 = 100;

/// What the service says for people is shown up to so many characters, and the name of an error and an id up to fewer.
const LONGEST_MESSAGE: usize = 500;
const LONGEST_ID: usize = 128;

/// Limits of what is listed, in characters: the API has 50 for a name, 64 for an e-mail address and 64 for a role.
const LONGEST_NAME: usize = 256;

/// Limits of what a user has to read, in characters: AWS's code has 9, and its address some 80.
const LONGEST_USER_CODE: usize = 64;
const LONGEST_URL: usize = 2048;
const LONGEST_CLIENT_ID: usize = 1024;

/// Limits of a device authorization; AWS's code lasts 10 minutes and is asked for once a second.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
const LONGEST_CODE_LIFETIME: Duration = Duration::from_hours(1);

/// How long keys are not requested again that had expired when they came.
const UNUSABLE_KEYS_PAUSE: Duration = Duration::from_mins(5);

/// A time outside of these years is not one that the service means.
const YEARS: std::ops::RangeInclusive<i32> = 2020..=2100;

/// How often the SDK tries a request that meets a fault; the 429 of the portal are the pace's.
const ATTEMPTS: u32 = 4;

/// The clients that this process has made, so that connections and what is known of the pace are kept for the next run.
#[derive(Default)]
pub(crate) struct Services(Mutex<Made>);

#[derive(Default)]
struct Made {
    services: HashMap<Settings, Arc<Service>>,
    /// By endpoint of the portal: a proxy or a CA bundle makes another client, and the service counts its requests with the others.
    paces: HashMap<String, Arc<Pace>>,
    /// The variables of proxies that were warned of.
    warned_of_proxies: HashSet<String>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// All that makes one client differ from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Settings {
    region: String,
    oidc_url: Option<String>,
    portal_url: Option<String>,
    proxy: Option<Proxy>,
    /// The variables whose proxies cannot be used, each with the scheme of its URL.
    skipped_proxies: Vec<(String, String)>,
    no_proxy: Option<String>,
    certificates: Option<Certificates>,
    fips: bool,
    dual_stack: bool,
}

/// An HTTP proxy, and the variable that names it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Proxy {
    /// As it is set: in upper or lower case.
    variable: String,
    /// With what may be a password in it.
    url: String,
}

impl Proxy {
    /// Its host and port, and its scheme where that is not http; nothing else of the URL, which may hold a password anywhere.
    fn place(&self) -> Option<String> {
        let url = url::Url::parse(&self.url).ok()?;
        let place = place_of(&url)?;
        Some(place.strip_prefix("http://").unwrap_or(&place).to_owned())
    }

    fn in_words(&self) -> String {
        self.place().map_or_else(|| self.variable.clone(), |place| format!("{place} of {}", self.variable))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.in_words())
    }
}

/// What a variable for proxies leads to.
enum ProxyChoice {
    Http(String),
    /// A SOCKS proxy, by its scheme; requests go through HTTP proxies only.
    Socks(String),
}

impl ProxyChoice {
    /// Reads a value as curl does: one without a scheme is the host and port of an HTTP proxy.
    fn of(value: &str) -> Self {
        let value = value.trim();
        match value.split_once("://") {
            None => Self::Http(format!("http://{value}")),
            Some((scheme, rest)) => {
                let scheme = scheme.to_ascii_lowercase();
                // Before `://` a user name can stand, too, where the scheme was forgotten.
                if ["socks", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) {
                    Self::Socks(scheme)
                } else {
                    Self::Http(format!("{scheme}://{rest}"))
                }
            }
        }
    }
}

/// Certificates of CAs that are trusted besides those of the system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Certificates {
    path: PathBuf,
    pem: Vec<u8>,
    named_by: NamedBy,
}

/// Which setting names the CA bundle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum NamedBy {
    Variable,
    /// The key `ca_bundle` of this file.
    ConfigFile(PathBuf),
}

/// Scheme, host and port of a URL, and nothing else of it; the port is left out where it is the usual one.
fn place_of(url: &url::Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str().filter(|host| !host.is_empty())?))
}

/// An endpoint as it is passed on: the URL that was judged, in the form in which it was judged. It has a scheme, `//`, a host and a path of the
/// characters of RFC 3986 only, so that the SDK reads it the same way. User name, query and fragment have no use here, and may be secrets.
fn endpoint_url(written: &str) -> Option<String> {
    let written = written.trim();
    let (scheme, rest) = written.split_once("://")?;
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    let is_host = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)) && !authority.ends_with(':');
    let is_path = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/:[]%!$&'()*+,;=@".contains(&byte));
    if !scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) || !is_host || !is_path || !is_trustworthy(written) {
        return None;
    }
    let url = url::Url::parse(written).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

impl std::fmt::Display for NamedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable => f.write_str("AWS_CA_BUNDLE"),
            Self::ConfigFile(path) => write!(f, "ca_bundle in {}", path.display()),
        }
    }
}

/// The services of one region.
pub(crate) struct Service {
    oidc: aws_sdk_ssooidc::Client,
    portal: aws_sdk_sso::Client,
    pace: Arc<Pace>,
    settings: Settings,
    server_clock: Arc<ServerClock>,
    oidc_host: Arc<OnceLock<String>>,
    portal_host: Arc<OnceLock<String>>,
    held: HeldKeys,
}

/// The accounts and roles whose keys could not be used when they came, each until it may be asked for again.
#[derive(Default)]
struct HeldKeys(Mutex<HashMap<(String, String), (tokio::time::Instant, Refusal)>>);

impl HeldKeys {
    fn get(&self, account_id: &str, role_name: &str) -> Option<Refusal> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (end, _)| *end > tokio::time::Instant::now());
        held.get(&(account_id.to_owned(), role_name.to_owned())).map(|(_, refusal)| refusal.clone())
    }

    fn hold(&self, account_id: &str, role_name: &str, refusal: &Refusal) {
        let end = tokio::time::Instant::now() + UNUSABLE_KEYS_PAUSE;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((account_id.to_owned(), role_name.to_owned()), (end, refusal.clone()));
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("region", &self.settings.region).finish_non_exhaustive()
    }
}

/// How far the server's clock is from this machine's, once it was heard.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<Option<time::Duration>>);

impl ServerClock {
    fn hear(&self, response: &HttpResponse) {
        if let Some(server) = date_of(response) {
            let difference = server - OffsetDateTime::now_utc();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(difference);
        }
    }

    /// The difference, where it is more than the header's own coarseness.
    pub(crate) fn difference(&self) -> Option<time::Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).filter(|difference| difference.abs() >= time::Duration::seconds(2))
    }
}

/// The time of an answer by the server's clock, where it is one that a clock can show, however far from this machine's.
fn date_of(response: &HttpResponse) -> Option<OffsetDateTime> {
    let date = OffsetDateTime::parse(response.headers().get("date")?, &Rfc2822).ok()?;
    is_plausible(date).then_some(date)
}

/// Whether the service can mean this time. The year is of the time as it is written, since the same moment elsewhere may be beyond all years.
fn is_plausible(time: OffsetDateTime) -> bool {
    YEARS.contains(&time.year())
}

/// Hears the server's clock in every answer, and remembers the host that the requests go to.
#[derive(Debug)]
struct Listener {
    clock: Arc<ServerClock>,
    host: Arc<OnceLock<String>>,
}

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Listener"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.host.get_or_init(|| {
            let url = url::Url::parse(context.request().uri()).ok();
            url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        });
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.clock.hear(context.response());
        Ok(())
    }
}

/// The status and the id of the last answer to one request, which may have been tried many times.
#[derive(Debug, Clone, Default)]
struct LastAnswer(Arc<Mutex<Answer>>);

#[derive(Debug, Clone, Default)]
struct Answer {
    status: Option<u16>,
    request_id: Option<String>,
    date: Option<OffsetDateTime>,
}

impl LastAnswer {
    fn get(&self) -> Answer {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn request_id(&self) -> Option<String> {
        self.get().request_id
    }

    fn timed_out(&self) -> Refusal {
        let last = self.get();
        match last.status.filter(|status| *status >= 400) {
            Some(status) => Refusal::TimedOut { status: Some(status), request_id: last.request_id },
            None => Refusal::TimedOut { status: None, request_id: None },
        }
    }
}

impl Intercept for LastAnswer {
    fn name(&self) -> &'static str {
        "LastAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let answer = Answer { status: Some(response.status().as_u16()), request_id: request_id_of(response), date: date_of(response) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        Ok(())
    }
}

/// The service's id of a request, where it has the form of one.
fn request_id_of(response: &HttpResponse) -> Option<String> {
    response.headers().get("x-amzn-requestid").filter(|id| is_plain(id) && id.len() <= LONGEST_ID).map(str::to_owned)
}

/// Keeps the SDK from trying a request again that was refused for the number of them: only the pace knows when it may go.
#[derive(Debug)]
struct LeftToThePace;

impl ClassifyRetry for LeftToThePace {
    fn name(&self) -> &'static str {
        "LeftToThePace"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response() {
            Some(response) if response.status().as_u16() == 429 => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}

/// What a refusal shows of who answered: the service, or a proxy in between, which can answer 401, 403 or 404 too and means another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It names an exception of the service, in `x-amzn-errortype` or in the body's `__type`.
    Exception,
    /// Its body has an `error` as OAuth has it (RFC 6749, 5.2).
    OAuth,
    /// It names nothing, but is the service's own: each answer of the service has an `x-amzn-requestid`, which no proxy makes up, and none has a
    /// `WWW-Authenticate` or `Proxy-Authenticate`, since the bearer token goes in a header of its own (`noAuth` in the service's model). A proxy that
    /// refuses a request has not got an answer of the service to take the id from, and one that wants a password says so by these headers.
    /// `Via` and `Server` tell nothing: proxies add the first to answers of the service, too.
    Nameless,
    /// Nothing shows that the service answered.
    Elsewhere,
}

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The service said no.
    Answered {
        /// The OAuth code, such as `slow_down`, or the exception's name, such as `ForbiddenException`.
        error: String,
        status: u16,
        /// What the service said, for people.
        message: String,
        request_id: Option<String>,
        origin: Origin,
    },
    /// No answer came in time, or only refusals that may pass: then the last one's status and id.
    TimedOut { status: Option<u16>, request_id: Option<String> },
    /// There was no connection.
    Unreachable(Cause),
    /// The answer made no sense.
    Garbled { message: String, request_id: Option<String> },
    /// The answer has something in it that cannot be used, and would have it again.
    Unusable { message: String, request_id: Option<String> },
}

/// What `message` says is wrong with an answer.
fn unusable(message: impl Into<String>) -> Refusal {
    Refusal::Unusable { message: message.into(), request_id: None }
}

impl Refusal {
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Answered { error, .. } if error == name)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The status, where the answer names an error of the portal.
    pub(crate) fn modelled_status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, origin: Origin::Exception, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the portal itself says that it takes the access token no longer.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self, Self::Answered { status: 401, origin: Origin::Exception | Origin::Nameless, .. })
    }

    /// Whether SSO-OIDC says no to what it was asked for, as RFC 6749, 5.2 has it, so that to ask again is of no use.
    pub(crate) fn is_oauth_refusal(&self) -> bool {
        match self {
            Self::Answered { error, status: 400..=428 | 430..=499, origin: Origin::Exception | Origin::OAuth, .. } => {
                !["slow_down", "authorization_pending"].contains(&error.as_str()) && is_oauth_code(error)
            }
            _ => false,
        }
    }

    /// The error's name, for people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Answered { error, .. } => error,
            Self::TimedOut { .. } => "no answer in time",
            Self::Unreachable(_) => "no connection",
            Self::Garbled { .. } => "an answer that makes no sense",
            Self::Unusable { .. } => "an answer that cannot be used",
        }
    }

    /// The same refusal without the secrets of its request, which an answer may repeat.
    fn without(mut self, secrets: &[&Secret]) -> Self {
        let clean = |text: &mut String, limit: usize| {
            for secret in secrets.iter().filter(|secret| !secret.reveal().is_empty()) {
                *text = text.replace(secret.reveal(), "** redacted **");
            }
            *text = shortened(text, limit);
        };
        if let Self::Answered { error, message, .. } = &mut self {
            clean(error, LONGEST_ID);
            clean(message, LONGEST_MESSAGE);
        }
        match &mut self {
            Self::Answered { request_id: Some(id), .. }
            | Self::TimedOut { request_id: Some(id), .. }
            | Self::Garbled { request_id: Some(id), .. }
            | Self::Unusable { request_id: Some(id), .. } => clean(id, LONGEST_ID),
            _ => {}
        }
        self
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        match self {
            Self::Answered { request_id, .. } | Self::TimedOut { request_id, .. } | Self::Garbled { request_id, .. } | Self::Unusable { request_id, .. } => {
                request_id.clone()
            }
            Self::Unreachable(_) => None,
        }
    }
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_token: Option<String>,
}

/// An account as it is listed; the id is empty where the service tells none.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) email_address: Option<String>,
}

/// What a device authorization gave.
#[derive(Debug)]
pub(crate) struct DeviceAuthorization {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    /// The address with the code in it where there is one, else the plain one.
    pub(crate) url: String,
    pub(crate) expires_in: Duration,
    pub(crate) interval: Duration,
}

/// What an access token is asked for with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grant<'a> {
    DeviceCode(&'a Secret),
    AuthorizationCode { code: &'a Secret, redirect_uri: &'a str, verifier: &'a Secret },
    RefreshToken(&'a Secret),
}

/// A new access token.
#[derive(Debug)]
pub(crate) struct NewToken {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires_in: Duration,
}

impl Services {
    /// The services that the user's settings lead to.
    pub(crate) fn of(&self, world: &World, region: &str) -> Result<Arc<Service>, Error> {
        let settings = Settings::of(world, region)?;
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = made.services.get(&settings) {
            return Ok(Arc::clone(service));
        }
        let pace = Arc::clone(made.paces.entry(settings.portal()).or_default());
        let service = Arc::new(Service::over(settings.clone(), http_client(&settings)?, pace));
        made.services.insert(settings, Arc::clone(&service));
        Ok(service)
    }

    /// Warns once of each variable whose proxy a service does without.
    pub(crate) fn warn_of_skipped_proxies(&self, service: &Service, outlet: &Outlet) {
        for (variable, scheme) in &service.settings.skipped_proxies {
            if self.0.lock().unwrap_or_else(PoisonError::into_inner).warned_of_proxies.insert(variable.clone()) {
                let instead = service.settings.proxy.as_ref().map_or_else(|| "no proxy".to_owned(), |proxy| format!("that of {}", proxy.variable));
                outlet.warn(format!("The proxy of {variable} is not used: {scheme}:// is not supported, only HTTP proxies are. Instead {instead} is used."));
            }
        }
    }
}

impl Settings {
    fn of(world: &World, region: &str) -> Result<Self, Error> {
        let endpoint = |variable: &str| {
            let Some(written) = world.variables.get(variable) else { return Ok(None) };
            endpoint_url(written).map(Some).ok_or_else(|| {
                Error::new(
                    Code::EnvironmentInvalid,
                    format!(
                        "The variable {variable} must be an https URL such as https://sso.example.com, without a user name, query or fragment (http only for a loopback address), since the endpoint is sent the access token."
                    ),
                )
                .with_target(variable)
                .with_action(format!("Correct $env:{variable} or remove it."))
            })
        };
        let oidc_url = endpoint("AWS_ENDPOINT_URL_SSO_OIDC")?;
        let portal_url = endpoint("AWS_ENDPOINT_URL_SSO")?;
        let flag = |variable: &str| world.variables.get(variable).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let kinds = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];
        let [fips, dual_stack] = kinds.map(flag);
        if let Some(kind) = kinds.into_iter().find(|kind| flag(kind))
            && let Some(variable) = [("AWS_ENDPOINT_URL_SSO_OIDC", &oidc_url), ("AWS_ENDPOINT_URL_SSO", &portal_url)]
                .into_iter()
                .find_map(|(variable, url)| url.as_ref().map(|_| variable))
        {
            return Err(Error::new(
                Code::EnvironmentInvalid,
                format!("The variables {variable} and {kind} exclude each other: an endpoint of your own is used as it is."),
            )
            .with_target(kind)
            .with_action(format!("Remove $env:{variable} or $env:{kind}.")));
        }
        let only_loopback = are_loopback(oidc_url.as_deref(), portal_url.as_deref());
        // A proxy cannot lead back to this machine.
        let mut proxy = None;
        let mut skipped_proxies = Vec::new();
        let variables = ["HTTPS_PROXY", "ALL_PROXY"].into_iter().filter(|_| !only_loopback).filter_map(|name| world.variables.get_as_written(name));
        for (variable, value) in variables.filter(|(_, value)| !value.trim().is_empty()) {
            match ProxyChoice::of(value) {
                ProxyChoice::Http(url) => {
                    proxy = Some(Proxy { variable, url });
                    break;
                }
                ProxyChoice::Socks(scheme) => skipped_proxies.push((variable, scheme)),
            }
        }
        let certificates = if only_loopback { None } else { ca_bundle(world)? };
        Ok(Self {
            region: region.to_owned(),
            oidc_url,
            portal_url,
            proxy,
            skipped_proxies,
            no_proxy: world.variables.get_either_case("NO_PROXY").map(str::to_owned),
            certificates,
            fips,
            dual_stack,
        })
    }

    /// What tells one endpoint of the portal from another.
    fn portal(&self) -> String {
        self.portal_url.clone().unwrap_or_else(|| format!("{}, fips {}, dual stack {}", self.region, self.fips, self.dual_stack))
    }

    /// The settings that a connection depends on, as the last sentences of an error.
    fn in_words(&self) -> String {
        let proxy = self.proxy.as_ref().map_or_else(|| "none".to_owned(), Proxy::in_words);
        let certificates =
            self.certificates.as_ref().map_or_else(|| "system".to_owned(), |bundle| format!("system and {} ({})", bundle.path.display(), bundle.named_by));
        format!("(Proxy: {proxy}. CA certificates: {certificates}.)")
    }

    /// The host that is meant by an address in an error, without scheme and port.
    fn host_of(place: &str) -> &str {
        let host = place.split_once("://").map_or(place, |(_, host)| host);
        if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) }
    }
}

/// Whether both endpoints are plain http, which only a loopback address may be: then neither TLS nor a proxy has a part in it.
fn are_loopback(oidc_url: Option<&str>, portal_url: Option<&str>) -> bool {
    [oidc_url, portal_url].into_iter().all(|url| url.is_some_and(|url| url.starts_with("http:")))
}

/// The CA bundle as the AWS CLI finds it: of the variable, else of the profile in use.
fn ca_bundle(world: &World) -> Result<Option<Certificates>, Error> {
    if let Some(written) = world.variables.get("AWS_CA_BUNDLE") {
        return read_certificates(world.path("AWS_CA_BUNDLE", written)?, NamedBy::Variable).map(Some);
    }
    // A config file that cannot be read is said where it is needed.
    let config = ConfigFile::read(world).unwrap_or_default();
    let Some(written) = config.ca_bundle(&world.variables) else { return Ok(None) };
    let path = world.path_of_setting("ca_bundle", &format!("The key ca_bundle in {}", config.path.display()), written)?;
    read_certificates(path, NamedBy::ConfigFile(config.path.clone())).map(Some)
}

/// Reads the CA bundle, checked: the HTTP client panics at a certificate that it cannot take.
fn read_certificates(path: PathBuf, named_by: NamedBy) -> Result<Certificates, Error> {
    let invalid = |what: &str| {
        Error::new(Code::ReadFailed, format!("The CA bundle {} of {named_by} {what}.", path.display()))
            .with_target(path.display().to_string())
            .with_action(format!("Point {named_by} to a file of PEM certificates, or remove it."))
    };
    let bytes = std::fs::read(&path).map_err(|fault| invalid(&format!("could not be read: {fault}")))?;
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|_| invalid("is not a file of PEM certificates"))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|_| invalid("holds a certificate that cannot be used"))?;
    }
    if roots.is_empty() { Err(invalid("holds no certificate")) } else { Ok(Certificates { path, pem: bytes, named_by }) }
}

fn http_client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    if are_loopback(settings.oidc_url.as_deref(), settings.portal_url.as_deref()) {
        return Ok(renewing(|| HttpClientBuilder::new().build_http()));
    }
    let mut trust_store = TrustStore::default();
    if let Some(bundle) = &settings.certificates {
        trust_store = trust_store.with_pem_certificate(bundle.pem.clone());
    }
    let internal = |what: String| Error::new(Code::InternalError, what);
    let tls = TlsContext::builder().with_trust_store(trust_store).build().map_err(|fault| internal(format!("TLS could not be set up: {fault}.")))?;
    let proxy = match &settings.proxy {
        Some(Proxy { variable, url }) => {
            let proxy = ProxyConfig::https(url.as_str()).map_err(|_| {
                Error::new(Code::NetworkError, format!("The variable {variable} is not the URL of a proxy."))
                    .with_target(variable)
                    .with_action(format!("Correct $env:{variable}; it should look like http://proxy.example.com:8080."))
            })?;
            settings.no_proxy.as_ref().map_or(proxy.clone(), |rules| proxy.no_proxy(rules))
        }
        None => ProxyConfig::disabled(),
    };
    let connector = move |connector_settings: Option<&HttpConnectorSettings>, components: Option<&RuntimeComponents>| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).proxy_config(proxy.clone());
        if let Some(connector_settings) = connector_settings {
            connector = connector.connector_settings(connector_settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    };
    Ok(renewing(move || HttpClientBuilder::new().build_with_connector_fn(connector.clone())))
}

impl Service {
    fn over(settings: Settings, http_client: SharedHttpClient, pace: Arc<Pace>) -> Self {
        let server_clock = Arc::new(ServerClock::default());
        let (oidc_host, portal_host) = (Arc::default(), Arc::default());
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        // The SDK's quota of retries would fail half of 200 throttled calls, so there is none.
        let partition = |name: &str| RetryPartition::custom(format!("{name}-{}", settings.region)).token_bucket(TokenBucket::unlimited()).build();
        let app_name = AppName::new(CLIENT_NAME).ok();

        let portal = aws_sdk_sso::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(http_client.clone())
            .timeout_config(timeouts.clone())
            .retry_config(retries())
            .retry_partition(partition("portal"))
            .retry_classifier(LeftToThePace)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(Listener { clock: Arc::clone(&server_clock), host: Arc::clone(&portal_host) });
        let mut portal = portal;
        portal.set_app_name(app_name.clone()).set_endpoint_url(settings.portal_url.clone());
        portal.set_use_fips(Some(settings.fips)).set_use_dual_stack(Some(settings.dual_stack));

        let mut oidc = aws_sdk_ssooidc::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(http_client)
            .timeout_config(timeouts)
            // The polls of a login have a pace of their own, which retries would break; the other requests have `patient`.
            .retry_config(RetryConfig::disabled())
            .retry_partition(partition("oidc"))
            // A 429 without the name of an exception is not one that the SDK tries again by itself.
            .retry_classifier(HttpStatusCodeClassifier::new_from_codes(&[429][..]))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(Listener { clock: Arc::clone(&server_clock), host: Arc::clone(&oidc_host) });
        oidc.set_app_name(app_name).set_endpoint_url(settings.oidc_url.clone());
        oidc.set_use_fips(Some(settings.fips)).set_use_dual_stack(Some(settings.dual_stack));

        Self {
            oidc: aws_sdk_ssooidc::Client::from_conf(oidc.build()),
            portal: aws_sdk_sso::Client::from_conf(portal.build()),
            pace,
            settings,
            server_clock,
            oidc_host,
            portal_host,
            held: HeldKeys::default(),
        }
    }

    /// The pace of the requests to the portal, which all services of its endpoint share.
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// How far the server's clock is from this machine's.
    pub(crate) fn clock(&self) -> &ServerClock {
        &self.server_clock
    }

    fn oidc_host(&self) -> String {
        let host = || self.oidc_host.get().cloned().unwrap_or_else(|| format!("SSO-OIDC in {}", self.settings.region));
        shown_endpoint(self.settings.oidc_url.as_deref()).unwrap_or_else(host)
    }

    fn portal_host(&self) -> String {
        let host = || self.portal_host.get().cloned().unwrap_or_else(|| format!("the access portal in {}", self.settings.region));
        shown_endpoint(self.settings.portal_url.as_deref()).unwrap_or_else(host)
    }

    /// `RegisterClient`: a public client for one of the two logins.
    pub(crate) async fn register_client(&self, scopes: &[String], start_url: &str, method: LoginMethod) -> Result<Registration, Refusal> {
        let mut request = self.oidc.register_client().client_name(CLIENT_NAME).client_type("public").set_scopes(Some(scopes.to_vec()));
        if method == LoginMethod::Pkce {
            let grants = PKCE_GRANTS.map(str::to_owned).to_vec();
            request = request.redirect_uris(REDIRECT_URI).set_grant_types(Some(grants)).issuer_url(start_url);
        }
        let answer = request.customize().config_override(patient()).send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &[]))?;
        let garbled = || Refusal::Garbled { message: "the registration has no client id, secret or end".to_owned(), request_id: None };
        let is_id = |id: &String| is_plain(id) && id.len() <= LONGEST_CLIENT_ID;
        Ok(Registration {
            client_id: Some(answer.client_id.ok_or_else(garbled)?).filter(is_id).ok_or_else(|| unusable(format!("the client id {NOT_PLAIN}")))?,
            client_secret: plain_secret("client secret", answer.client_secret.ok_or_else(garbled)?)?,
            expires_at: Some(OffsetDateTime::from_unix_timestamp(answer.client_secret_expires_at).map_err(|_| garbled())?),
            method,
        })
    }

    /// The page on which a login by PKCE is approved, without its query; it is no operation of the service's model.
    pub(crate) async fn authorize_url(&self) -> Result<String, Error> {
        let base = match &self.settings.oidc_url {
            Some(url) => url.clone(),
            None => self.default_oidc_url().await?,
        };
        Ok(format!("{}/authorize", base.trim_end_matches('/')))
    }

    async fn default_oidc_url(&self) -> Result<String, Error> {
        let Settings { region, fips, dual_stack, .. } = &self.settings;
        let params = Params::builder().region(region.as_str()).use_fips(*fips).use_dual_stack(*dual_stack).build();
        let endpoint = match &params {
            Ok(params) => DefaultResolver::new().resolve_endpoint(params).await.ok(),
            Err(_) => None,
        };
        endpoint.map(|endpoint| endpoint.url().to_owned()).ok_or_else(|| {
            Error::new(Code::EnvironmentInvalid, format!("There is no endpoint of SSO-OIDC in the region {region}."))
                .with_target(region)
                .with_action("Correct the region with Set-SsoEnvironment.")
        })
    }

    /// `StartDeviceAuthorization`.
    pub(crate) async fn start_device_authorization(&self, client: &Registration, start_url: &str) -> Result<DeviceAuthorization, Refusal> {
        let request = self.oidc.start_device_authorization().client_id(&client.client_id).client_secret(client.client_secret.reveal()).start_url(start_url);
        let secrets = [&client.client_secret];
        let answer = request.customize().config_override(patient()).send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &secrets))?;
        let garbled = || Refusal::Garbled { message: "the device authorization has no code or address".to_owned(), request_id: None };
        let seconds = |number: i32, default: u64| Duration::from_secs(u64::try_from(number).ok().filter(|seconds| *seconds > 0).unwrap_or(default));
        let (expires_in, interval) = (answer.expires_in, answer.interval);
        Ok(DeviceAuthorization {
            device_code: plain_secret("device code", answer.device_code.ok_or_else(garbled)?)?,
            user_code: short_text("user code", answer.user_code.as_deref(), LONGEST_USER_CODE)?.ok_or_else(garbled)?,
            url: short_text("address", answer.verification_uri_complete.or(answer.verification_uri).as_deref(), LONGEST_URL)?.ok_or_else(garbled)?,
            expires_in: seconds(expires_in, 600).min(LONGEST_CODE_LIFETIME),
            // RFC 8628, 3.2: five seconds where the server gives none.
            interval: seconds(interval, 5).min(LONGEST_INTERVAL),
        })
    }

    /// `CreateToken`.
    pub(crate) async fn create_token(&self, client: &Registration, grant: Grant<'_>) -> Result<NewToken, Refusal> {
        let request = self.oidc.create_token().client_id(&client.client_id).client_secret(client.client_secret.reveal());
        let request = match grant {
            Grant::DeviceCode(code) => request.grant_type(DEVICE_CODE_GRANT).device_code(code.reveal()).customize(),
            Grant::AuthorizationCode { code, redirect_uri, verifier } => {
                request.grant_type("authorization_code").code(code.reveal()).redirect_uri(redirect_uri).code_verifier(verifier.reveal()).customize()
            }
            Grant::RefreshToken(token) => request.grant_type("refresh_token").refresh_token(token.reveal()).customize().config_override(patient()),
        };
        let mut secrets = vec![&client.client_secret];
        match grant {
            Grant::DeviceCode(secret) | Grant::RefreshToken(secret) => secrets.push(secret),
            Grant::AuthorizationCode { code, verifier, .. } => secrets.extend([code, verifier]),
        }
        let answer = request.send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &secrets))?;
        let garbled = || Refusal::Garbled { message: "the answer has no access token".to_owned(), request_id: None };
        Ok(NewToken {
            access_token: plain_secret("access token", answer.access_token.ok_or_else(garbled)?)?,
            refresh_token: answer.refresh_token.filter(|token| !token.is_empty()).map(|token| plain_secret("refresh token", token)).transpose()?,
            expires_in: Duration::from_secs(u64::try_from(answer.expires_in).map_err(|_| garbled())?),
        })
    }

    /// `GetRoleCredentials`, tried again at 429 until `deadline` and at other faults that may pass some times; gives the keys and the request's id.
    pub(crate) async fn role_credentials(
        &self,
        access_token: &Secret,
        account_id: &str,
        role_name: &str,
        deadline: tokio::time::Instant,
    ) -> Result<(RoleCredentials, Option<String>), Refusal> {
        if let Some(refusal) = self.held.get(account_id, role_name) {
            return Err(refusal);
        }
        let request = || self.portal.get_role_credentials().access_token(access_token.reveal()).account_id(account_id).role_name(role_name);
        let last_answer = LastAnswer::default();
        let answer = self.paced(access_token, deadline, &last_answer, |last_answer| request().customize().interceptor(last_answer).send()).await?;
        let Answer { request_id, date, .. } = last_answer.get();
        let request_id = request_id.filter(|id| !id.contains(access_token.reveal()));
        let garbled = |message: &str| Refusal::Garbled { message: message.to_owned(), request_id: request_id.clone() };
        let keys = answer.role_credentials.ok_or_else(|| garbled("the answer has no keys"))?;
        let (Some(id), Some(secret), Some(token)) = (keys.access_key_id, keys.secret_access_key, keys.session_token) else {
            return Err(garbled("the answer has not all of the keys"));
        };
        let (secret_access_key, session_token) = (Secret::new(secret), Secret::new(token));
        let expiration = expiration_of(keys.expiration, date).map_err(|why| {
            let message = format!("{why}; they were not written and are not requested again for {} minutes", UNUSABLE_KEYS_PAUSE.as_secs() / 60);
            let refusal = Refusal::Unusable { message, request_id: request_id.clone() };
            self.held.hold(account_id, role_name, &refusal);
            refusal
        })?;
        let credentials = RoleCredentials { access_key_id: id, secret_access_key, session_token, expiration };
        if !credentials.is_writable() {
            return Err(Refusal::Unusable { message: format!("one of the keys {NOT_PLAIN}"), request_id });
        }
        Ok((credentials, request_id))
    }

    /// One page of `ListAccounts`, and the token of the next one.
    pub(crate) async fn accounts(&self, access_token: &Secret, next_token: Option<String>, deadline: tokio::time::Instant) -> Result<Page<Account>, Refusal> {
        let request = || self.portal.list_accounts().access_token(access_token.reveal()).max_results(LARGEST_PAGE).set_next_token(next_token.clone());
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        let answer = self.paced(access_token, deadline, &LastAnswer::default(), send).await?;
        let account = |account: &aws_sdk_sso::types::AccountInfo| {
            Ok(Account {
                id: short_text("account id", account.account_id(), LONGEST_NAME)?.unwrap_or_default(),
                name: short_text("name of an account", account.account_name(), LONGEST_NAME)?,
                email_address: short_text("e-mail address of an account", account.email_address(), LONGEST_NAME)?,
            })
        };
        let items = answer.account_list().iter().map(account).collect::<Result<_, Refusal>>()?;
        Ok(Page { items, next_token: next_page(answer.next_token)? })
    }

    /// One page of `ListAccountRoles`: the roles' names, and the token of the next one.
    pub(crate) async fn roles(
        &self,
        access_token: &Secret,
        account_id: &str,
        next_token: Option<String>,
        deadline: tokio::time::Instant,
    ) -> Result<Page<String>, Refusal> {
        let request = || {
            self.portal
                .list_account_roles()
                .access_token(access_token.reveal())
                .account_id(account_id)
                .max_results(LARGEST_PAGE)
                .set_next_token(next_token.clone())
        };
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        let answer = self.paced(access_token, deadline, &LastAnswer::default(), send).await?;
        let role = |role: &aws_sdk_sso::types::RoleInfo| Ok(short_text("name of a role", role.role_name(), LONGEST_NAME)?.unwrap_or_default());
        let items = answer.role_list().iter().map(role).collect::<Result<_, Refusal>>()?;
        Ok(Page { items, next_token: next_page(answer.next_token)? })
    }

    /// `Logout`: ends the token at the service; role credentials already given stay good.
    pub(crate) async fn logout(&self, access_token: &Secret) -> Result<(), Refusal> {
        let request = || self.portal.logout().access_token(access_token.reveal());
        let deadline = tokio::time::Instant::now() + ATTEMPT_TIMEOUT;
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        self.paced(access_token, deadline, &LastAnswer::default(), send).await.map(drop)
    }

    /// Sends a request of the portal when it is its turn, and again each time that the service refuses it for the number of requests, until `deadline`.
    /// `last_answer` is what remembers the answer to each try.
    async fn paced<T, E, F>(
        &self,
        access_token: &Secret,
        deadline: tokio::time::Instant,
        last_answer: &LastAnswer,
        send: impl Fn(LastAnswer) -> F,
    ) -> Result<T, Refusal>
    where
        E: StdError + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        loop {
            // Only a service that refuses requests for the number of them lets one wait for its turn.
            let throttled = |_| Refusal::TimedOut { status: Some(429), request_id: last_answer.request_id() }.without(&[access_token]);
            let turn = tokio::time::timeout_at(deadline, self.pace.turn()).await.map_err(throttled)?;
            let outcome = tokio::time::timeout_at(deadline, send(last_answer.clone())).await.map_err(|_| last_answer.timed_out().without(&[access_token]))?;
            let fault = match outcome {
                Ok(answer) => {
                    turn.passed();
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            let refusal = refusal(&fault, last_answer, &[access_token]);
            match refusal.status() {
                Some(429) => turn.refused(fault.raw_response().and_then(pause_of)),
                Some(_) => {
                    turn.passed();
                    return Err(refusal);
                }
                None => return Err(refusal),
            }
        }
    }

    /// The error for a refusal that no one expected, of the OIDC service or of the portal.
    pub(crate) fn error(&self, refusal: &Refusal, portal: bool) -> Error {
        let host = if portal { self.portal_host() } else { self.oidc_host() };
        match refusal {
            Refusal::TimedOut { status: Some(429), .. } => Error::new(Code::Throttled, "The service asked for fewer requests until the time was up.")
                .with_action("Run the command again in a minute, with a smaller -ThrottleLimit or a longer -Timeout."),
            Refusal::Answered { status: 429, .. } => {
                Error::new(Code::Throttled, "The service asks for fewer requests.").with_action("Run the command again in a minute.")
            }
            Refusal::TimedOut { status: Some(status), .. } => {
                Error::new(Code::ServiceError, format!("{} answered {status} until the time was up.", capital(&host)))
                    .with_action("Run the command again; if it stays, ask your administrator.")
            }
            Refusal::TimedOut { status: None, .. } => {
                Error::new(Code::NetworkError, format!("{} did not answer in time. {}", capital(&host), self.settings.in_words()))
                    .with_action("Check the network, or give a longer -Timeout.")
            }
            Refusal::Unreachable(cause) => self.unreachable(&host, cause),
            Refusal::Answered { error, status, .. } if *error == nameless(*status) => Error::new(
                Code::ServiceError,
                format!("{} answered {status}, and the answer names no error of the service. {}", capital(&host), self.settings.in_words()),
            )
            .with_action("Run the command again; a proxy in between may have answered."),
            Refusal::Answered { error, status, message, .. } => {
                let said = if message.is_empty() { error.clone() } else { format!("{error}: {message}") };
                Error::new(Code::ServiceError, format!("{} answered {status} ({said}).", capital(&host)))
                    .with_action("Run the command again; if it stays, ask your administrator.")
            }
            Refusal::Garbled { message, .. } => Error::new(Code::ServiceError, format!("{} gave an answer that makes no sense: {message}.", capital(&host)))
                .with_action("Run the command again; a proxy in between may have changed the answer."),
            Refusal::Unusable { message, .. } => Error::new(Code::ServiceError, format!("{} gave an answer that cannot be used: {message}.", capital(&host)))
                .with_action("Check that this is the address of IAM Identity Center; if it is, ask your administrator."),
        }
        .with_request_id(refusal.request_id())
    }

    /// The error for a host to which there was no connection.
    fn unreachable(&self, host: &str, cause: &Cause) -> Error {
        let settings = self.settings.in_words();
        let proxy = self.settings.proxy.as_ref();
        // Without the proxy's address where that cannot be shown.
        let at_proxy = proxy.filter(|_| cause.at_proxy).map(|proxy| (proxy, proxy.place().unwrap_or_default()));
        let message = match (&cause.fault, &at_proxy) {
            (Fault::Unresolved, None) => format!("The name {} could not be resolved. {settings}", Settings::host_of(host)),
            (Fault::Unresolved, Some((proxy, place))) => {
                format!("The name {} of the proxy in {} could not be resolved. {settings}", Settings::host_of(place), proxy.variable)
            }
            (Fault::Certificate(why), _) => format!("{} could not be reached: its certificate is not accepted, since {why}. {settings}", capital(host)),
            (Fault::Tunnel(why), _) => format!("{} could not be reached: {why}. {settings}", capital(host)),
            (Fault::Other(why), Some((proxy, _))) => format!("{} could not be reached: {why}, at the proxy {}. {settings}", capital(host), proxy.in_words()),
            (Fault::Other(why), None) => format!("{} could not be reached: {why}. {settings}", capital(host)),
        };
        let action = match (&cause.fault, proxy) {
            (Fault::Certificate(_), _) => {
                "Where a company inspects TLS, set AWS_CA_BUNDLE to the PEM file of its CA; else check this machine's clock and the network.".to_owned()
            }
            (Fault::Tunnel(_), Some(Proxy { variable, .. })) => {
                format!("Check the proxy's address, user name and password in {variable}, or bypass it with NO_PROXY.")
            }
            (_, Some(Proxy { variable, .. })) => format!("Check the network, the region, and the proxy and CA settings ({variable}, NO_PROXY, AWS_CA_BUNDLE)."),
            (_, None) => "Check the network, the region, and the proxy and CA settings (HTTPS_PROXY, NO_PROXY, AWS_CA_BUNDLE).".to_owned(),
        };
        Error::new(Code::NetworkError, message).with_action(action)
    }
}

/// The rest of a sentence about a key, a token or an id that is not valid.
const NOT_PLAIN: &str = "is empty, is longer than 16 KB or has blanks, control characters or others that are not ASCII";

/// A secret of an answer, by its name.
fn plain_secret(name: &str, text: String) -> Result<Secret, Refusal> {
    Secret::plain(text).ok_or_else(|| unusable(format!("the {name} {NOT_PLAIN}")))
}

/// A text of an answer that people read, by its name; none where it is empty. `limit` is in characters.
fn short_text(name: &str, text: Option<&str>, limit: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > limit {
        return Err(unusable(format!("it has more than {limit} characters for the {name}")));
    }
    Ok(Some(without_controls(text).trim().to_owned()).filter(|text| !text.is_empty()))
}

/// The token of a list's next page.
fn next_page(token: Option<String>) -> Result<Option<String>, Refusal> {
    match token.filter(|token| !token.is_empty()) {
        Some(token) if token.len() > LONGEST_SECRET => Err(unusable("the token of the next page is longer than 16 KB")),
        token => Ok(token),
    }
}

/// When keys end: the service gives milliseconds since 1970. `date` is the time of the answer.
///
/// # Errors
/// Why the keys cannot be used, as a part of a sentence.
fn expiration_of(milliseconds: i64, date: Option<OffsetDateTime>) -> Result<OffsetDateTime, String> {
    if milliseconds == 0 {
        return Err("the credentials have no expiration".to_owned());
    }
    let end = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok().filter(|end| is_plausible(*end));
    let end = end.ok_or_else(|| "the expiration of the credentials is not a time between 2020 and 2100".to_owned())?;
    match date.filter(|date| end <= *date) {
        Some(date) => Err(format!("the credentials expired at {}, before the answer of {}", rfc3339(end), rfc3339(date))),
        None => Ok(end),
    }
}

/// An endpoint as it is shown: scheme, host and port.
fn shown_endpoint(url: Option<&str>) -> Option<String> {
    url.and_then(|url| url::Url::parse(url).ok()).as_ref().and_then(place_of)
}

/// How a request is tried again that meets a fault.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(250)).with_max_backoff(Duration::from_secs(5))
}

/// Has a request of the OIDC service tried again, in the time of one try.
fn patient() -> aws_sdk_ssooidc::config::Builder {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(ATTEMPT_TIMEOUT);
    aws_sdk_ssooidc::config::Builder::new().retry_config(retries()).timeout_config(timeouts.build())
}

/// The pause that an answer asks for: in seconds or until a time (RFC 9110, 10.2.3), or in AWS's own header in milliseconds.
fn pause_of(answer: &HttpResponse) -> Option<Duration> {
    let header = |name| answer.headers().get(name).map(str::trim);
    let milliseconds = header("x-amz-retry-after").and_then(|text| text.parse().ok()).map(Duration::from_millis);
    milliseconds.or_else(|| {
        let text = header("retry-after")?;
        text.parse().map(Duration::from_secs).ok().or_else(|| {
            let end = OffsetDateTime::parse(text, &Rfc2822).ok()?;
            // By the server's clock, which may not be this machine's.
            let now = date_of(answer).unwrap_or_else(OffsetDateTime::now_utc);
            Duration::try_from(end - now).ok()
        })
    })
}

fn capital(text: &str) -> String {
    // A URL or the name of a host stays as it is.
    if text.contains('.') || text.starts_with("http") { text.to_owned() } else { capitalized(text) }
}

/// What a failure means. `secrets` are those of the request, which an answer may repeat.
fn refusal<E: StdError + 'static>(fault: &SdkError<E, HttpResponse>, last_answer: &LastAnswer, secrets: &[&Secret]) -> Refusal {
    let garbled = |answer: &HttpResponse| Refusal::Garbled { message: "it is not the JSON that was due".to_owned(), request_id: request_id_of(answer) };
    match fault {
        SdkError::TimeoutError(_) => last_answer.timed_out().without(secrets),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Refusal::TimedOut { status: None, request_id: None },
        SdkError::ServiceError(answer) if answer.raw().status().is_success() => garbled(answer.raw()).without(secrets),
        SdkError::ResponseError(answer) if answer.raw().status().is_success() => garbled(answer.raw()).without(secrets),
        SdkError::ServiceError(answer) => answered(answer.raw()).without(secrets),
        SdkError::ResponseError(answer) => answered(answer.raw()).without(secrets),
        other if is_too_large(other) => unusable("it is larger than 1 MB"),
        other => Refusal::Unreachable(Cause::of(other)),
    }
}

/// Reads a refusal: the field `error` of the body first (OAuth), then the exception's name of header or body, the status last.
fn answered(response: &HttpResponse) -> Refusal {
    let body: Option<serde_json::Value> = response.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
    let field = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let header = |name: &str| response.headers().get(name).filter(|text| !text.is_empty());
    let status = response.status().as_u16();
    let exception = header("x-amzn-errortype")
        .map(|header| header.split(':').next().unwrap_or(header))
        .or_else(|| field("__type").map(|name| name.rsplit('#').next().unwrap_or(name)));
    let is_challenge = ["www-authenticate", "proxy-authenticate"].into_iter().any(|name| header(name).is_some());
    let request_id = request_id_of(response);
    let error = match (field("error"), exception) {
        (Some(error), _) => error.to_owned(),
        (None, Some(exception)) => exception.to_owned(),
        (None, None) => nameless(status),
    };
    let error = oauth_code(&without_controls(&error));
    let origin = match exception {
        Some(_) => Origin::Exception,
        None if field("error").is_some() && is_oauth_code(&error) => Origin::OAuth,
        None if request_id.is_some() && !is_challenge => Origin::Nameless,
        None => Origin::Elsewhere,
    };
    let message = field("error_description").or_else(|| field("message")).or_else(|| field("Message")).unwrap_or_default();
    // Cut only once the secrets are out of it, of which else a part might be left.
    Refusal::Answered { error, status, message: without_controls(message), request_id, origin }
}

/// Whether a name has the form of the codes that OAuth has registered, all of lower case letters and `_`, or is that of an exception of SSO-OIDC's model.
/// What others write into a field `error`, such as `Forbidden` or `Not Found`, is neither.
fn is_oauth_code(error: &str) -> bool {
    let is_code = !error.is_empty() && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code || OIDC_EXCEPTIONS.iter().any(|(exception, _)| *exception == error)
}

/// What stands for the error's name in an answer that names none.
fn nameless(status: u16) -> String {
    format!("status {status}")
}

/// The exceptions of SSO-OIDC's model, each with its OAuth code.
const OIDC_EXCEPTIONS: [(&str, &str); 14] = [
    ("AuthorizationPendingException", "authorization_pending"),
    ("SlowDownException", "slow_down"),
    ("ExpiredTokenException", "expired_token"),
    ("AccessDeniedException", "access_denied"),
    ("InvalidGrantException", "invalid_grant"),
    ("InvalidClientException", "invalid_client"),
    ("UnauthorizedClientException", "unauthorized_client"),
    ("InvalidRequestException", "InvalidRequestException"),
    ("InvalidRequestRegionException", "InvalidRequestException"),
    ("InvalidScopeException", "invalid_scope"),
    ("InvalidClientMetadataException", "invalid_client_metadata"),
    ("InvalidRedirectUriException", "invalid_redirect_uri"),
    ("UnsupportedGrantTypeException", "unsupported_grant_type"),
    ("InternalServerException", "server_error"),
];

/// The OAuth code of an SSO-OIDC exception, for answers that carry its name only. The portal has an `InvalidRequestException`, too, so that keeps its name.
fn oauth_code(error: &str) -> String {
    OIDC_EXCEPTIONS.iter().find(|(exception, _)| *exception == error).map_or(error, |(_, code)| code).to_owned()
}

#[cfg(test)]
mod attack;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector};
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::*;
    use crate::world::{Variables, test_world};

    /// Takes requests down and sends none of them.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl HttpConnector for Recorder {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.0.lock().unwrap().push(request.uri().to_owned());
            HttpConnectorFuture::ready(Err(ConnectorError::user("nothing is sent".into())))
        }
    }

    impl HttpClient for Recorder {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    pub(super) fn settings(region: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
        let (_home, mut world) = test_world();
        world.variables = Variables::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        Settings::of(&world, region)
    }

    #[test]
    fn a_ca_bundle_whose_path_has_a_name_without_a_value_is_refused_by_its_variable() {
        let error = settings("us-west-2", &[("AWS_CA_BUNDLE", "$CERTS/company.pem")]).unwrap_err();
        assert_eq!((error.code(), error.target()), (Code::PathInvalid, Some("AWS_CA_BUNDLE")));
    }

    /// Where the first request of a login and the request for keys would go.
    fn hosts(settings: Settings) -> [String; 2] {
        let recorder = Recorder::default();
        let service = Service::over(settings, SharedHttpClient::new(recorder.clone()), Arc::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            service.register_client(&[], "", LoginMethod::DeviceCode).await.unwrap_err();
            let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
            service.role_credentials(&Secret::new("token"), "100000000000", "Role", deadline).await.unwrap_err();
        });
        let seen = recorder.0.lock().unwrap();
        let [oidc, portal] = &seen[..] else { panic!("{seen:?}") };
        let oidc = oidc.strip_suffix("/client/register").unwrap();
        let portal = portal.strip_suffix("/federation/credentials?role_name=Role&account_id=100000000000").unwrap();
        [oidc.to_owned(), portal.to_owned()]
    }

    #[test]
    fn every_partition_and_kind_of_endpoint_leads_to_the_host_that_aws_has_for_it() {
        const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
        const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "True");
        for (region, suffix, dual_stack_suffix) in [
            ("us-west-2", "amazonaws.com", "api.aws"),
            ("eu-central-1", "amazonaws.com", "api.aws"),
            ("us-gov-west-1", "amazonaws.com", "api.aws"),
            ("cn-north-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"),
        ] {
            // In GovCloud the plain host is the FIPS one.
            let fips = if region.starts_with("us-gov") { "" } else { "-fips" };
            for (variables, kind, suffix) in
                [(&[][..], "", suffix), (&[FIPS], fips, suffix), (&[DUAL_STACK], "", dual_stack_suffix), (&[FIPS, DUAL_STACK], "-fips", dual_stack_suffix)]
            {
                let expected = [format!("https://oidc{kind}.{region}.{suffix}"), format!("https://portal.sso{kind}.{region}.{suffix}")];
                assert_eq!(hosts(settings(region, variables).unwrap()), expected, "{region} {variables:?}");
            }
        }
    }

    #[test]
    fn an_endpoint_of_one_s_own_is_used_as_it_is_for_its_service_only() {
        let settings = settings("us-west-2", &[("AWS_ENDPOINT_URL_SSO", "https://portal.example.com/some/where/")]).unwrap();
        assert_eq!(hosts(settings), ["https://oidc.us-west-2.amazonaws.com", "https://portal.example.com/some/where"]);
    }

    #[test]
    fn an_endpoint_of_one_s_own_and_fips_or_dual_stack_are_one_clear_error() {
        for kind in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            for endpoint in ["AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO"] {
                let error = settings("us-west-2", &[(endpoint, "https://sso.example.com"), (kind, "true")]).unwrap_err();
                assert_eq!(error.code(), Code::EnvironmentInvalid);
                let text = error.to_string();
                assert!(text.contains(endpoint) && text.contains(kind), "{text}");
                assert!(settings("us-west-2", &[(endpoint, "https://sso.example.com"), (kind, "false")]).is_ok());
            }
        }
    }

    #[test]
    fn all_clients_of_one_endpoint_share_its_pace() {
        let (_home, mut world) = test_world();
        let services = Services::default();
        let mut of = |region: &str, variables: &[(&str, &str)]| {
            world.variables = Variables::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
            services.of(&world, region).unwrap()
        };
        let proxy = [("HTTPS_PROXY", "http://proxy.example.com:8080")];
        let own = [("AWS_ENDPOINT_URL_SSO", "https://portal.example.com")];
        let [plain, again, through_proxy, elsewhere, own, own_elsewhere] =
            [of("us-west-2", &[]), of("us-west-2", &[]), of("us-west-2", &proxy), of("eu-central-1", &[]), of("us-west-2", &own), of("eu-central-1", &own)];
        assert!(Arc::ptr_eq(&plain, &again), "one client for the life of the process");
        assert!(Arc::ptr_eq(plain.pace(), through_proxy.pace()));
        assert!(!Arc::ptr_eq(plain.pace(), elsewhere.pace()));
        assert!(!Arc::ptr_eq(plain.pace(), own.pace()));
        assert!(Arc::ptr_eq(own.pace(), own_elsewhere.pace()));
    }

    #[test]
    fn a_pause_is_read_in_every_form_that_http_and_aws_have_for_it() {
        let date = "Wed, 25 Nov 2026 12:00:00 GMT";
        for (headers, expected) in [
            (&[("retry-after", "3")][..], Some(3000)),
            (&[("retry-after", " 0 ")], Some(0)),
            (&[("date", date), ("retry-after", "Wed, 25 Nov 2026 12:01:30 GMT")], Some(90_000)),
            (&[("date", date), ("retry-after", "Wed, 25 Nov 2026 11:00:00 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "99999999999999999999999")], None),
            (&[("retry-after", "7"), ("x-amz-retry-after", "1500")], Some(1500)),
            (&[], None),
        ] {
            let mut answer = HttpResponse::new(429.try_into().unwrap(), aws_smithy_types::body::SdkBody::empty());
            for (name, value) in headers {
                answer.headers_mut().insert(*name, *value);
            }
            assert_eq!(pause_of(&answer), expected.map(Duration::from_millis), "{headers:?}");
        }
    }

    #[test]
    fn an_error_names_the_proxy_without_its_password() {
        for (proxy, expected) in [
            ("http://acme:p@ss@proxy.example.com:8080", "(Proxy: proxy.example.com:8080 of https_proxy. CA certificates: system.)"),
            ("acme:p@ss@proxy.example.com:8080", "(Proxy: proxy.example.com:8080 of https_proxy."),
            ("http://proxy.example.com:8080/?token=hunter2", "(Proxy: proxy.example.com:8080 of https_proxy."),
            ("https://proxy.example.com#hunter2", "(Proxy: https://proxy.example.com of https_proxy."),
            ("HTTP://[::1]:3128/hunter2", "(Proxy: [::1]:3128 of https_proxy."),
        ] {
            let settings = settings("us-west-2", &[("https_proxy", proxy)]).unwrap();
            let words = settings.in_words();
            assert!(words.starts_with(expected), "{words}");
            assert!(!format!("{settings:?}").contains("hunter2") && !format!("{settings:?}").contains("p@ss"));
        }
    }

    #[test]
    fn the_proxy_is_the_first_one_that_can_be_used() {
        let chosen = |variables: &[(&str, &str)]| {
            let settings = settings("us-west-2", variables).unwrap();
            http_client(&settings).unwrap();
            (settings.proxy.map(|proxy| format!("{} {}", proxy.variable, proxy.url)), settings.skipped_proxies.len())
        };
        for (variables, expected, skipped) in [
            (&[("HTTPS_PROXY", "proxy.example.com:8080")][..], Some("HTTPS_PROXY http://proxy.example.com:8080"), 0),
            (&[("https_proxy", " proxy ")], Some("https_proxy http://proxy"), 0),
            (&[("HTTPS_PROXY", "[::1]:3128")], Some("HTTPS_PROXY http://[::1]:3128"), 0),
            (&[("HTTPS_PROXY", "acme:pass@proxy:1")], Some("HTTPS_PROXY http://acme:pass@proxy:1"), 0),
            (&[("HTTPS_PROXY", "HTTP://Proxy.example.com:8080/")], Some("HTTPS_PROXY http://Proxy.example.com:8080/"), 0),
            (&[("HTTPS_PROXY", "https://proxy:1")], Some("HTTPS_PROXY https://proxy:1"), 0),
            (&[("HTTPS_PROXY", " ")], None, 0),
            (&[("ALL_PROXY", "socks5://proxy:1080")], None, 1),
            (&[("all_proxy", "SOCKS5H://acme:pass@proxy:1080")], None, 1),
            (&[("HTTPS_PROXY", "socks4://proxy:1080"), ("ALL_PROXY", "proxy:1")], Some("ALL_PROXY http://proxy:1"), 1),
            (&[("https_proxy", "socks4a://proxy:1080"), ("all_proxy", "socks5://proxy:1")], None, 2),
            (&[("HTTPS_PROXY", "proxy:1"), ("ALL_PROXY", "socks5://proxy:1")], Some("HTTPS_PROXY http://proxy:1"), 0),
        ] {
            assert_eq!(chosen(variables), (expected.map(str::to_owned), skipped), "{variables:?}");
        }
    }

    #[test]
    fn what_a_proxy_answers_is_told_from_what_the_service_answers() {
        let answer = |status: u16, headers: &[(&'static str, &'static str)], body: &'static str| {
            let mut answer = HttpResponse::new(status.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(body));
            for (name, value) in headers {
                answer.headers_mut().insert(*name, *value);
            }
            answered(&answer)
        };
        let id = ("x-amzn-requestid", "1");
        for (headers, body) in [
            (&[][..], r#"{"__type":"com.amazonaws.switchboard.portal#UnauthorizedException","message":"Session token not found or invalid"}"#),
            (&[("x-amzn-errortype", "UnauthorizedException:http://internal.amazon.com/")], ""),
            (&[id], ""),
            (&[id, ("via", "1.1 proxy"), ("server", "proxy")], r#"{"message":"Session token not found or invalid"}"#),
            (&[id], "<html></html>"),
        ] {
            assert!(answer(401, headers, body).ends_session(), "{headers:?} {body}");
            assert!(!answer(403, headers, body).ends_session());
        }
        for (headers, body) in [
            (&[][..], ""),
            (&[("www-authenticate", "Basic realm=\"proxy\"")], "<html></html>"),
            (&[id, ("www-authenticate", "Negotiate")], ""),
            (&[id, ("proxy-authenticate", "NTLM")], ""),
            (&[("via", "1.1 proxy"), ("server", "squid")], r#"{"error":"Unauthorized"}"#),
            (&[], r#"{"error":"unauthorized","message":"Log in to the gateway"}"#),
            (&[("content-type", "application/json")], r#"{"message":"Unauthorized"}"#),
        ] {
            assert!(!answer(401, headers, body).ends_session(), "{headers:?} {body}");
        }
        let refused = r#"{"error":"invalid_request","error_description":"Invalid request"}"#;
        for (status, headers, body, expected) in [
            (400, &[][..], refused, true),
            (400, &[id], r#"{"error":"some_new_code"}"#, true),
            (400, &[("x-amzn-errortype", "InvalidRequestException")], "", true),
            (401, &[id], r#"{"error":"invalid_client"}"#, true),
            (403, &[], r#"{"error":"access_denied"}"#, true),
            (400, &[], r#"{"error":"slow_down"}"#, false),
            (400, &[], r#"{"error":"authorization_pending"}"#, false),
            (400, &[("x-amzn-errortype", "SlowDownException")], "", false),
            (429, &[], refused, false),
            (500, &[], r#"{"error":"server_error"}"#, false),
            (503, &[], refused, false),
            (400, &[id], "", false),
            (400, &[id], "<html></html>", false),
            (403, &[], r#"{"error":"Forbidden"}"#, false),
            (403, &[("x-amzn-errortype", "ForbiddenException")], r#"{"message":"Forbidden"}"#, false),
            (400, &[("x-amzn-errortype", "ThrottlingException")], "", false),
            (400, &[], r#"{"error":{"code":"invalid_request"}}"#, false),
        ] {
            assert_eq!(answer(status, headers, body).is_oauth_refusal(), expected, "{status} {headers:?} {body}");
        }
    }

    /// Gives every request the same answer.
    #[derive(Debug, Clone)]
    struct Canned(&'static str);

    impl HttpConnector for Canned {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(self.0))))
        }
    }

    impl HttpClient for Canned {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    /// Gives every request for keys some that expired in 1970, and counts the requests.
    #[derive(Debug, Clone, Default)]
    struct DeadKeys(Arc<std::sync::atomic::AtomicUsize>);

    impl HttpConnector for DeadKeys {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Canned(r#"{"roleCredentials":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t","expiration":1}}"#).call(request)
        }
    }

    impl HttpClient for DeadKeys {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_had_expired_when_they_came_are_requested_again_after_five_minutes() {
        let portal = DeadKeys::default();
        let service = Service::over(settings("us-west-2", &[]).unwrap(), SharedHttpClient::new(portal.clone()), Arc::default());
        let fetch = async |role| {
            let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
            let refusal = service.role_credentials(&Secret::new("token"), "100000000000", role, deadline).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Unusable { .. }), "{refusal:?}");
            portal.0.load(std::sync::atomic::Ordering::Relaxed)
        };
        assert_eq!((fetch("Admin").await, fetch("Admin").await), (1, 1));
        assert_eq!(fetch("Other").await, 2, "another role is another matter");
        tokio::time::advance(UNUSABLE_KEYS_PAUSE.checked_sub(Duration::from_secs(1)).unwrap()).await;
        assert_eq!(fetch("Admin").await, 2);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(fetch("Admin").await, 3);
    }

    fn client() -> Registration {
        Registration { client_id: "c".into(), client_secret: Secret::new("clientsecret"), expires_at: None, method: LoginMethod::DeviceCode }
    }

    #[tokio::test]
    async fn a_login_waits_neither_for_days_between_two_polls_nor_for_days_in_all() {
        for (answer, interval, expires_in) in [
            (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":2147483647,"expiresIn":2147483647}"#, 60, 3600),
            (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":-1,"expiresIn":-1}"#, 5, 600),
            (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com"}"#, 5, 600),
            (r#"{"deviceCode":"d","userCode":"U","verificationUri":"https://example.com","interval":2,"expiresIn":1800}"#, 2, 1800),
        ] {
            let service = Service::over(settings("us-west-2", &[]).unwrap(), SharedHttpClient::new(Canned(answer)), Arc::default());
            let authorization = service.start_device_authorization(&client(), "https://example.com/start").await.unwrap();
            assert_eq!((authorization.interval.as_secs(), authorization.expires_in.as_secs()), (interval, expires_in), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_built_is_an_error_without_its_tokens() {
        let secrets = ["accesstoken", "refreshtoken", "clientsecret"];
        let spoil: [fn(&mut Settings); 3] = [
            |settings| settings.portal_url = Some("https:/portal.example.com".into()),
            |settings| settings.portal_url = Some("https://portal .example.com".into()),
            |settings| settings.region = "us west 2".into(),
        ];
        for spoil in spoil {
            let mut settings = settings("us-west-2", &[]).unwrap();
            spoil(&mut settings);
            settings.oidc_url.clone_from(&settings.portal_url);
            let service = Service::over(settings, SharedHttpClient::new(Recorder::default()), Arc::default());
            let (access, refresh) = (Secret::new(secrets[0]), Secret::new(secrets[1]));
            let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
            let refusals = [
                service.role_credentials(&access, "100000000000", "Role", deadline).await.unwrap_err(),
                service.accounts(&access, None, deadline).await.unwrap_err(),
                service.roles(&access, "100000000000", None, deadline).await.unwrap_err(),
                service.logout(&access).await.unwrap_err(),
                service.create_token(&client(), Grant::RefreshToken(&refresh)).await.unwrap_err(),
                service.start_device_authorization(&client(), "https://example.com/start").await.unwrap_err(),
                service.register_client(&[], "https://example.com/start", LoginMethod::Pkce).await.unwrap_err(),
            ];
            for refusal in refusals {
                let error = service.error(&refusal, true);
                let text = format!("{error} {error:?} {refusal:?} {:?}", error.action());
                assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
                assert!(error.code() == Code::NetworkError && text.contains("the request could not be built"), "{text}");
            }
        }
    }

    #[test]
    fn an_endpoint_is_passed_on_as_it_was_judged() {
        for (written, expected) in [
            ("https://portal.example.com", "https://portal.example.com"),
            (" HTTPS://Portal.Example.com:443/ ", "https://portal.example.com"),
            ("https://portal.example.com:8443/a%20b/./c/", "https://portal.example.com:8443/a%20b/c"),
            ("http://127.1:80", "http://127.0.0.1"),
            ("http://[0:0::1]:4711", "http://[::1]:4711"),
            ("http://localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(endpoint_url(written).as_deref(), Some(expected), "{written}");
        }
        for refused in [
            "",
            "https",
            "https:",
            "https:/a",
            "https:a",
            "https:///a",
            "https:\\\\a",
            "https://a?b",
            "https://a#b",
            "https://a b",
            "https://ä.example.com",
            "https://a@b",
        ] {
            assert_eq!(endpoint_url(refused), None, "{refused}");
        }
    }

    #[test]
    fn an_error_repeats_no_secret_of_its_request_and_no_endless_message() {
        let (long, secret) = ("x".repeat(490), Secret::new("aoaAAAAsecret"));
        let body = format!(r#"{{"error":"aoaAAAAsecret","error_description":"{long}aoaAAAAsecret{long}"}}"#);
        let mut answer = HttpResponse::new(400.try_into().unwrap(), aws_smithy_types::body::SdkBody::from(body));
        answer.headers_mut().insert("x-amzn-requestid", "aoaAAAAsecret");
        let failure: SdkError<aws_sdk_sso::operation::logout::LogoutError, HttpResponse> =
            SdkError::service_error(aws_sdk_sso::operation::logout::LogoutError::unhandled("x"), answer);
        let refusal = refusal(&failure, &LastAnswer::default(), &[&secret]);
        assert!(!format!("{refusal:?}").contains("aoaAAAA"), "{refusal:?}");
        let Refusal::Answered { message, .. } = refusal else { panic!("{refusal:?}") };
        assert!(message.chars().count() == 500 && message.ends_with('…'), "{message}");
    }
}

//! Clients for the two services of IAM Identity Center, one pair for each combination of endpoints, proxy and certificates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_sdk_sso::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_sso::config::timeout::TimeoutConfig;
use aws_sdk_sso::config::{AppName, BehaviorVersion, Region, SharedHttpClient, StalledStreamProtectionConfig};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

use crate::error::Error;
use crate::mutex::locked;
use crate::outlet::{Outlet, Topic};
use crate::service::answers::Listener;
use crate::service::clock::ServerClock;
use crate::service::held_keys::HeldKeys;
use crate::service::http::{CONNECT_TIMEOUT, http_client};
use crate::service::pace::Pace;
use crate::service::proxy::ChosenProxy;
use crate::service::settings::{Endpoints, Settings};
use crate::world::World;

/// The name on the approval page and in the service's logs.
pub(super) const CLIENT_NAME: &str = "Set-AwsCliSsoCredentials";

/// The time limit for one attempt of a request; the run's own limit applies in addition.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often the SDK attempts a request that fails; `Pace` handles status 429 of the portal.
const ATTEMPTS: u32 = 4;

/// The clients that this process created; keeping them keeps connections and the known pace for the next run.
#[derive(Default)]
pub(crate) struct Services(Mutex<Made>);

#[derive(Default)]
struct Made {
    services: HashMap<Settings, Arc<Service>>,
    /// By endpoint of the portal: the service counts the requests of all clients for it together, whatever their proxy or CA bundle.
    paces: HashMap<String, Arc<Pace>>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// The clients for one region.
pub(crate) struct Service {
    pub(super) oidc: aws_sdk_ssooidc::Client,
    pub(super) portal: aws_sdk_sso::Client,
    pub(super) pace: Arc<Pace>,
    pub(super) settings: Settings,
    server_clock: Arc<ServerClock>,
    pub(super) oidc_host: Arc<OnceLock<String>>,
    pub(super) portal_host: Arc<OnceLock<String>>,
    pub(super) held: HeldKeys,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("region", &self.settings.endpoints.region).finish_non_exhaustive()
    }
}

/// Keeps the SDK from retrying throttled requests: only `Pace` knows when to send them.
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

impl Services {
    /// Returns the clients for the user's settings.
    pub(crate) fn of(&self, world: &World, region: &str) -> Result<Arc<Service>, Error> {
        let settings = Settings::of(world, region)?;
        let mut made = locked(&self.0);
        if let Some(service) = made.services.get(&settings) {
            return Ok(Arc::clone(service));
        }
        let pace = Arc::clone(made.paces.entry(settings.endpoints.portal()).or_default());
        if settings.proxy.proxy.is_some() {
            pace.stay_small();
        }
        let service = Arc::new(Service::over(settings.clone(), http_client(&settings)?, pace));
        made.services.insert(settings, Arc::clone(&service));
        Ok(service)
    }

    /// Puts the services of a region on a network for tests, in place of those that `of` would create.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn put_on(&self, network: crate::service::network::Network, world: &World, region: &str) {
        let settings = Settings::of(world, region).unwrap();
        locked(&self.0).services.insert(settings.clone(), Arc::new(network.service(settings)));
    }
}

/// Applies the settings that both clients share. The builders of the two SDK crates have the same methods but no common trait.
macro_rules! with_common_settings {
    ($builder:expr, $settings:expr, $http_client:expr, $listener:expr, $name:literal) => {{
        let Endpoints { region, fips, dual_stack, .. } = &$settings.endpoints;
        let mut builder = $builder
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .http_client($http_client)
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
            // The SDK's retry quota would fail half of 200 throttled calls, so it is unlimited here.
            .retry_partition(RetryPartition::custom(format!("{}-{region}", $name)).token_bucket(TokenBucket::unlimited()).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor($listener);
        builder.set_app_name(AppName::new(CLIENT_NAME).ok()).set_use_fips(Some(*fips)).set_use_dual_stack(Some(*dual_stack));
        builder
    }};
}

impl Service {
    pub(super) fn over(settings: Settings, http_client: SharedHttpClient, pace: Arc<Pace>) -> Self {
        let server_clock = Arc::new(ServerClock::default());
        let (oidc_host, portal_host) = (Arc::default(), Arc::default());
        let listener = |host: &Arc<OnceLock<String>>| Listener { clock: Arc::clone(&server_clock), host: Arc::clone(host) };

        let portal = aws_sdk_sso::config::Builder::new().retry_config(retries()).retry_classifier(LeftToThePace);
        let mut portal = with_common_settings!(portal, settings, http_client.clone(), listener(&portal_host), "portal");
        portal.set_endpoint_url(settings.endpoints.portal_url.clone());

        let oidc = aws_sdk_ssooidc::config::Builder::new()
            // The polls of a login have their own pace, which retries would break; the other requests use `patient`.
            .retry_config(RetryConfig::disabled())
            // By default, the SDK does not retry a 429 that names no exception.
            .retry_classifier(HttpStatusCodeClassifier::new_from_codes(&[429][..]));
        let mut oidc = with_common_settings!(oidc, settings, http_client, listener(&oidc_host), "oidc");
        oidc.set_endpoint_url(settings.endpoints.oidc_url.clone());

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

    /// Warns, once per process, about each variable whose proxy this service cannot use.
    pub(crate) fn warn_of_skipped_proxies(&self, outlet: &Outlet) {
        let ChosenProxy { proxy, skipped, .. } = &self.settings.proxy;
        for (variable, scheme) in skipped {
            if outlet.is_first_warning(Topic::Proxy, variable) {
                let instead = proxy.as_ref().map_or_else(|| "no proxy".to_owned(), |proxy| format!("the proxy in {}", proxy.source));
                outlet.warn(format!("The proxy in {variable} is not used: {scheme}:// is not supported, only HTTP proxies are. Using {instead} instead."));
            }
        }
    }

    /// The pace of requests to the portal, shared by all services with the same endpoint.
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// How far the server's clock is from the clock of this machine.
    pub(crate) fn clock(&self) -> &ServerClock {
        &self.server_clock
    }
}

/// How requests that fail are retried.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(250)).with_max_backoff(Duration::from_secs(5))
}

/// Retries a request to SSO-OIDC within the time limit of one attempt.
pub(super) fn patient() -> aws_sdk_ssooidc::config::Builder {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(ATTEMPT_TIMEOUT);
    aws_sdk_ssooidc::config::Builder::new().retry_config(retries()).timeout_config(timeouts.build())
}

//! Everything that distinguishes one client from another, from the caller's variables and the AWS config file.

use crate::error::{Code, Error};
use crate::service::certificates::{Certificates, ca_bundle};
use crate::service::proxy::{ChosenProxy, Proxy, place_of};
use crate::urls::is_trustworthy;
use crate::world::{Variables, World};

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Endpoints {
    pub(super) region: String,
    pub(super) oidc_url: Option<String>,
    pub(super) portal_url: Option<String>,
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

/// Everything that distinguishes one client from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Settings {
    pub(super) endpoints: Endpoints,
    pub(super) proxy: ChosenProxy,
    pub(super) no_proxy: Option<String>,
    pub(super) certificates: Option<Certificates>,
}

const OIDC_URL: &str = "AWS_ENDPOINT_URL_SSO_OIDC";
const PORTAL_URL: &str = "AWS_ENDPOINT_URL_SSO";
const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

impl Endpoints {
    fn of(variables: &Variables, region: &str) -> Result<Self, Error> {
        let flag = |variable: &str| variables.get(variable).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoints = Self {
            region: region.to_owned(),
            oidc_url: endpoint_of(variables, OIDC_URL)?,
            portal_url: endpoint_of(variables, PORTAL_URL)?,
            fips: flag(FIPS),
            dual_stack: flag(DUAL_STACK),
        };
        let own = [(OIDC_URL, endpoints.oidc_url.is_some()), (PORTAL_URL, endpoints.portal_url.is_some())];
        let kinds = [(FIPS, endpoints.fips), (DUAL_STACK, endpoints.dual_stack)];
        let set = |flags: [(&'static str, bool); 2]| flags.into_iter().find(|(_, is_set)| *is_set).map(|(variable, _)| variable);
        match (set(own), set(kinds)) {
            (Some(variable), Some(kind)) => {
                let message = format!("The variables {variable} and {kind} cannot be set together: a custom endpoint is used unchanged.");
                let error = Error::new(Code::EnvironmentInvalid, message).with_target(kind);
                Err(error.with_action(format!("Remove $env:{variable} or $env:{kind}.")))
            }
            _ => Ok(endpoints),
        }
    }

    /// Whether both endpoints use plain http, which is allowed only for loopback addresses; neither TLS nor a proxy is used then.
    pub(super) fn are_loopback(&self) -> bool {
        [&self.oidc_url, &self.portal_url].into_iter().all(|url| url.as_ref().is_some_and(|url| url.starts_with("http:")))
    }

    /// The hosts that requests may go to.
    fn hosts(&self) -> Vec<String> {
        let of_aws = |service: &str| {
            let names = [service.to_owned(), format!("{service}-fips")];
            let host = |name: &String| ["amazonaws.com", "amazonaws.com.cn", "api.aws"].map(|domain| format!("{name}.{}.{domain}", self.region));
            names.iter().flat_map(host).collect()
        };
        let hosts = [(&self.oidc_url, "oidc"), (&self.portal_url, "portal.sso")]
            .map(|(url, service)| url.as_ref().map_or_else(|| of_aws(service), |url| vec![host_of(url).to_owned()]));
        hosts.concat()
    }

    /// Identifies an endpoint of the portal.
    pub(super) fn portal(&self) -> String {
        let Self { region, portal_url, fips, dual_stack, .. } = self;
        portal_url.clone().unwrap_or_else(|| format!("{region}, fips {fips}, dual stack {dual_stack}"))
    }
}

/// The endpoint that a variable specifies.
fn endpoint_of(variables: &Variables, variable: &str) -> Result<Option<String>, Error> {
    let Some(written) = variables.get(variable) else { return Ok(None) };
    let invalid = || {
        let message = format!(
            "The variable {variable} must be an https URL such as https://sso.example.com, without a user name, query or fragment (http only for a loopback address), because the endpoint receives the access token."
        );
        Error::new(Code::EnvironmentInvalid, message).with_target(variable).with_action(format!("Correct $env:{variable} or remove it."))
    };
    endpoint_url(written).map(Some).ok_or_else(invalid)
}

impl Settings {
    pub(super) fn of(world: &World, region: &str) -> Result<Self, Error> {
        let endpoints = Endpoints::of(&world.variables, region)?;
        // Connections to this machine use neither a proxy nor a certificate.
        let (proxy, certificates) = if endpoints.are_loopback() { Default::default() } else { (ChosenProxy::of(world), ca_bundle(world)?) };
        let of_user = world.variables.get_either_case("NO_PROXY").map(str::to_owned);
        let of_system = proxy.system.iter().flat_map(|system| endpoints.hosts().into_iter().filter(|host| system.bypasses(host)));
        let bypassed: Vec<String> = of_user.into_iter().chain(of_system).collect();
        Ok(Self { endpoints, proxy, no_proxy: Some(bypassed.join(",")).filter(|rules| !rules.is_empty()), certificates })
    }

    /// The settings that a connection depends on, as the end of an error message.
    pub(super) fn in_words(&self) -> String {
        let proxy = self.proxy.proxy.as_ref().map_or_else(|| "none".to_owned(), Proxy::in_words);
        let certificates =
            self.certificates.as_ref().map_or_else(|| "system".to_owned(), |bundle| format!("system and {} ({})", bundle.path.display(), bundle.named_by));
        // A script is not run, which matters only where a connection failed without a proxy.
        let has_script = self.proxy.proxy.is_none() && self.proxy.system.as_ref().is_some_and(|system| system.has_script);
        let script = if has_script { ", since the system's proxy script (PAC) is not supported: set HTTPS_PROXY" } else { "" };
        format!("(Proxy: {proxy}{script}. CA certificates: {certificates}.)")
    }
}

/// The host of an address in an error message, without scheme and port.
pub(super) fn host_of(place: &str) -> &str {
    let host = place.split_once("://").map_or(place, |(_, host)| host);
    if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) }
}

/// An endpoint in normalized form, exactly as it was checked. It has a scheme, `//`, a host and a path with only the characters of RFC 3986, so that
/// the SDK parses it the same way. User name, query and fragment are refused: they have no use here, and may be secrets.
pub(super) fn endpoint_url(written: &str) -> Option<String> {
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

/// An endpoint for display: scheme, host and port.
pub(super) fn shown_endpoint(url: Option<&str>) -> Option<String> {
    url.and_then(|url| url::Url::parse(url).ok()).as_ref().and_then(place_of)
}

//! Where requests go, according to the endpoints, proxies and certificates in the caller's variables.

use std::sync::Arc;

use super::{Recorder, in_seconds, settings_of, world_with};
use crate::error::Code;
use crate::protocol::LoginMethod;
use crate::secret::Secret;
use crate::service::client::Services;
use crate::service::http::http_client;
use crate::service::settings::{Settings, endpoint_url};
use crate::system_proxy::SystemProxy;
use crate::world::World;

#[test]
fn a_ca_bundle_path_with_an_unset_variable_is_refused_and_the_error_names_the_setting() {
    let error = settings_of("us-west-2", &[("AWS_CA_BUNDLE", "$CERTS/company.pem")]).unwrap_err();
    assert_eq!((error.code(), error.target()), (Code::PathInvalid, Some("AWS_CA_BUNDLE")));
}

/// Where the first request of a login and the request for keys would go.
fn hosts(settings: Settings) -> [String; 2] {
    let recorder = Recorder::default();
    let service = recorder.network().service(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        service.register_client(&[], "", LoginMethod::DeviceCode).await.unwrap_err();
        service.role_credentials(&Secret::new("token"), "100000000000", "Role", in_seconds(10)).await.unwrap_err();
    });
    let seen = recorder.0.lock().unwrap();
    let [oidc, portal] = &seen[..] else { panic!("{seen:?}") };
    let oidc = oidc.strip_suffix("/client/register").unwrap();
    let portal = portal.strip_suffix("/federation/credentials?role_name=Role&account_id=100000000000").unwrap();
    [oidc.to_owned(), portal.to_owned()]
}

#[test]
fn every_partition_and_kind_of_endpoint_leads_to_the_host_of_aws() {
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "True");
    for (region, suffix, dual_stack_suffix) in [
        ("us-west-2", "amazonaws.com", "api.aws"),
        ("eu-central-1", "amazonaws.com", "api.aws"),
        ("us-gov-west-1", "amazonaws.com", "api.aws"),
        ("cn-north-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"),
    ] {
        // In GovCloud the plain host is also the FIPS one.
        let fips = if region.starts_with("us-gov") { "" } else { "-fips" };
        for (variables, kind, suffix) in
            [(&[][..], "", suffix), (&[FIPS], fips, suffix), (&[DUAL_STACK], "", dual_stack_suffix), (&[FIPS, DUAL_STACK], "-fips", dual_stack_suffix)]
        {
            let expected = [format!("https://oidc{kind}.{region}.{suffix}"), format!("https://portal.sso{kind}.{region}.{suffix}")];
            assert_eq!(hosts(settings_of(region, variables).unwrap()), expected, "{region} {variables:?}");
        }
    }
}

#[test]
fn a_custom_endpoint_is_used_unchanged_and_only_for_its_service() {
    let settings = settings_of("us-west-2", &[("AWS_ENDPOINT_URL_SSO", "https://portal.example.com/some/where/")]).unwrap();
    assert_eq!(hosts(settings), ["https://oidc.us-west-2.amazonaws.com", "https://portal.example.com/some/where"]);
}

#[test]
fn a_custom_endpoint_cannot_be_combined_with_fips_or_dual_stack() {
    for kind in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        for endpoint in ["AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO"] {
            let error = settings_of("us-west-2", &[(endpoint, "https://sso.example.com"), (kind, "true")]).unwrap_err();
            assert_eq!(error.code(), Code::EnvironmentInvalid);
            let text = error.to_string();
            assert!(text.contains(endpoint) && text.contains(kind), "{text}");
            assert!(settings_of("us-west-2", &[(endpoint, "https://sso.example.com"), (kind, "false")]).is_ok());
        }
    }
}

#[test]
fn all_clients_of_one_endpoint_share_its_pace() {
    let services = Services::default();
    let of = |region: &str, variables: &[(&str, &str)]| services.of(&world_with(variables), region).unwrap();
    let proxy = [("HTTPS_PROXY", "http://proxy.example.com:8080")];
    let own = [("AWS_ENDPOINT_URL_SSO", "https://portal.example.com")];
    let [plain, again, through_proxy, elsewhere, own, own_elsewhere] =
        [of("us-west-2", &[]), of("us-west-2", &[]), of("us-west-2", &proxy), of("eu-central-1", &[]), of("us-west-2", &own), of("eu-central-1", &own)];
    assert!(Arc::ptr_eq(&plain, &again), "one client for the lifetime of the process");
    assert!(Arc::ptr_eq(plain.pace(), through_proxy.pace()));
    assert!(!Arc::ptr_eq(plain.pace(), elsewhere.pace()));
    assert!(!Arc::ptr_eq(plain.pace(), own.pace()));
    assert!(Arc::ptr_eq(own.pace(), own_elsewhere.pace()));
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
        let settings = settings_of("us-west-2", &[("https_proxy", proxy)]).unwrap();
        let words = settings.in_words();
        assert!(words.starts_with(expected), "{words}");
        assert!(!format!("{settings:?}").contains("hunter2") && !format!("{settings:?}").contains("p@ss"));
    }
}

#[test]
fn the_proxy_is_the_first_one_that_can_be_used() {
    let chosen = |variables: &[(&str, &str)]| {
        let settings = settings_of("us-west-2", variables).unwrap();
        http_client(&settings).unwrap();
        (settings.proxy.proxy.map(|proxy| format!("{} {}", proxy.source, proxy.url)), settings.proxy.skipped.len())
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

/// The settings where the system has a proxy for all hosts but some.
fn settings_with_system(variables: &[(&str, &str)], system: fn() -> SystemProxy) -> Settings {
    let world = World { system_proxy: system, ..world_with(variables) };
    Settings::of(&world, "us-west-2").unwrap()
}

#[test]
fn the_proxy_of_the_system_is_used_if_no_variable_is_set() {
    let system = || SystemProxy { server: Some("acme:hunter2@proxy.example.com:8080".to_owned()), ..SystemProxy::default() };
    let settings = settings_with_system(&[], system);
    http_client(&settings).unwrap();
    assert!(settings.in_words().starts_with("(Proxy: proxy.example.com:8080 of the proxy settings of "), "{}", settings.in_words());
    assert!(!format!("{settings:?}").contains("hunter2"));
    let settings = settings_with_system(&[("HTTPS_PROXY", "mine:1")], system);
    assert!(settings.in_words().starts_with("(Proxy: mine:1 of HTTPS_PROXY."), "{}", settings.in_words());
    let settings = settings_with_system(&[("ALL_PROXY", "socks5://mine:1")], system);
    assert!(settings.in_words().starts_with("(Proxy: none."), "{}", settings.in_words());
}

#[test]
fn a_host_that_the_system_excepts_is_reached_without_its_proxy() {
    let system = || SystemProxy { server: Some("proxy:1".to_owned()), bypass: vec!["oidc.*".to_owned()], has_script: false };
    let rules = settings_with_system(&[("NO_PROXY", "example.com")], system).no_proxy.unwrap();
    assert!(rules.starts_with("example.com,oidc.us-west-2.amazonaws.com,"), "{rules}");
    assert!(!rules.contains("portal"), "{rules}");
    assert_eq!(settings_with_system(&[("HTTPS_PROXY", "mine:1")], system).no_proxy, None);
}

#[test]
fn a_proxy_script_of_the_system_is_named_where_a_connection_failed_without_a_proxy() {
    let script = || SystemProxy { has_script: true, ..SystemProxy::default() };
    let words = settings_with_system(&[], script).in_words();
    assert!(words.starts_with("(Proxy: none, since the system's proxy script (PAC) is not supported: set HTTPS_PROXY."), "{words}");
    assert!(!settings_with_system(&[("HTTPS_PROXY", "mine:1")], script).in_words().contains("PAC"));
}

#[test]
fn an_endpoint_is_passed_on_exactly_as_it_was_checked() {
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

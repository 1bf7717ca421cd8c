//! Endpoints and proxies as people write them.

use sso_stand_in::Control;

use crate::spoiler::{assert_keeps, secrets};
use crate::{Company, approving, assert_says};

#[test]
fn an_invalid_endpoint_url_is_refused_before_a_token_is_sent() {
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        let mut company = Company::with(approving(), 1);
        company.update().assert_created(1);
        let secrets = secrets(&company);
        for url in [
            "https:/portal.example.com",
            "https:portal.example.com",
            "https:///portal.example.com",
            "https:\\\\portal.example.com",
            "https:/\\portal.example.com",
            "ht\ttps://portal.example.com",
            "https://portal\n.example.com",
            "https://portal.example.com/a b",
            "https://portal.example.com\\x",
            "https://\"portal.example.com",
            "https://portal{.example.com",
            "https://porta%6c.example.com",
            "https://acme:hunter2@portal.example.com",
            "https://hunter2@portal.example.com",
            "https://@portal.example.com",
            "https://portal.example.com@hunter2.example.com",
            "https://portal.example.com?token=hunter2",
            "https://portal.example.com/#hunter2",
            "https://portal.example.com:",
            "https://portal.example.com:99999",
            "https://:443",
            "https://",
            "//portal.example.com",
            "http://portal.example.com",
            "http://127.0.0.1.example.com",
            "http:/127.0.0.1:1",
            "file:///etc/passwd",
        ] {
            // With an ended token the refresh token and the client's secret are sent, too.
            company.service.control(Control { expire_tokens: true, ..Control::default() });
            company.variable(variable, url);
            company.forget();
            let seen = company.forced();
            let error = seen.only_error("EnvironmentInvalid");
            assert_says(&error, &[variable, "https URL"]);
            assert_keeps(&secrets, &seen, url);
            assert!(!seen.text.contains("hunter2"), "{}", seen.text);
        }
    }
}

#[test]
fn every_spelling_of_an_endpoint_host_works() {
    let mut company = Company::without_session(approving(), 1);
    let port = company.service.url().rsplit_once(':').unwrap().1.to_owned();
    for url in
        [format!("HTTP://127.0.0.1:{port}"), format!(" http://127.1:{port}/ "), format!("http://LOCALHOST:{port}//"), format!("http://0x7f000001:{port}")]
    {
        company.turn_to(&url);
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{url}: {:?}", seen.failed);
    }
    company.assert_polite();
}

#[test]
fn an_error_shows_an_address_only_up_to_its_port() {
    let mut company = Company::with(approving(), 1);
    company.turn_to("http://127.0.0.1:1/hunter2/");
    for proxy in [
        "http://acme:hunter2@127.0.0.1:1",
        "acme:hunter2@127.0.0.1:1",
        "http://127.0.0.1:1/?token=hunter2",
        "http://127.0.0.1:1#hunter2",
        "http://127.0.0.1:1/hunter2",
        "127.0.0.1:1/?hunter2",
        "https://127.0.0.1:1?hunter2@x",
    ] {
        company.variable("HTTPS_PROXY", proxy);
        for url in ["http://127.0.0.1:1/hunter2/", "https://127.0.0.1:1/hunter2/"] {
            company.turn_to(url);
            let seen = company.update();
            assert_eq!(seen.codes(), ["NetworkError"], "{proxy}: {:?}", seen.failed);
            assert!(!seen.text.contains("hunter2") && seen.text.contains("://127.0.0.1:1"), "{proxy}: {}", seen.text);
        }
    }
}

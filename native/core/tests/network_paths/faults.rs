use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use sso_stand_in::{Control, Options};

use crate::relay::{answering, silent};
use crate::side_by_side::side_by_side;
use crate::{Company, approving, assert_says, deserted_port};

/// One fault of the stand-in, written `<how>:<operation>:<n>[:…]`.
fn with_fault(fault: &str, options: Options) -> Options {
    let (how, what) = fault.split_once(':').unwrap();
    match how {
        "fail" => Options { fail: vec![what.parse().unwrap()], ..options },
        "cut" => Options { cut: vec![what.parse().unwrap()], ..options },
        // Longer than the time limits of these tests: a run that waited on would get the answer.
        "hang" => Options { hang: vec![what.parse().unwrap()], hang_for: Some(15_000), ..options },
        "broken" => Options { broken_json: vec![what.parse().unwrap()], ..options },
        _ => unreachable!("{how}"),
    }
}

/// Whether names that do not exist are known to be none soon; a resolver that cannot be reached keeps everybody waiting.
fn dns_answers() -> bool {
    let started = Instant::now();
    let found = ("sso.nowhere.invalid", 443).to_socket_addrs();
    let answers = found.is_err() && started.elapsed() < Duration::from_secs(2);
    if !answers {
        eprintln!("skipped: this machine's DNS does not tell soon that a name does not exist");
    }
    answers
}

#[test]
fn a_host_name_that_does_not_resolve_is_one_error_that_names_it() {
    if !dns_answers() {
        return;
    }
    let mut company = Company::without_session(approving(), 3);
    company.turn_to("https://sso.nowhere.invalid");
    let error = company.update().only_error("NetworkError");
    assert_says(&error, &["The name sso.nowhere.invalid could not be resolved. (Proxy: none. CA certificates: system.)", "Check the network"]);
    assert_eq!(company.browser.opened(), 0);
}

#[test]
fn a_portal_name_that_does_not_resolve_is_one_error_and_no_login() {
    if !dns_answers() {
        return;
    }
    let mut company = Company::with(approving(), 5);
    company.update().assert_created(5);
    company.variable("AWS_ENDPOINT_URL_SSO", "https://portal.nowhere.invalid");
    let error = company.forced().only_error("NetworkError");
    assert_says(&error, &["The name portal.nowhere.invalid could not be resolved."]);
    assert_eq!((company.browser.opened(), company.service.stats().logins), (0, 0));
}

#[test]
fn three_cut_connections_in_a_row_are_retried() {
    let company = Company::with(with_fault("cut:GetRoleCredentials:3", approving()), 1);
    company.update().assert_created(1);
    assert_eq!(company.requests("GetRoleCredentials"), 4);
}

#[test]
fn connections_that_are_always_cut_are_an_error_and_the_file_does_not_change() {
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    let before = std::fs::read(company.aws("credentials")).unwrap();
    company.service.control(Control { cut: vec!["GetRoleCredentials:all".parse().unwrap()], ..Control::default() });
    let error = company.forced().only_error("NetworkError");
    assert_says(&error, &[company.service.url()]);
    assert_eq!(std::fs::read(company.aws("credentials")).unwrap(), before);
    assert_eq!(company.service.stats().logins, 0);
}

#[test]
fn permanent_server_errors_fail_each_profile_with_a_request_id() {
    side_by_side(["fail:GetRoleCredentials:all:500", "fail:GetRoleCredentials:all:503:bare"], |fault| {
        let company = Company::with(with_fault(fault, approving()), 2);
        let seen = company.update();
        assert_eq!(seen.codes(), ["ServiceError", "ServiceError"], "{fault}: {:?}", seen.failed);
        assert!(seen.failed.iter().all(|failed| failed.request_id.is_some()), "{fault}: {:?}", seen.failed);
        assert_eq!(company.requests("GetRoleCredentials"), 8, "{fault}: four tries each");
        assert_eq!(company.browser.opened(), 0, "{fault}");
        assert!(!company.aws("credentials").exists(), "{fault}");
    });
}

#[test]
fn three_server_errors_in_a_row_are_retried() {
    let company = Company::with(with_fault("fail:GetRoleCredentials:3:502:bare", approving()), 1);
    company.update().assert_created(1);
}

#[test]
fn a_portal_that_never_answers_is_an_error_at_the_time_limit_and_no_login() {
    let company = Company::with(approving(), 3);
    company.update().assert_created(3);
    company.service.control(Control { hang: vec!["GetRoleCredentials:all".parse().unwrap()], hang_for: Some(15_000), ..Control::default() });
    std::fs::remove_file(company.aws("credentials")).unwrap();
    let seen = company.update_within(1);
    assert_eq!(seen.codes(), ["NetworkError"; 3], "{:?}", seen.failed);
    assert_says(&seen.failed[0].message, &[company.service.url(), "did not respond in time"]);
    assert_eq!(company.browser.opened(), 0);
    assert!(!company.aws("credentials").exists());
}

#[test]
fn a_login_continues_after_a_poll_that_fails() {
    let faults = [
        "cut:CreateToken:1",
        "fail:CreateToken:1:500",
        "fail:CreateToken:1:503:bare",
        "broken:CreateToken:1",
        "fail:CreateToken:1:429",
        "fail:CreateToken:1:429:bare",
        "fail:CreateToken:3:500",
    ];
    side_by_side(faults, |fault| {
        // The first answer that counts is that the user has not approved yet.
        let company = Company::without_session(with_fault(fault, Options { approve_after_polls: Some(1), ..Options::default() }), 1);
        let seen = company.update();
        assert!(seen.failed.is_empty(), "{fault}: {:?}", seen.failed);
        assert_eq!((seen.verifications.len(), company.browser.opened()), (1, 1), "{fault}");
        let stats = company.service.stats();
        assert_eq!((stats.device_authorizations, stats.logins, stats.early_polls), (1, 1, 0), "{fault}");
    });
}

#[test]
fn a_login_whose_last_answer_is_lost_fails_and_opens_no_second_browser() {
    let company = Company::without_session(with_fault("cut:CreateToken:1", approving()), 1);
    // The service says that the code has been used already.
    assert_says(&company.update_within(20).only_error("LoginFailed"), &["Device code has already been used"]);
    assert_eq!(company.browser.opened(), 1);
    assert!(!company.aws("credentials").exists());
    // The next run starts over.
    company.update().assert_created(1);
}

#[test]
fn a_login_whose_polls_all_fail_ends_at_the_time_limit() {
    side_by_side(["hang:CreateToken:all", "fail:CreateToken:all:500", "broken:CreateToken:all", "fail:CreateToken:all:429"], |fault| {
        let company = Company::without_session(with_fault(fault, approving()), 1);
        let seen = company.update_within(2);
        assert_eq!(seen.codes(), ["LoginTimedOut"], "{fault}: {:?}", seen.failed);
        assert_eq!(company.browser.opened(), 1, "{fault}");
    });
}

#[test]
fn a_login_continues_after_an_error_before_the_code_is_shown() {
    for operation in ["RegisterClient", "StartDeviceAuthorization"] {
        let faults =
            ["cut:#:1", "cut:#:3", "fail:#:1:500", "fail:#:3:503:bare", "fail:#:1:429", "fail:#:1:429:bare"].map(|fault| fault.replace('#', operation));
        side_by_side(&faults, |fault| {
            let company = Company::without_session(with_fault(fault, approving()), 1);
            let seen = company.update();
            assert!(seen.failed.is_empty(), "{fault}: {:?}", seen.failed);
            assert_eq!((seen.verifications.len(), company.browser.opened(), company.service.stats().logins), (1, 1, 1), "{fault}");
        });
    }
}

#[test]
fn a_permanent_error_before_the_code_is_shown_is_one_error_and_opens_no_browser() {
    for operation in ["RegisterClient", "StartDeviceAuthorization"] {
        let faults = ["cut:#:all", "fail:#:all:500", "fail:#:all:503:bare", "fail:#:all:429", "broken:#:all"].map(|fault| fault.replace('#', operation));
        side_by_side(&faults, |fault| {
            let company = Company::without_session(with_fault(fault, approving()), 1);
            let seen = company.update();
            let code = match fault.split_once(':').unwrap() {
                ("cut", _) => "NetworkError",
                (_, what) if what.ends_with("429") => "Throttled",
                _ => "ServiceError",
            };
            assert_eq!(seen.codes(), [code], "{fault}: {:?}", seen.failed);
            assert!(code == "NetworkError" || fault.starts_with("broken") || seen.failed[0].request_id.is_some(), "{fault}: {:?}", seen.failed);
            assert_eq!((seen.verifications.len(), company.browser.opened()), (0, 0), "{fault}");
        });
    }
}

#[test]
fn a_login_service_that_never_answers_is_an_error_at_the_time_limit() {
    side_by_side(["hang:RegisterClient:all", "hang:StartDeviceAuthorization:all"], |fault| {
        let company = Company::without_session(with_fault(fault, approving()), 1);
        assert_eq!(company.update_within(1).codes(), ["NetworkError"], "{fault}");
        assert_eq!(company.browser.opened(), 0, "{fault}");
    });
}

#[test]
fn a_temporary_error_during_a_refresh_does_not_lead_to_a_login() {
    side_by_side(["fail:CreateToken:1:500", "fail:CreateToken:2:503:bare", "fail:CreateToken:1:429:bare"], |fault| {
        let company = Company::with(approving(), 1);
        company.update().assert_created(1);
        let (_, what) = fault.split_once(':').unwrap();
        company.service.control(Control { expire_tokens: true, fail: vec![what.parse().unwrap()], ..Control::default() });
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{fault}: {:?}", seen.failed);
        assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 1), "{fault}");
    });
}

#[test]
fn a_login_service_that_refuses_the_connection_is_one_error() {
    let mut company = Company::without_session(approving(), 1);
    let url = format!("http://127.0.0.1:{}", deserted_port());
    company.variable("AWS_ENDPOINT_URL_SSO_OIDC", url.as_str());
    let error = company.update().only_error("NetworkError");
    assert_says(&error, &[&url, "refused"]);
}

#[test]
fn a_refresh_that_never_answers_is_an_error_at_the_time_limit() {
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    company.service.control(Control { expire_tokens: true, hang: vec!["CreateToken:all".parse().unwrap()], hang_for: Some(15_000), ..Control::default() });
    std::fs::remove_file(company.aws("credentials")).unwrap();
    let error = company.update_within(1).only_error("NetworkError");
    assert_says(&error, &[company.service.url(), "did not respond in time"]);
    assert_eq!(company.browser.opened(), 0);
}

#[test]
fn a_captive_portal_is_one_error_and_opens_no_browser() {
    let page = "<html><body>Welcome! Please accept our terms.</body></html>";
    for head in ["200 OK\r\nContent-Type: text/html", "302 Found\r\nLocation: http://wifi.example.com/", "511 Network Authentication Required"] {
        let port = answering(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}", page.len()));
        let mut company = Company::without_session(approving(), 3);
        let url = format!("http://127.0.0.1:{port}");
        company.turn_to(&url);
        let error = company.update().only_error("ServiceError");
        assert_says(&error, &[&url]);
        assert_eq!(company.browser.opened(), 0, "{head}");
    }
}

#[test]
fn a_port_that_accepts_connections_and_never_answers_is_an_error_at_the_time_limit() {
    let mut company = Company::without_session(approving(), 1);
    for scheme in ["http", "https"] {
        company.turn_to(&format!("{scheme}://127.0.0.1:{}", silent()));
        assert_says(&company.update_within(1).only_error("NetworkError"), &["did not respond in time"]);
    }
    assert_eq!(company.browser.opened(), 0);
}

#[test]
fn a_custom_endpoint_with_fips_is_an_error_before_any_request() {
    let mut company = Company::without_session(approving(), 2);
    company.variable("AWS_USE_FIPS_ENDPOINT", "true");
    let error = company.update().only_error("EnvironmentInvalid");
    assert_says(&error, &["AWS_USE_FIPS_ENDPOINT", "AWS_ENDPOINT_URL_SSO"]);
    assert!(company.service.stats().requests.is_empty());
}

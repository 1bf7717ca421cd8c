//! Refreshing a session, and what follows where the service refuses.

use std::io::{Read as _, Write as _};

use sso_core::protocol::{Operation, SessionState, Update};
use sso_stand_in::{Control, Options};

use crate::sessions::{connect, edit_token, session, token, token_file, without_login};
use crate::side_by_side::side_by_side;
use crate::{Company, Seen, approving, update_of};

#[test]
fn a_token_that_expires_soon_is_refreshed_without_a_login() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 1));
}

#[test]
fn a_token_that_the_service_revoked_is_refreshed_once_for_all_profiles() {
    let company = Company::with(Options { delay: 20, ..approving() }, 20);
    company.update();
    company.service.control(Control { expire_tokens: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 1));
}

#[test]
fn a_session_that_can_no_longer_be_refreshed_leads_to_one_login() {
    let company = Company::with(approving(), 20);
    company.update();
    company.service.control(Control { expire_tokens: true, end_sessions: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, seen.verifications.len()), (1, 1));
}

#[test]
fn a_service_that_refuses_every_session_is_asked_for_at_most_two_logins() {
    let options = Options { fail: vec!["GetRoleCredentials:all:401".parse().unwrap()], ..approving() };
    let company = Company::without_session(options, 5);
    let seen = company.update();
    assert_eq!((seen.codes(), seen.failed[0].terminating), (vec!["LoginFailed".to_owned()], true));
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (2, 1));
}

#[test]
fn a_client_registration_that_the_service_no_longer_knows_is_renewed_once() {
    let company = Company::with(approving(), 1);
    company.update();
    for entry in std::fs::read_dir(company.aws("sso/cache")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("accessToken") {
            std::fs::remove_file(path).unwrap();
        } else if text.contains("clientId") {
            std::fs::write(path, text.replace("\"clientId\": \"", "\"clientId\": \"gone-")).unwrap();
        }
    }
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 1)].into(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().requests["RegisterClient"], 1);
}

#[test]
fn a_failed_refresh_keeps_a_valid_session_and_is_not_retried_at_once() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    company.service.control(Control { fail: vec!["CreateToken:all:500".parse().unwrap()], ..Control::default() });
    let mut tries = Vec::new();
    for _ in 0..3 {
        let seen = company.forced();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
        tries.push(company.requests("CreateToken"));
    }
    // The first run tries, with the retries that a 500 is worth; those within 30 s do not.
    assert!(tries[0] > 0 && tries == [tries[0]; 3], "{tries:?}");
}

#[test]
fn a_rotated_refresh_token_replaces_the_old_one_and_a_missing_one_does_not() {
    for rotate in [true, false] {
        let company = Company::with(Options { rotate_refresh_token: rotate, ..approving() }, 1);
        company.update();
        for refreshes in 1..=2 {
            company.clock.move_by(8 * 3600 + 60);
            let seen = company.update();
            assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
            assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, refreshes));
        }
    }
}

#[test]
fn a_registration_that_has_expired_is_renewed_with_the_login() {
    let company = Company::with(Options { registration_lifetime: 3600, ..approving() }, 1);
    company.update();
    company.clock.move_by(9 * 3600);
    assert_eq!(company.update().verifications.len(), 1);
    assert_eq!((company.service.stats().requests["RegisterClient"], company.service.stats().refreshes), (1, 0));
}

#[test]
fn a_failed_refresh_is_retried_before_a_login() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    company.service.control(Control { fail: vec!["CreateToken:all:500".parse().unwrap()], ..Control::default() });
    let seen = company.update();
    assert_eq!((seen.codes(), seen.verifications.len()), (vec!["ServiceError".to_owned()], 0));
    company.service.control(Control { clear: true, ..Control::default() });
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0));
}

#[test]
fn many_processes_and_runs_at_once_refresh_once() {
    let company = Company::with(approving(), 3);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    std::thread::scope(|scope| {
        for process in 0..3 {
            let company = &company;
            let memory = if process == 0 { std::sync::Arc::clone(&company.memory) } else { std::sync::Arc::default() };
            for _ in 0..2 {
                let (world, memory) = (company.world(), std::sync::Arc::clone(&memory));
                scope.spawn(move || {
                    let seen = Seen::all(&sso_core::run_with(Operation::Update(update_of("Acme")), world, memory));
                    assert!(seen.failed.is_empty() && seen.verifications.is_empty(), "{:?}", seen.failed);
                });
            }
        }
    });
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 1));
}

/// The service answers refreshes with this error; logins still work.
fn refusing_refreshes(company: &Company, fault: &str) {
    company.service.control(Control { fail: vec![format!("CreateToken:1:{fault}").parse().unwrap()], ..Control::default() });
}

#[test]
fn a_refused_refresh_leads_to_one_login_for_every_error_name() {
    side_by_side(
        [
            "400:InvalidRequestException",
            "400:InvalidRequestException:KMS_DisabledException",
            "400:InvalidScopeException",
            "400:UnsupportedGrantTypeException",
            "400:InvalidGrantException",
            "400:ExpiredTokenException",
            "400:AccessDeniedException",
            "400:UnauthorizedClientException",
            "401:InvalidClientException",
            "403:AccessDeniedException",
        ],
        |fault| {
            for operation in [Operation::Update(update_of("Acme")), connect()] {
                let company = Company::with(approving(), 1);
                company.update();
                company.clock.move_by(8 * 3600 + 60);
                refusing_refreshes(&company, fault);
                let seen = company.run(operation);
                assert!(seen.failed.is_empty(), "{fault}: {:?}", seen.failed);
                assert_eq!((seen.verifications.len(), company.service.stats().logins), (1, 1), "{fault}");
                assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Active, true), "{fault}");
            }
        },
    );
}

#[test]
fn a_revoked_token_that_cannot_be_refreshed_leads_to_one_login() {
    for refused in ["401", "401:bare"] {
        let company = Company::with(approving(), 3);
        company.update();
        let fail = [format!("GetRoleCredentials:1:{refused}"), "CreateToken:1:400:InvalidRequestException".to_owned()];
        company.service.control(Control { fail: fail.iter().map(|fault| fault.parse().unwrap()).collect(), ..Control::default() });
        let seen = company.forced();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 3)].into(), 1), "{refused}: {:?}", seen.failed);
        assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 0), "{refused}");
    }
}

#[test]
fn a_refresh_that_fails_temporarily_does_not_lead_to_a_login() {
    let faults =
        ["400:SlowDownException", "400:AuthorizationPendingException", "429", "429:bare", "500", "503:bare", "400:bare", "401:bare", "403:proxy", "401:proxy"];
    side_by_side(faults, |fault| {
        let company = Company::with(approving(), 1);
        company.update();
        company.clock.move_by(8 * 3600 + 60);
        company.service.control(Control { fail: vec![format!("CreateToken:all:{fault}").parse().unwrap()], ..Control::default() });
        let seen = company.update();
        assert_eq!((seen.failed.len(), seen.verifications.len()), (1, 0), "{fault}: {:?}", seen.failed);
        assert_eq!(session(&company).state, SessionState::Refreshable, "{fault}");
        company.service.control(Control { clear: true, ..Control::default() });
        let seen = company.update();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{fault}: {:?}", seen.failed);
    });
}

#[test]
fn a_valid_session_is_used_when_its_refresh_is_refused() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    refusing_refreshes(&company, "400:InvalidRequestException");
    let seen = company.forced();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Active, false));
}

#[test]
fn a_session_whose_refresh_was_refused_is_not_shown_as_refreshable_in_any_process() {
    let mut company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    assert_eq!(session(&company).state, SessionState::Refreshable);
    refusing_refreshes(&company, "400:InvalidRequestException");
    let before = token(&company);
    let seen = company.run(Operation::Update(Update { session: without_login(), ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginRequired"]);
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Ended, false));
    company.forget();
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Ended, false), "in a new process");
    // The file is the AWS CLI's too: its token stays, and what another tool writes there counts.
    assert_eq!(token(&company)["refreshToken"], before["refreshToken"]);
    edit_token(&company, |token| drop(token.insert("refreshToken".into(), "another".into())));
    assert_eq!(session(&company).state, SessionState::Refreshable);
    edit_token(&company, |token| drop(token.insert("refreshToken".into(), before["refreshToken"].clone())));
    // What the service refused once it may grant the next time.
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!(session(&company).state, SessionState::Active);
    assert!(!token(&company).contains_key("x_refresh_token_refused"));
}

#[test]
fn an_unknown_client_is_not_used_for_the_login_after_a_refused_refresh() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    refusing_refreshes(&company, "401:InvalidClientException");
    assert!(company.update().failed.is_empty());
    assert_eq!(company.service.stats().requests["RegisterClient"], 1);
}

#[test]
fn a_token_file_without_the_end_of_its_registration_is_refreshed() {
    for value in [None, Some(serde_json::Value::Null), Some("".into()), Some("someday".into())] {
        let mut company = Company::with(approving(), 1);
        company.update();
        edit_token(&company, |token| {
            token.shift_remove("registrationExpiresAt");
            if let Some(value) = &value {
                token.insert("registrationExpiresAt".into(), value.clone());
            }
        });
        company.forget();
        company.clock.move_by(8 * 3600 + 60);
        let shown = session(&company);
        assert_eq!((shown.state, shown.refreshable, shown.registration_expires), (SessionState::Refreshable, true, None), "{value:?}");
        let seen = company.update();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{value:?}: {:?}", seen.failed);
        assert_eq!(company.service.stats().refreshes, 1);
    }
}

#[test]
fn a_token_file_without_the_members_for_a_refresh_leads_to_a_login() {
    for missing in ["clientId", "clientSecret", "refreshToken"] {
        let mut company = Company::with(approving(), 1);
        company.update();
        edit_token(&company, |token| drop(token.shift_remove(missing)));
        company.forget();
        company.clock.move_by(8 * 3600 + 60);
        assert_eq!(session(&company).state, SessionState::Ended, "{missing}");
        assert_eq!(company.update().verifications.len(), 1, "{missing}");
        assert_eq!(company.service.stats().refreshes, 0, "{missing}");
    }
}

#[test]
fn a_session_that_another_program_refreshes_at_the_same_time_is_used() {
    let mut company = Company::with(approving(), 1);
    company.update();
    let (path, good) = (token_file(&company), std::fs::read(token_file(&company)).unwrap());
    edit_token(&company, |token| {
        token.insert("accessToken".into(), "ended".into());
        token.insert("expiresAt".into(), "2020-01-01T00:00:00Z".into());
        token.insert("refreshToken".into(), "rotated".into());
    });
    // The AWS CLI takes no lock of ours: while our refresh is on its way, its own makes our refresh token useless.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    company.variable("AWS_ENDPOINT_URL_SSO_OIDC", format!("http://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 8192]);
        std::fs::write(&path, &good).unwrap();
        let body = r#"{"error":"invalid_grant","error_description":"Invalid grant provided"}"#;
        let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).unwrap();
    });
    let seen = company.forced();
    assert!(seen.failed.is_empty() && seen.verifications.is_empty(), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 0));
    assert!(!token(&company).contains_key("x_refresh_token_refused"));
}

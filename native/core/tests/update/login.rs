use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use sso_core::protocol::{ConnectSession, Event, LoginMethod, Operation, Plan, SessionTerms, SetEnvironment, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, update_of, within};

#[test]
fn a_user_who_declines_gets_that_said_and_nothing_is_written() {
    let company = Company::with(Options { deny: true, ..Options::default() }, 2);
    let seen = company.update();
    assert_eq!(seen.codes(), ["LoginDeclined"]);
    assert!(seen.failed[0].terminating && seen.completed.is_empty());
    assert!(!company.aws("credentials").exists());
}

#[test]
fn a_code_that_nobody_approves_ends_the_login_when_it_expires() {
    let company = Company::with(Options { device_code_lifetime: 2, ..Options::default() }, 2);
    let started = Instant::now();
    assert_eq!(company.update().codes(), ["LoginTimedOut"]);
    assert!((Duration::from_millis(1900)..Duration::from_secs(30)).contains(&started.elapsed()), "{:?}", started.elapsed());
    company.assert_polite();
}

#[test]
fn a_time_limit_that_the_user_gave_bounds_the_login_too() {
    let company = Company::with(Options::default(), 2);
    let seen = company.run(Operation::Update(Update { session: within(1), ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginTimedOut"]);
}

#[test]
fn slow_down_makes_the_polls_slower() {
    let company = Company::with(Options { slow_down_at: vec![1], ..approving() }, 1);
    let started = Instant::now();
    assert_eq!(company.update().statuses(), [("Created", 1)].into());
    assert!(started.elapsed() >= Duration::from_secs(7), "1 s, then 6 s");
    company.assert_polite();
}

#[test]
fn an_interval_of_zero_or_none_means_five_seconds() {
    let run = |options| {
        let company = Company::with(options, 1);
        let started = Instant::now();
        assert_eq!(company.update().statuses(), [("Created", 1)].into());
        assert!(started.elapsed() >= Duration::from_secs(5));
        company.assert_polite();
    };
    let (zero, none) = (Options { interval: 0, ..approving() }, Options { no_interval: true, ..approving() });
    std::thread::scope(|scope| {
        scope.spawn(|| run(zero));
        scope.spawn(|| run(none));
    });
}

#[test]
fn a_start_url_that_the_service_refuses_is_named_with_its_region() {
    let company = Company::with(Options { reject_start_url: true, ..Options::default() }, 1);
    let seen = company.update();
    assert_eq!(seen.codes(), ["StartUrlRejected"]);
    let message = &seen.failed[0].message;
    assert!(message.contains("us-west-2") && message.contains("https://d-12345abcde.awsapps.com/start/"), "{message}");
}

#[test]
fn a_login_that_is_needed_but_not_allowed_is_said_before_anything_is_sent() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { login: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginRequired"]);
    assert!(company.service.stats().requests.values().all(|count| *count == 0));
}

#[test]
fn an_approval_on_the_device_page_lets_the_run_go_on() {
    let company = Company::with(Options::default(), 2);
    let run = company.start(Operation::Update(update_of("Acme")));
    let seen = Seen::watching(&run, |event| {
        if let Event::Verification(verification) = event {
            assert!(verification.browser_opened && verification.url.contains(verification.user_code.as_ref().unwrap()));
            company.service.control(Control { approve: verification.user_code.clone(), ..Control::default() });
        }
    });
    assert_eq!(seen.statuses(), [("Created", 2)].into());
}

#[test]
fn no_browser_is_opened_where_none_is_wanted_and_the_code_is_shown_all_the_same() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { browser: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert!(company.browser.urls.lock().unwrap().is_empty());
    assert!(!seen.verifications[0].browser_opened && seen.verifications[0].user_code.as_ref().is_some_and(|code| code.len() == 9));
}

#[test]
fn cancelling_during_the_wait_ends_it_at_once_without_an_error() {
    let company = Company::with(Options::default(), 1);
    let run = company.start(Operation::Update(update_of("Acme")));
    let mut cancelled = None;
    let seen = Seen::watching(&run, |event| {
        if matches!(event, Event::Verification(_)) {
            cancelled = Some(Instant::now());
            run.cancel();
        }
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(cancelled.unwrap().elapsed() < Duration::from_secs(5));
}

#[test]
fn a_token_that_is_soon_to_end_is_refreshed_without_a_login() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

#[test]
fn a_session_that_the_service_ended_early_is_refreshed_once_for_all_profiles() {
    let company = Company::with(Options { delay: 20, ..approving() }, 20);
    company.update();
    company.service.control(Control { expire_tokens: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

#[test]
fn a_session_that_cannot_be_refreshed_any_more_leads_to_one_login() {
    let company = Company::with(approving(), 20);
    company.update();
    company.service.control(Control { expire_tokens: true, end_sessions: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, seen.verifications.len()), (2, 1));
}

#[test]
fn a_service_that_refuses_every_session_is_asked_for_two_new_ones_at_most() {
    let options = Options { fail: vec!["GetRoleCredentials:all:401".parse().unwrap()], ..approving() };
    let company = Company::with(options, 5);
    let seen = company.update();
    assert_eq!((seen.codes(), seen.failed[0].terminating), (vec!["LoginFailed".to_owned()], true));
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (2, 1));
}

#[test]
fn a_registration_that_the_service_forgot_is_renewed_once() {
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
    assert_eq!(company.service.stats().requests["RegisterClient"], 2);
}

#[test]
fn two_runs_at_once_log_in_once() {
    let company = Company::with(approving(), 3);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| company.update())).collect();
        for run in runs {
            assert!(run.join().unwrap().failed.is_empty());
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn two_processes_at_once_log_in_once() {
    let company = Company::with(approving(), 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let seen = Seen::all(&sso_core::run_with(Operation::Update(update_of("Acme")), company.world(), std::sync::Arc::default()));
                assert!(seen.failed.is_empty(), "{:?}", seen.failed);
            });
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn a_run_that_may_not_log_in_does_not_wait_for_somebody_else_s_login() {
    let company = Company::with(Options::default(), 1);
    let waiting = company.start(Operation::Update(update_of("Acme")));
    while !matches!(waiting.next(), None | Some(Event::Verification(_))) {}
    for memory in [std::sync::Arc::clone(&company.memory), std::sync::Arc::default()] {
        let update = Update { session: SessionTerms { login: false, ..within(1) }, ..update_of("Acme") };
        let seen = Seen::all(&sso_core::run_with(Operation::Update(update), company.world(), memory));
        assert_eq!(seen.codes(), ["FileLocked"], "{:?}", seen.failed);
    }
}

#[test]
fn a_refresh_that_fails_leaves_a_good_session_in_use_and_is_not_tried_again_at_once() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    company.service.control(Control { fail: vec!["CreateToken:all:500".parse().unwrap()], ..Control::default() });
    let polls = || company.service.stats().requests["CreateToken"];
    for _ in 0..3 {
        let before = polls();
        let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
        // The first run tries, with the retries that a 500 is worth; those within 30 s do not.
        assert_eq!(polls() > before, before == 1, "{before}");
    }
}

#[test]
fn a_rotated_refresh_token_takes_the_place_of_the_old_one_and_an_absent_one_does_not() {
    for rotate in [true, false] {
        let company = Company::with(Options { rotate_refresh_token: rotate, ..approving() }, 1);
        company.update();
        for refreshes in 1..=2 {
            company.clock.move_by(8 * 3600 + 60);
            let seen = company.update();
            assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
            assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, refreshes));
        }
    }
}

#[test]
fn a_registration_that_has_expired_is_renewed_with_the_login() {
    let company = Company::with(Options { registration_lifetime: 3600, ..approving() }, 1);
    company.update();
    company.clock.move_by(9 * 3600);
    assert_eq!(company.update().verifications.len(), 1);
    assert_eq!((company.service.stats().requests["RegisterClient"], company.service.stats().refreshes), (2, 0));
}

#[test]
fn a_refresh_that_failed_a_moment_ago_is_tried_again_before_anybody_is_asked_to_log_in() {
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
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

/// A login by PKCE, with a browser that does this with the address.
fn by_pkce(company: &Company, browse: impl Fn(String) + Send + 'static) -> Seen {
    by_pkce_within(company, 30, browse)
}

fn by_pkce_within(company: &Company, seconds: u64, browse: impl Fn(String) + Send + 'static) -> Seen {
    let session = SessionTerms { login_method: LoginMethod::Pkce, timeout: Some(seconds), ..SessionTerms::default() };
    let run = company.start(Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session }));
    let mut browse = Some(browse);
    Seen::watching(&run, |event| {
        if let Event::Verification(verification) = event
            && let Some(browse) = browse.take()
        {
            let url = verification.url.clone();
            std::thread::spawn(move || browse(url));
        }
    })
}

/// What a browser gets, redirects not followed: the head of the answer with the page.
fn get(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", url.port().unwrap()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn location(answer: &str) -> String {
    answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned()
}

#[test]
fn a_login_by_pkce_needs_no_code_and_serves_the_aws_cli_too() {
    let company = Company::with(approving(), 1);
    let (pages, seen_pages) = std::sync::mpsc::channel();
    let seen = by_pkce(&company, move |url| {
        // A connection that is opened ahead and never used, and something that is no callback, hold up nobody.
        let port = url::Url::parse(&url)
            .unwrap()
            .query_pairs()
            .find(|(name, _)| name == "redirect_uri")
            .map(|(_, uri)| url::Url::parse(&uri).unwrap().port().unwrap())
            .unwrap();
        let _ahead = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        pages.send(get(&format!("http://127.0.0.1:{port}/favicon.ico"))).unwrap();
        pages.send(get(&location(&get(&url)))).unwrap();
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let verification = &seen.verifications[0];
    assert!(verification.user_code.is_none() && verification.qr_code.is_none() && verification.browser_opened);
    assert_eq!(*company.browser.urls.lock().unwrap(), std::slice::from_ref(&verification.url));
    assert!(
        verification.url.contains("/authorize?response_type=code&client_id=") && verification.url.contains("&scopes=sso%3Aaccount%3Aaccess&code_challenge=")
    );
    let pages: Vec<String> = seen_pages.iter().collect();
    assert!(pages[0].starts_with("HTTP/1.1 404") && pages[1].starts_with("HTTP/1.1 200"), "{pages:?}");
    assert!(pages[1].contains("You are logged in to Acme. You can close this window"), "{}", pages[1]);
    company.assert_polite();
    assert_eq!((company.requests("StartDeviceAuthorization"), company.requests("CreateToken")), (0, 1));
    assert_eq!(company.update().statuses(), [("Created", 1)].into());
}

#[test]
fn each_way_to_log_in_has_a_client_registration_of_its_own() {
    let company = Company::with(approving(), 1);
    let disconnect = || {
        let token = |path: &std::path::Path| std::fs::read_to_string(path).unwrap().contains("accessToken");
        let folder = company.aws("sso").join("cache");
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "json") && token(path))
            .for_each(|path| std::fs::remove_file(path).unwrap());
    };
    let pkce = || assert!(by_pkce(&company, |url| drop(get(&location(&get(&url))))).failed.is_empty());
    pkce();
    disconnect();
    pkce();
    assert_eq!(company.requests("RegisterClient"), 1, "the registration is kept");
    disconnect();
    company.update().assert_created(1);
    assert_eq!(company.requests("RegisterClient"), 2, "one of PKCE is not for the device flow");
    disconnect();
    pkce();
    assert_eq!(company.requests("RegisterClient"), 3, "and the other way round");
    company.assert_polite();
}

/// The port that the browser comes back to.
fn port_of(url: &str) -> u16 {
    let url = url::Url::parse(url).unwrap();
    let (_, back) = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    url::Url::parse(&back).unwrap().port().unwrap()
}

#[test]
fn connections_that_say_nothing_do_not_keep_the_browser_out() {
    let company = Company::with(approving(), 1);
    let (pages, seen_pages) = std::sync::mpsc::channel();
    let seen = by_pkce(&company, move |url| {
        let place = ("127.0.0.1", port_of(&url));
        let mut idle: Vec<std::net::TcpStream> = (0..200).map(|_| std::net::TcpStream::connect(place).unwrap()).collect();
        // Some have begun a request.
        for stream in idle.iter_mut().step_by(2) {
            let _ = stream.write_all(b"GET /oauth/callback?code=");
        }
        pages.send(get(&location(&get(&url)))).unwrap();
        drop(idle);
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(seen_pages.recv().unwrap().contains("You are logged in to Acme."));
}

#[test]
fn the_browser_s_page_says_that_the_user_is_logged_in_only_where_the_code_was_redeemed() {
    for (fault, code) in [
        (Options { fail: vec!["CreateToken:all:400:InvalidGrantException".parse().unwrap()], ..approving() }, "LoginFailed"),
        (Options { fail: vec!["CreateToken:all:500".parse().unwrap()], ..approving() }, "ServiceError"),
        (Options { broken_json: vec!["CreateToken:all".parse().unwrap()], ..approving() }, "ServiceError"),
        (Options { hang: vec!["CreateToken:all".parse().unwrap()], ..approving() }, "NetworkError"),
    ] {
        let company = Company::with(fault, 1);
        let (pages, seen_pages) = std::sync::mpsc::channel();
        let seen = by_pkce_within(&company, 5, move |url| pages.send(get(&location(&get(&url)))).unwrap());
        assert_eq!(seen.codes(), [code], "{:?}", seen.failed);
        let page = seen_pages.recv().unwrap();
        assert!(page.starts_with("HTTP/1.1 500") && page.contains("You are not logged in to Acme.") && !page.contains("You are logged in"), "{page}");
    }
}

#[test]
fn a_user_who_declines_in_the_browser_gets_that_said() {
    let company = Company::with(Options { deny: true, ..Options::default() }, 1);
    assert_eq!(by_pkce(&company, |url| drop(get(&location(&get(&url))))).codes(), ["LoginDeclined"]);
}

#[test]
fn an_error_that_the_service_sends_back_ends_a_login_by_pkce() {
    let company = Company::with(approving(), 1);
    let seen = by_pkce(&company, |url| {
        let answer = location(&get(&url)).replacen("code=", "error=server_error&error_description=No%0Aluck&x=", 1);
        assert!(get(&answer).starts_with("HTTP/1.1 400"));
    });
    let error = seen.only_error("LoginFailed");
    assert!(error.contains("server_error: Noluck") && error.contains("Is us-west-2 the region"), "{error}");
    assert_eq!(company.requests("CreateToken"), 0);
}

#[test]
fn stray_requests_to_the_callback_do_not_end_a_login_by_pkce() {
    let company = Company::with(approving(), 1);
    let (answers, seen_answers) = std::sync::mpsc::channel();
    let seen = by_pkce(&company, move |url| {
        let right = location(&get(&url));
        let callback = right.split('?').next().unwrap().to_owned();
        let strays = [
            right.replacen("state=", "state=0", 1),
            right.replacen("state=", "other=", 1),
            format!("{callback}?error=access_denied"),
            format!("{callback}?error=access_denied&error_description=no&state=another"),
            format!("{callback}?state=another"),
            callback.clone(),
            callback.replace("/oauth/callback", "/favicon.ico"),
            callback.replace("/oauth/callback", "/"),
        ];
        // More of them than may be connected at the same time.
        for stray in strays.iter().chain(&strays).chain(&strays) {
            answers.send(get(stray).lines().next().unwrap().to_owned()).unwrap();
        }
        assert!(get(&right).starts_with("HTTP/1.1 200"));
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().logins, 1);
    let answers: Vec<String> = seen_answers.iter().collect();
    assert_eq!(answers.len(), 24);
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 404")), "{answers:?}");
    company.assert_polite();
}

#[test]
fn a_login_that_nobody_could_approve_asks_whether_the_region_is_right() {
    for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
        let company = Company::with(Options { device_code_lifetime: 1, ..Options::default() }, 1);
        let session = SessionTerms { login_method, timeout: Some(1), ..SessionTerms::default() };
        let connect = Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session });
        let error = company.run(connect).only_error("LoginTimedOut");
        assert!(
            error.contains("Is us-west-2 the region of the IAM Identity Center instance with the start URL https://d-12345abcde.awsapps.com/start/?"),
            "{error}"
        );
        assert!(error.contains("Set-SsoEnvironment -Name Acme -Region"), "{error}");
    }
}

#[test]
fn a_region_whose_host_cannot_be_reached_is_asked_about() {
    let mut company = Company::with(approving(), 1);
    company.variable("AWS_ENDPOINT_URL_SSO_OIDC", "http://127.0.0.1:1");
    let error = company.update().only_error("NetworkError");
    assert!(error.contains("Is us-west-2 the region") && error.contains("https://d-12345abcde.awsapps.com/start/"), "{error}");
}

/// Sets a region, as it is stored or for one run.
fn warnings_of_region(company: &Company, region: &str, for_one_run: bool) -> Vec<String> {
    let mut world = company.world();
    let operation = if for_one_run {
        world.given = vec![serde_json::from_value(serde_json::json!({ "name": "Acme", "region": region })).unwrap()];
        Operation::Plan(Plan { environments: vec!["Acme".into()], force: false, minimum_remaining: 900, replace_keys: false, due_only: false })
    } else {
        Operation::SetEnvironment(SetEnvironment { name: "Acme".into(), region: Some(region.into()), ..SetEnvironment::default() })
    };
    let seen = company.run_in(world, operation);
    assert!(seen.failed.is_empty(), "{region}: {:?}", seen.failed);
    seen.notes
}

#[test]
fn a_region_that_aws_does_not_have_is_warned_of_when_it_is_set_and_can_be_used() {
    let company = Company::with(approving(), 1);
    for region in ["us-west2", "us-east-9", "eu-central1", "moon-base-1"] {
        for for_one_run in [false, true] {
            let warnings = warnings_of_region(&company, region, for_one_run);
            assert_eq!(warnings.iter().filter(|warning| warning.contains(region) && warning.contains("Did you mean")).count(), 1, "{warnings:?}");
        }
        assert!(warnings_of_region(&company, region, true).is_empty(), "once for the runs of a process");
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{region}: {:?}", seen.failed);
    }
    for region in ["us-west-2", "eu-central-2", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ap-southeast-7"] {
        for for_one_run in [false, true] {
            assert_eq!(warnings_of_region(&company, region, for_one_run), Vec::<String>::new(), "{region}");
        }
    }
}

#[test]
fn nobody_who_comes_back_ends_a_login_by_pkce_in_time_and_cancel_at_once() {
    let company = Company::with(approving(), 1);
    let session = SessionTerms { login_method: LoginMethod::Pkce, timeout: Some(1), ..SessionTerms::default() };
    let connect = |session| Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session });
    assert_eq!(company.run(connect(session.clone())).codes(), ["LoginTimedOut"]);
    let run = company.start(connect(SessionTerms { timeout: None, ..session }));
    let started = Instant::now();
    let seen = Seen::watching(&run, |event| {
        if matches!(event, Event::Verification(_)) {
            run.cancel();
        }
    });
    assert!(seen.failed.is_empty() && started.elapsed() < Duration::from_secs(5));
}

/// A place without a browser of its own.
struct NoBrowser;

impl sso_core::world::Browser for NoBrowser {
    fn open(&self, _url: &str, _variables: &sso_core::world::Variables) -> bool {
        panic!("no browser may be tried")
    }

    fn reason_against(&self, _variables: &sso_core::world::Variables) -> Option<&'static str> {
        Some("PowerShell runs over SSH")
    }
}

#[test]
fn where_the_browser_runs_elsewhere_the_code_is_shown_with_a_qr_code_whatever_was_wanted() {
    for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
        let company = Company::with(approving(), 1);
        let mut world = company.world();
        world.browser = std::sync::Arc::new(NoBrowser);
        let session = SessionTerms { login_method, ..SessionTerms::default() };
        let seen = company.run_in(world, Operation::Update(Update { session, ..update_of("Acme") }));
        seen.assert_created(1);
        let verification = &seen.verifications[0];
        assert!(!verification.browser_opened && verification.user_code.is_some());
        let lines = verification.qr_code.as_ref().unwrap();
        assert!(lines.len() <= 24 && lines.iter().all(|line| line.chars().count() <= 80));
        let said = |text: &str| seen.notes.iter().any(|note| note.contains(text));
        assert!(said("no browser is opened because PowerShell runs over SSH"));
        assert_eq!(said("because PowerShell runs over SSH; using a device code instead"), login_method == LoginMethod::Pkce);
    }
}

#[test]
fn no_qr_code_is_made_where_none_is_wanted_or_the_browser_has_the_page() {
    let company = Company::with(approving(), 1);
    for (browser, qr_code) in [(true, true), (false, false)] {
        let session = SessionTerms { browser, qr_code, token_cache: Some(sso_core::protocol::TokenCache::Memory), ..SessionTerms::default() };
        let seen = company.run(Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session }));
        assert!(seen.verifications.iter().all(|verification| verification.qr_code.is_none()));
    }
}

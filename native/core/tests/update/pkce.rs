//! The login by authorization code and PKCE.

use std::io::{Read as _, Write as _};

use sso_core::protocol::{ConnectSession, Event, LoginMethod, Operation, SessionTerms};
use sso_stand_in::Options;

use crate::{Company, Seen, approving};

/// A login by PKCE, with a browser that does this with the address.
fn by_pkce(company: &Company, browse: impl Fn(String) + Send + 'static) -> Seen {
    by_pkce_within(company, 30, browse)
}

fn by_pkce_within(company: &Company, seconds: u64, browse: impl Fn(String) + Send + 'static) -> Seen {
    let session = SessionTerms { login_method: LoginMethod::Pkce, timeout: Some(seconds), ..SessionTerms::default() };
    let run = company.start(Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session, ..ConnectSession::default() }));
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
fn a_login_by_pkce_needs_no_user_code() {
    let company = Company::without_session(approving(), 1);
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
fn each_login_method_has_its_own_client_registration() {
    let company = Company::without_session(approving(), 1);
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
fn idle_connections_do_not_block_the_browser() {
    let company = Company::without_session(approving(), 1);
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
fn the_browser_page_reports_success_only_after_the_code_was_redeemed() {
    for (fault, code) in [
        (Options { fail: vec!["CreateToken:all:400:InvalidGrantException".parse().unwrap()], ..approving() }, "LoginFailed"),
        (Options { fail: vec!["CreateToken:all:500".parse().unwrap()], ..approving() }, "ServiceError"),
        (Options { broken_json: vec!["CreateToken:all".parse().unwrap()], ..approving() }, "ServiceError"),
        (Options { hang: vec!["CreateToken:all".parse().unwrap()], ..approving() }, "NetworkError"),
    ] {
        let company = Company::without_session(fault, 1);
        let (pages, seen_pages) = std::sync::mpsc::channel();
        let seen = by_pkce_within(&company, 5, move |url| pages.send(get(&location(&get(&url)))).unwrap());
        assert_eq!(seen.codes(), [code], "{:?}", seen.failed);
        let page = seen_pages.recv().unwrap();
        assert!(page.starts_with("HTTP/1.1 500") && page.contains("You are not logged in to Acme.") && !page.contains("You are logged in"), "{page}");
    }
}

#[test]
fn a_login_that_the_user_declines_in_the_browser_is_reported_as_declined() {
    let company = Company::without_session(Options { deny: true, ..Options::default() }, 1);
    assert_eq!(by_pkce(&company, |url| drop(get(&location(&get(&url))))).codes(), ["LoginDeclined"]);
}

#[test]
fn an_error_that_the_service_sends_back_ends_a_login_by_pkce() {
    let company = Company::without_session(approving(), 1);
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
    let company = Company::without_session(approving(), 1);
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
fn a_login_by_pkce_that_the_browser_never_finishes_ends_at_the_time_limit_or_when_it_is_canceled() {
    let company = Company::without_session(approving(), 1);
    let connect = |timeout| {
        let session = SessionTerms { login_method: LoginMethod::Pkce, timeout: Some(timeout), ..SessionTerms::default() };
        Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session, ..ConnectSession::default() })
    };
    assert_eq!(company.run(connect(1)).codes(), ["LoginTimedOut"]);
    // Without the cancellation this one would time out, too.
    let run = company.start(connect(5));
    let seen = Seen::watching(&run, |event| {
        if matches!(event, Event::Verification(_)) {
            run.cancel();
        }
    });
    assert_eq!((seen.verifications.len(), seen.codes()), (1, Vec::new()));
}

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sso_stand_in::Control;

use crate::certificates::{Authority, LOOPBACK};
use crate::relay::{answering, silent};
use crate::{Company, approving, assert_says, deserted_port};

/// A tinyproxy on a port of this machine.
struct Proxy {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// None where tinyproxy is not installed.
    #[allow(clippy::disallowed_methods, reason = "the program is sought for the test and not for a run")]
    fn start(more: &str) -> Option<Self> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&paths).chain([PathBuf::from("/usr/bin"), PathBuf::from("/usr/sbin")]);
        let Some(program) = places.find_map(|folder| Some(folder.join("tinyproxy")).filter(|path| path.is_file())) else {
            eprintln!("skipped: tinyproxy is not installed");
            return None;
        };
        // Another process may take a port between its choice and the start.
        let started = (0..5).find_map(|_| Self::at(&program, deserted_port(), more));
        assert!(started.is_some(), "tinyproxy does not start");
        started
    }

    fn at(program: &Path, port: u16, more: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (configuration, log) = (folder.path().join("conf"), folder.path().join("log"));
        let text = format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogFile \"{}\"\nLogLevel Connect\nMaxClients 50\n{more}\n", log.display());
        std::fs::write(&configuration, text).unwrap();
        let process = Command::new(program).arg("-d").arg("-c").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut proxy = Self { process, port, folder };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) && proxy.process.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(proxy);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The hosts that it was asked to lead to.
    fn led_to(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines().filter_map(|line| line.split_once(": CONNECT ")).map(|(_, rest)| rest.split(' ').next().unwrap().to_owned()).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A company whose services are https, and the host and port of both.
fn company() -> (Company, String) {
    let authority = Authority::new("Acme Inspection");
    let mut company = Company::without_session(authority.serving(&LOOPBACK), 3);
    // The authority deletes its folder.
    std::fs::write(company.home.path().join("ca.pem"), authority.pem()).unwrap();
    company.variable("AWS_CA_BUNDLE", "ca.pem");
    let place = company.service.url().trim_start_matches("https://").to_owned();
    (company, place)
}

#[test]
fn https_proxy_and_all_proxy_are_used_in_upper_and_lower_case() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let Some(proxy) = Proxy::start("") else { return };
        let (mut company, place) = company();
        // Without a scheme it is the same proxy.
        let url = if variable.ends_with("PROXY") { proxy.url() } else { proxy.url().replace("http://", "") };
        company.variable(variable, url);
        company.update().assert_created(3);
        let led_to = proxy.led_to();
        assert!(!led_to.is_empty() && led_to.iter().all(|host| *host == place), "{variable}: {led_to:?}");
        assert!(company.service.stats().violations.is_empty());
    }
}

#[test]
fn no_proxy_bypasses_the_proxy() {
    let Some(proxy) = Proxy::start("") else { return };
    for (host, rules) in [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "example.com, 127.0.0.0/8"), ("localhost", "localhost"), ("localhost", "*")] {
        for variable in ["NO_PROXY", "no_proxy"] {
            let (mut company, place) = company();
            company.turn_to(&format!("https://{}", place.replace("127.0.0.1", host)));
            company.variable("HTTPS_PROXY", proxy.url());
            company.variable(variable, rules);
            company.update().assert_created(3);
            assert_eq!(proxy.led_to(), Vec::<String>::new(), "{variable}={rules}");
        }
    }
    let (mut company, _) = company();
    company.variable("HTTPS_PROXY", proxy.url());
    company.variable("NO_PROXY", "example.com,localhost");
    company.update().assert_created(3);
    assert!(!proxy.led_to().is_empty(), "the rules are for other hosts");
}

#[test]
fn a_proxy_gets_its_password_and_a_wrong_one_is_not_shown() {
    let Some(proxy) = Proxy::start("BasicAuth acme s3cr3t") else { return };
    let (mut company, place) = company();
    company.variable("HTTPS_PROXY", format!("http://acme:hunter2@127.0.0.1:{}", proxy.port));
    let seen = company.update();
    let error = seen.only_error("NetworkError");
    assert_says(&error, &[company.service.url(), "HTTPS_PROXY", &format!("127.0.0.1:{}", proxy.port), "user name and password"]);
    assert!(!seen.text.contains("hunter2") && !seen.text.contains("acme:"), "{}", seen.text);
    assert!(company.service.stats().requests.is_empty());

    company.variable("HTTPS_PROXY", format!("http://acme:s3cr3t@127.0.0.1:{}", proxy.port));
    let seen = company.update();
    seen.assert_created(3);
    assert!(!seen.text.contains("s3cr3t"));
    assert!(proxy.led_to().contains(&place));
}

#[test]
fn a_percent_encoded_proxy_password_works() {
    let Some(proxy) = Proxy::start("BasicAuth acme s3cr3t") else { return };
    let (mut company, _) = company();
    company.variable("HTTPS_PROXY", format!("http://acme:s3%63r%33t@127.0.0.1:{}", proxy.port));
    company.update().assert_created(3);
}

#[test]
fn the_error_of_an_unreachable_proxy_names_its_variable_without_the_password() {
    for (variable, scheme) in [("HTTPS_PROXY", "http://"), ("https_proxy", ""), ("ALL_PROXY", "HTTP://"), ("all_proxy", "http://")] {
        let (mut company, _) = company();
        let port = deserted_port();
        company.variable(variable, format!("{scheme}acme:hunter2@127.0.0.1:{port}"));
        let seen = company.update();
        assert_says(&seen.only_error("NetworkError"), &[variable, &format!("127.0.0.1:{port}"), "refused"]);
        assert!(!seen.text.contains("hunter2"), "{}", seen.text);
        assert_eq!(company.browser.opened(), 0);
    }
}

#[test]
fn the_error_of_an_invalid_proxy_url_names_the_variable_without_its_value() {
    for written in [
        "http://acme:hunter2@",
        "ftp://acme:hunter2@proxy",
        "http://acme:hunt er2@proxy:1",
        "://hunter2",
        "http://hunter2:hunter2:hunter2",
        "hunter2:hunter2:hunter2",
        "acme:hunter2@",
    ] {
        let (mut company, _) = company();
        company.variable("HTTPS_PROXY", written);
        let seen = company.update();
        assert_says(&seen.only_error("NetworkError"), &["HTTPS_PROXY"]);
        assert!(!seen.text.contains("hunter2") && !seen.text.contains("hunt er2"), "{written}: {}", seen.text);
    }
}

#[test]
fn loopback_services_without_tls_are_never_reached_through_a_proxy() {
    let mut company = Company::with(approving(), 3);
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        company.variable(variable, format!("http://127.0.0.1:{}", deserted_port()));
    }
    company.update().assert_created(3);
}

#[test]
fn a_proxy_that_never_answers_is_an_error_at_the_time_limit_that_names_it() {
    let (mut company, _) = company();
    company.variable("HTTPS_PROXY", format!("http://acme:hunter2@127.0.0.1:{}", silent()));
    let seen = company.update_within(1);
    assert_says(&seen.only_error("NetworkError"), &["HTTPS_PROXY", "did not respond in time"]);
    assert!(!seen.text.contains("hunter2"), "{}", seen.text);
}

#[test]
fn a_socks_proxy_is_skipped_with_one_warning_that_names_its_variable_and_not_its_password() {
    for (variable, value) in [
        ("HTTPS_PROXY", "socks5://acme:hunter2@127.0.0.1:1"),
        ("https_proxy", "SOCKS5H://acme:hunter2@127.0.0.1:1"),
        ("ALL_PROXY", "socks4://acme:hunter2@127.0.0.1:1"),
        ("all_proxy", "socks5://127.0.0.1:1"),
    ] {
        let (mut company, _) = company();
        company.seed_session(None);
        company.variable(variable, value);
        let seen = company.update();
        seen.assert_created(3);
        let warning = |seen: &crate::Seen| seen.notes.iter().filter(|note| note.contains(variable) && note.contains("only HTTP proxies")).count();
        assert_eq!(warning(&seen), 1, "{:?}", seen.notes);
        assert!(!seen.text.contains("hunter2"), "{}", seen.text);
        assert_eq!(warning(&company.forced()), 0, "once for each process");
    }
}

#[test]
fn all_proxy_is_used_where_https_proxy_is_not_usable() {
    let Some(proxy) = Proxy::start("") else { return };
    let (mut company, place) = company();
    company.variable("https_proxy", "socks5h://127.0.0.1:1");
    company.variable("ALL_PROXY", proxy.url().replace("http://", ""));
    let seen = company.update();
    seen.assert_created(3);
    assert!(seen.notes.iter().any(|note| note.contains("https_proxy") && note.contains("Using the proxy in ALL_PROXY instead")), "{:?}", seen.notes);
    assert!(proxy.led_to().contains(&place));
}

#[test]
fn a_401_of_the_portal_and_one_of_the_proxy_are_distinguished_behind_a_proxy() {
    let Some(proxy) = Proxy::start("") else { return };
    for (fault, refreshes) in [("bare", 1), ("proxy", 0)] {
        let (mut company, _) = company();
        company.seed_session(None);
        company.variable("HTTPS_PROXY", proxy.url());
        company.update().assert_created(3);
        company.service.control(Control { fail: vec![format!("GetRoleCredentials:3:401:{fault}").parse().unwrap()], ..Control::default() });
        let seen = company.forced();
        assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, refreshes), "{fault}: {:?}", seen.failed);
        assert_eq!(seen.failed.is_empty(), refreshes == 1, "{fault}: {:?}", seen.failed);
    }
}

#[test]
fn a_proxy_that_refuses_the_tunnel_with_401_does_not_lead_to_a_login() {
    let port = answering("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Acme\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
    let (mut company, _) = company();
    company.seed_session(None);
    company.update().assert_created(3);
    company.variable("https_proxy", format!("127.0.0.1:{port}"));
    let seen = company.forced();
    assert_says(&seen.only_error("NetworkError"), &["https_proxy", &format!("127.0.0.1:{port}")]);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 0));
}

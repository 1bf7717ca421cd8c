//! A service that answers what no service does, and what becomes of it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use sso_core::protocol::{AccountView, DisconnectSession, Event, GetAccount, GetRole, Operation, SessionTerms, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, assert_says, within};

/// An answer of the stand-in on its way to the client.
struct Answer {
    /// The lines of the head without the empty one at the end.
    head: Vec<String>,
    body: String,
    /// Whether the last kilobyte of the body is sent again and again, without an end.
    endless: bool,
    /// What it answers, head and body.
    request: String,
}

impl Answer {
    fn header(&mut self, name: &str, value: &str) {
        self.head.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())));
        self.head.push(format!("{name}: {value}"));
    }

    fn status(&mut self, status: &str) {
        self.head[0] = format!("HTTP/1.1 {status}");
    }

    fn says(&mut self, body: &str) {
        body.clone_into(&mut self.body);
    }

    /// Puts a value in place of each value of a member of the JSON object, or of an object inside it.
    fn member(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        fn replace(object: &mut serde_json::Value, name: &str, value: &serde_json::Value) {
            match object {
                serde_json::Value::Object(members) => {
                    for (member, old) in members {
                        if member == name { old.clone_from(value) } else { replace(old, name, value) }
                    }
                }
                serde_json::Value::Array(items) => items.iter_mut().for_each(|item| replace(item, name, value)),
                _ => {}
            }
        }
        let mut object = serde_json::from_str(&self.body).unwrap();
        replace(&mut object, name, &value.into());
        self.body = object.to_string();
    }

    fn send(mut self, to: &mut TcpStream) -> std::io::Result<()> {
        self.header("Connection", "close");
        if self.endless {
            self.head.retain(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
            self.header("Transfer-Encoding", "chunked");
            write!(to, "{}\r\n\r\n", self.head.join("\r\n"))?;
            let chunk = format!("{:x}\r\n{}\r\n", self.body.len(), self.body);
            loop {
                to.write_all(chunk.as_bytes())?;
            }
        }
        if !self.head.iter().any(|line| line.starts_with("Content-Length: ")) {
            let length = self.body.len().to_string();
            self.header("content-length", &length);
        }
        write!(to, "{}\r\n\r\n{}", self.head.join("\r\n"), self.body)
    }
}

type Spoil = Box<dyn Fn(&str, &mut Answer) + Send>;

/// A way to the stand-in on which answers are changed.
struct Spoiler {
    spoil: Arc<Mutex<Spoil>>,
}

impl Spoiler {
    fn before(company: &mut Company) -> Self {
        let place = company.service.url().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spoil: Arc<Mutex<Spoil>> = Arc::new(Mutex::new(Box::new(|_, _| {})));
        let shared = Arc::clone(&spoil);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (place, spoil) = (place.clone(), Arc::clone(&shared));
                thread::spawn(move || pass(client, &place, &spoil));
            }
        });
        company.turn_to(&url);
        Self { spoil }
    }

    /// Changes each answer from now on; the path has no query.
    fn set(&self, spoil: impl Fn(&str, &mut Answer) + Send + 'static) {
        *self.spoil.lock().unwrap() = Box::new(spoil);
    }
}

fn pass(mut client: TcpStream, place: &str, spoil: &Mutex<Spoil>) -> Option<()> {
    let request = read_message(&mut client)?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1)?.split('?').next()?.to_owned();
    let mut service = TcpStream::connect(place).ok()?;
    service.write_all(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).ok()?;
    let request = text;
    let bytes = read_message(&mut service)?;
    let text = String::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut answer = Answer { head: head.lines().map(str::to_owned).collect(), body: body.to_owned(), endless: false, request };
    answer.head.retain(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    spoil.lock().unwrap()(&path, &mut answer);
    answer.send(&mut client).ok()
}

/// A head and the body that it announces.
fn read_message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        if let Some(end) = message.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&message[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
            if message.len() >= end + 4 + length {
                return Some(message);
            }
        }
        let mut part = [0; 16 * 1024];
        match from.read(&mut part) {
            Ok(count) if count > 0 => message.extend_from_slice(&part[..count]),
            _ => return None,
        }
    }
}

const KEYS: &str = "/federation/credentials";
const TOKEN: &str = "/token";

/// A company whose service can be spoiled; its user has a session.
fn company(options: Options) -> (Company, Spoiler) {
    let (company, spoiler) = logged_out(options);
    company.seed_session(None);
    (company, spoiler)
}

/// The same before the first login.
fn logged_out(options: Options) -> (Company, Spoiler) {
    let mut company = Company::without_session(options, 2);
    let spoiler = Spoiler::before(&mut company);
    (company, spoiler)
}

/// The secrets in the files of the cache.
fn secrets(company: &Company) -> Vec<String> {
    let files = std::fs::read_dir(company.aws("sso/cache")).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let objects: Vec<serde_json::Value> = files.filter_map(|bytes| serde_json::from_slice(&bytes).ok()).collect();
    let values = objects.iter().flat_map(|object| ["accessToken", "refreshToken", "clientSecret"].map(|name| object[name].as_str()));
    values.flatten().map(str::to_owned).collect()
}

#[track_caller]
fn assert_keeps(secrets: &[String], seen: &Seen, what: &str) {
    assert!(secrets.len() >= 3, "{secrets:?}");
    for secret in secrets {
        assert!(!seen.text.contains(secret.as_str()), "{what}: {}", seen.text);
    }
    // Those of answers that were thrown away are in no file; this is what all of the stand-in's begin with.
    for start in ["IQoJb3JpZ2luX2VjE", "aoaAAAAA", "aorAAAAA", "eyJraWQiOi"] {
        assert!(!seen.text.contains(start), "{what}: {}", seen.text);
    }
}

/// Tries all cases side by side, since most of their time is waiting.
fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}

fn accounts() -> Operation {
    Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session: SessionTerms::default() })
}

#[test]
fn an_endpoint_that_is_no_url_of_a_host_is_refused_before_a_token_is_sent_or_shown() {
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
fn an_endpoint_is_used_in_whatever_way_its_host_is_written() {
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
fn an_address_in_an_error_is_shown_up_to_its_port() {
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

/// A fault of an answer, and what it is.
type Fault = (&'static str, fn(&mut Answer));

/// All that can be wrong with an answer; `secrets` of the request stand for `SECRETS` in it.
const FAULTS: [Fault; 12] = [
    ("half of the JSON", |answer| answer.body.truncate(answer.body.len() / 2)),
    ("no JSON", |answer| answer.says("SECRETS")),
    ("an empty object", |answer| answer.says("{}")),
    ("members of other types", |answer| answer.body = answer.body.replace(":\"", ":[\"").replace("\",", "\"],")),
    ("no HTTP", |answer| answer.head = vec!["SECRETS".to_owned()]),
    ("a status that is none", |answer| answer.status("9999 SECRETS")),
    ("a header that is none", |answer| answer.head.push("SECRETS\u{1}: \u{1}SECRETS".to_owned())),
    ("a longer body", |answer| answer.header("Content-Length", "5000")),
    ("an echo in JSON", |answer| {
        answer.status("400 Bad Request");
        answer.header("x-amzn-errortype", "SECRETS");
        answer.says(r#"{"error":"SECRETS","error_description":"It was SECRETS","message":"It was SECRETS","__type":"SECRETS"}"#);
    }),
    ("an echo with a server's fault", |answer| {
        answer.status("500 SECRETS");
        answer.header("x-amzn-requestid", "SECRETS");
        answer.says(r#"{"message":"SECRETS SECRETS"}"#);
    }),
    ("a page of a proxy", |answer| {
        answer.status("502 Bad Gateway");
        answer.head.retain(|line| !line.to_ascii_lowercase().starts_with("x-amzn"));
        answer.says("<html>SECRETS</html>");
    }),
    ("another place", |answer| {
        answer.status("302 Found");
        answer.header("Location", "http://127.0.0.1:1/SECRETS");
    }),
];

#[test]
fn no_failure_of_a_request_shows_a_token() {
    for (path, operation) in [
        (KEYS, Operation::Update(Update { force: true, session: within(2), ..crate::update() })),
        (TOKEN, Operation::Update(Update { force: true, session: within(2), ..crate::update() })),
        ("/assignment/accounts", Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session: within(2) })),
        ("/logout", Operation::DisconnectSession(DisconnectSession { environments: vec!["Acme".into()], remove_credentials: false })),
    ] {
        side_by_side(FAULTS.map(|fault| (fault, operation.clone())), |((what, fault), operation)| {
            let (company, spoiler) = company(approving());
            company.update().assert_created(2);
            let secrets = secrets(&company);
            if path == TOKEN {
                company.service.control(Control { expire_tokens: true, ..Control::default() });
            }
            let (known, shown) = (secrets.clone(), Arc::new(AtomicUsize::new(0)));
            let count = Arc::clone(&shown);
            spoiler.set(move |at, answer| {
                if at == path {
                    fault(answer);
                    let sent: Vec<&str> = known.iter().map(String::as_str).filter(|secret| answer.request.contains(secret)).collect();
                    count.fetch_add(sent.len(), Ordering::Relaxed);
                    let echo = sent.join(" ");
                    answer.head.iter_mut().chain([&mut answer.body]).for_each(|text| *text = text.replace("SECRETS", &echo));
                }
            });
            let seen = company.run(operation);
            assert!(shown.load(Ordering::Relaxed) > 0, "{path}: {what}: no secret was sent");
            assert_keeps(&secrets, &seen, &format!("{path}: {what}"));
            assert!(!seen.codes().contains(&"InternalError".to_owned()), "{path}: {what}: {:?}", seen.failed);
        });
    }
}

#[test]
fn an_answer_without_an_end_is_an_error_of_every_operation() {
    let limited: [Fault; 2] = [
        ("chunks without an end", |answer| {
            answer.body = " ".repeat(1024);
            answer.endless = true;
        }),
        ("an announced length", |answer| answer.header("Content-Length", "5000000000")),
    ];
    let listed = || Operation::GetRole(roles_of(&["100000000000"]));
    side_by_side(
        [
            ("/client/register", None),
            ("/device_authorization", None),
            (TOKEN, None),
            (KEYS, None),
            ("/assignment/accounts", Some(accounts as fn() -> Operation)),
            ("/assignment/roles", Some(listed)),
        ],
        |(path, operation)| {
            for (what, fault) in limited {
                let (company, spoiler) = logged_out(approving());
                let tries = Arc::new(AtomicUsize::new(0));
                let count = Arc::clone(&tries);
                spoiler.set(move |at, answer| {
                    if at == path {
                        count.fetch_add(1, Ordering::Relaxed);
                        fault(answer);
                    }
                });
                let seen = operation.map_or_else(|| company.update(), |operation| company.run(operation()));
                assert!(!seen.failed.is_empty() && seen.codes().iter().all(|code| code == "ServiceError"), "{path}, {what}: {:?}", seen.failed);
                assert_says(&seen.failed[0].message, &["larger than 1 MB"]);
                // A request for each of the two profiles, and none of any kind is tried again.
                assert_eq!(tries.load(Ordering::Relaxed), if path == KEYS { 2 } else { 1 }, "{path}, {what}");
            }
        },
    );
}

fn roles_of(accounts: &[&str]) -> GetRole {
    let account = |id: &&str| AccountView { environment: "Acme".into(), account_id: (*id).to_owned(), account_name: None, email_address: None };
    GetRole { environment: "Acme".into(), accounts: accounts.iter().map(account).collect(), known: false, throttle_limit: 4, session: SessionTerms::default() }
}

/// Puts pages of so many accounts in place of each page, the next of which has another token each time.
fn endless_pages(spoiler: &Spoiler, items: usize) -> Arc<AtomicUsize> {
    let pages = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pages);
    spoiler.set(move |path, answer| {
        let (list, item) = match path {
            "/assignment/accounts" => ("accountList", r#"{"accountId":"100000000000","accountName":"A"}"#),
            "/assignment/roles" => ("roleList", r#"{"roleName":"R","accountId":"100000000000"}"#),
            _ => return,
        };
        let number = count.fetch_add(1, Ordering::Relaxed);
        answer.status("200 OK");
        answer.body = format!(r#"{{"nextToken":"page{number}","{list}":[{}]}}"#, vec![item; items].join(","));
    });
    pages
}

#[test]
fn a_list_without_an_end_is_an_error_at_its_thousandth_page_or_its_hundred_thousandth_item() {
    for operation in [accounts(), Operation::GetRole(roles_of(&["100000000000"]))] {
        for (items, most, error) in [(1, 1000, "more than 1000 pages"), (10_000, 11, "more than 100000 items")] {
            let (company, spoiler) = company(approving());
            let pages = endless_pages(&spoiler, items);
            let seen = company.run(operation.clone());
            assert_says(&seen.only_error("ServiceError"), &[error]);
            assert_eq!(pages.load(Ordering::Relaxed), most);
        }
    }
}

#[test]
fn a_list_of_roles_in_many_accounts_ends_too() {
    let (company, spoiler) = company(approving());
    spoiler.set(|path, answer| {
        if path == "/assignment/roles" {
            let role = r#"{"roleName":"R","accountId":"100000000000"}"#;
            answer.body = format!(r#"{{"roleList":[{}]}}"#, vec![role; 20_000].join(","));
        }
    });
    let ids: Vec<String> = (0..20).map(|number| format!("{:012}", 100_000_000_000_u64 + number)).collect();
    let seen = company.run(Operation::GetRole(roles_of(&ids.iter().map(String::as_str).collect::<Vec<_>>())));
    assert!(!seen.failed.is_empty() && seen.failed.iter().all(|failed| failed.message.contains("more than 100000 items")), "{:?}", seen.failed);
}

#[test]
fn a_text_of_the_service_that_nobody_could_read_is_an_error_that_names_it() {
    let long = |length: usize| "x".repeat(length);
    side_by_side(
        [
            ("/assignment/accounts", "accountName", long(257), "name of an account"),
            ("/assignment/accounts", "emailAddress", long(257), "e-mail address"),
            ("/assignment/accounts", "accountId", long(5000), "account id"),
            ("/assignment/accounts", "nextToken", long(20_000), "next page"),
            ("/device_authorization", "userCode", long(65), "user code"),
            ("/device_authorization", "verificationUriComplete", format!("https://example.com/{}", long(2048)), "address"),
            ("/device_authorization", "deviceCode", long(20_000), "device code"),
            ("/client/register", "clientId", long(2000), "client id"),
            ("/client/register", "clientId", "a\r\nb".to_owned(), "client id"),
        ],
        |(path, member, value, name)| {
            let (company, spoiler) = logged_out(approving());
            spoiler.set(move |at, answer| {
                if at == path {
                    answer.member(member, value.as_str());
                }
            });
            let seen = company.run(accounts());
            assert_says(&seen.only_error("ServiceError"), &["cannot be used", name]);
            assert!(seen.text.len() < 4000, "{}", seen.text);
        },
    );
}

#[test]
fn the_longest_names_that_the_service_has_are_listed() {
    let (company, spoiler) = company(Options { accounts: 1, ..approving() });
    let name = "ü".repeat(256);
    let given = name.clone();
    spoiler.set(move |path, answer| {
        if path == "/assignment/accounts" {
            answer.member("accountName", given.as_str());
        }
    });
    let named = company.events(accounts()).into_iter().filter_map(|event| if let Event::Account(account) = event { account.account_name } else { None });
    assert_eq!(named.collect::<Vec<_>>(), [name]);
}

#[test]
fn a_text_that_turns_its_direction_or_hides_is_listed_without_that() {
    let (company, spoiler) = company(Options { accounts: 1, ..approving() });
    spoiler.set(|path, answer| {
        if path == "/assignment/accounts" {
            answer.member("accountName", "\u{202e}Ac\u{200b}me\u{2066} \u{ad}\u{feff}Pro\u{e0041}d\u{2028}");
        }
    });
    let seen = company.run(accounts());
    assert!(seen.text.contains("\"Acme Prod\""), "{}", seen.text);
}

#[test]
fn a_token_that_could_break_a_file_or_a_request_is_an_error_and_is_not_stored() {
    let bad = ["a\r\nx-injected: 1", "a b", "\u{1b}[2J", "tökén", "\u{202e}a", &"x".repeat(20_000)].map(str::to_owned);
    for member in ["accessToken", "refreshToken"] {
        side_by_side(bad.clone(), |value| {
            let (company, spoiler) = logged_out(approving());
            let given = value.clone();
            spoiler.set(move |path, answer| {
                if path == TOKEN {
                    answer.member(member, given.as_str());
                }
            });
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["cannot be used", if member == "accessToken" { "access token" } else { "refresh token" }]);
            assert_eq!((company.requests("CreateToken"), company.requests("GetRoleCredentials")), (1, 0), "{value:.20?}");
            assert!(!seen.text.contains(&value.chars().filter(|c| !c.is_control()).collect::<String>()), "{}", seen.text);
            let files = std::fs::read_dir(company.aws("sso/cache")).into_iter().flatten();
            assert!(files.into_iter().all(|file| !std::fs::read_to_string(file.unwrap().path()).unwrap().contains("\"accessToken\"")));
        });
    }
    side_by_side(bad, |value| {
        let (company, spoiler) = logged_out(approving());
        spoiler.set(move |path, answer| {
            if path == "/client/register" {
                answer.member("clientSecret", value.as_str());
            }
        });
        assert_says(&company.update().only_error("ServiceError"), &["client secret"]);
    });
}

#[test]
fn a_token_in_the_cache_that_could_break_a_request_leads_to_a_login() {
    side_by_side(["a\\r\\nx: y", "a b", "\\u0000", "\u{e9}"], |bad| {
        let mut company = Company::with(approving(), 1);
        company.update().assert_created(1);
        company.forget();
        for entry in std::fs::read_dir(company.aws("sso/cache")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("\"accessToken\": \"", &format!("\"accessToken\": \"{bad}"))).unwrap();
        }
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{bad}: {:?}", seen.failed);
        assert_eq!((company.service.stats().logins, company.service.stats().violations.len()), (1, 0), "{bad}");
    });
}

#[test]
fn keys_that_had_expired_when_they_came_fail_their_profile_once_and_are_not_fetched_again_soon() {
    let seconds = |seconds: i64| (time::OffsetDateTime::now_utc().unix_timestamp() + seconds) * 1000;
    side_by_side(
        [
            (serde_json::json!(0), "no expiration"),
            (serde_json::Value::Null, "no expiration"),
            (serde_json::json!(seconds(-10)), "expired at"),
            (serde_json::json!(seconds(-86_400)), "expired at"),
            (serde_json::json!(seconds(3600) / 1000), "not a time"),
            (serde_json::json!(-1), "not a time"),
            (serde_json::json!(i64::MAX), "not a time"),
            (serde_json::json!(i64::MIN), "not a time"),
            (serde_json::json!(253_402_300_799_000_i64), "not a time"),
        ],
        |(expiration, why)| {
            let (mut company, spoiler) = company(approving());
            let given = expiration.clone();
            spoiler.set(move |path, answer| {
                if path == KEYS && answer.request.contains("100000000000") {
                    answer.member("expiration", given.clone());
                }
            });
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["Account1", why, "not requested again for 5 minutes"]);
            assert_eq!(seen.statuses(), [("Created", 1), ("ServiceError", 1)].into(), "{expiration}");
            assert_eq!(company.credentials().matches("aws_access_key_id").count(), 1);
            assert_eq!(company.requests("GetRoleCredentials"), 2, "{expiration}");
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["Account1", why]);
            assert_eq!(seen.statuses(), [("StillValid", 1), ("ServiceError", 1)].into());
            assert_eq!(company.requests("GetRoleCredentials"), 2, "{expiration}");
            // A new process knows nothing of it, and asks once.
            company.forget();
            spoiler.set(|_, _| {});
            assert!(company.update().failed.is_empty());
            assert_eq!(company.requests("GetRoleCredentials"), 3, "{expiration}");
        },
    );
}

#[test]
fn a_date_that_no_clock_shows_is_ignored_and_costs_neither_session_nor_keys() {
    side_by_side(
        [
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Fri, 31 Dec 9999 23:59:59 -1200",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Sat, 01 Jan 2101 00:00:01 GMT",
            "Tue, 31 Dec 2019 23:59:59 GMT",
            "Sat, 01 Jan 0000 00:00:00 GMT",
            "soon",
            "",
        ],
        |date| {
            let (company, spoiler) = logged_out(approving());
            spoiler.set(move |_, answer| answer.header("Date", date));
            company.update().assert_created(2);
            company.service.control(Control { expire_tokens: true, ..Control::default() });
            let seen = company.forced();
            assert!(seen.failed.is_empty(), "{date}: {:?}", seen.failed);
            assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1), "{date}");
            // Keys that ended long ago are due, whatever the service says of the time.
            company.clock.move_by(2 * 86_400);
            let plan = sso_core::protocol::Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: false };
            let due: Vec<bool> = company.run(Operation::Plan(plan)).planned.iter().map(|(_, due)| *due).collect();
            assert_eq!(due, [true, true], "{date}");
        },
    );
}

#[test]
fn a_clock_that_is_days_or_years_off_goes_on_working() {
    side_by_side([2, -2, 400, -400], |days| {
        let company = Company::without_session(Options { clock_offset: days * 86_400, ..approving() }, 2);
        company.update().assert_created(2);
        assert_eq!(company.update().statuses(), [("StillValid", 2)].into(), "{days}");
        assert_eq!(company.service.stats().logins, 1, "{days}");
    });
}

#[test]
fn times_in_files_that_are_beyond_all_calendars_break_nothing() {
    side_by_side(["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"], |time| {
        let mut company = Company::with(approving(), 1);
        company.update().assert_created(1);
        company.forget();
        let change = |path: std::path::PathBuf, key: &str, quote: &str| {
            let text = std::fs::read_to_string(&path).unwrap();
            let Some((before, rest)) = text.split_once(key) else { return false };
            let end = rest.find(if quote.is_empty() { '\n' } else { '"' }).unwrap();
            std::fs::write(&path, format!("{before}{key}{time}{}", &rest[end..])).is_ok()
        };
        assert!(change(company.aws("credentials"), "x_security_token_expires = ", ""));
        let cached = std::fs::read_dir(company.aws("sso/cache")).unwrap().filter(|entry| change(entry.as_ref().unwrap().path(), "\"expiresAt\": \"", "\""));
        assert_eq!(cached.count(), 2, "the token and the registration");
        let session = Operation::GetSession(sso_core::protocol::GetSession { environments: Vec::new() });
        for seen in [company.run(session), company.update(), company.forced()] {
            assert!(seen.codes().iter().all(|code| code != "InternalError"), "{time}: {:?}", seen.failed);
        }
    });
}

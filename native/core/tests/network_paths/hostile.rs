//! A service that answers what no service does, and what becomes of it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use sso_core::protocol::{DisconnectSession, Event, GetAccount, GetRole, Operation, SessionTerms, Update};
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

/// A company whose service can be spoiled, before its first login.
fn company(options: Options) -> (Company, Spoiler) {
    let mut company = Company::with(options, 2);
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
    let mut company = Company::with(approving(), 1);
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
    ("no JSON", |answer| answer.body = "SECRETS".to_owned()),
    ("an empty object", |answer| answer.body = "{}".to_owned()),
    ("members of other types", |answer| answer.body = answer.body.replace(":\"", ":[\"").replace("\",", "\"],")),
    ("no HTTP", |answer| answer.head = vec!["SECRETS".to_owned()]),
    ("a status that is none", |answer| answer.status("9999 SECRETS")),
    ("a header that is none", |answer| answer.head.push("SECRETS\u{1}: \u{1}SECRETS".to_owned())),
    ("a longer body", |answer| answer.header("Content-Length", "5000")),
    ("an echo in JSON", |answer| {
        answer.status("400 Bad Request");
        answer.header("x-amzn-errortype", "SECRETS");
        answer.body = r#"{"error":"SECRETS","error_description":"It was SECRETS","message":"It was SECRETS","__type":"SECRETS"}"#.to_owned();
    }),
    ("an echo with a server's fault", |answer| {
        answer.status("500 SECRETS");
        answer.header("x-amzn-requestid", "SECRETS");
        answer.body = r#"{"message":"SECRETS SECRETS"}"#.to_owned();
    }),
    ("a page of a proxy", |answer| {
        answer.status("502 Bad Gateway");
        answer.head.retain(|line| !line.to_ascii_lowercase().starts_with("x-amzn"));
        answer.body = "<html>SECRETS</html>".to_owned();
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
        thread::scope(|scope| {
            for (what, fault) in FAULTS {
                let operation = operation.clone();
                scope.spawn(move || {
                    let (company, spoiler) = company(approving());
                    company.update().assert_created(2);
                    let secrets = secrets(&company);
                    if path == TOKEN {
                        company.service.control(Control { expire_tokens: true, ..Control::default() });
                    }
                    let known = secrets.clone();
                    spoiler.set(move |at, answer| {
                        if at == path {
                            fault(answer);
                            let sent: Vec<&str> = known.iter().map(String::as_str).filter(|secret| answer.request.contains(secret)).collect();
                            assert!(!sent.is_empty(), "{}", answer.request);
                            let echo = sent.join(" ");
                            answer.head.iter_mut().chain([&mut answer.body]).for_each(|text| *text = text.replace("SECRETS", &echo));
                        }
                    });
                    let seen = company.run(operation);
                    assert_keeps(&secrets, &seen, &format!("{path}: {what}"));
                    assert!(seen.codes().iter().all(|code| code != "InternalError"), "{path}: {what}: {:?}", seen.failed);
                });
            }
        });
    }
}

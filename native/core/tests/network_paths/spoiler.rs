//! A proxy in front of the stand-in that changes its answers, and what tests of such answers share.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use sso_core::protocol::{GetAccount, Operation, SessionTerms};
use sso_stand_in::Options;

use crate::{Company, Seen};

/// An answer of the stand-in on its way to the client.
pub(crate) struct Answer {
    /// The lines of the head without the empty one at the end.
    pub(crate) head: Vec<String>,
    pub(crate) body: String,
    /// Whether the last kilobyte of the body is sent again and again, without an end.
    pub(crate) endless: bool,
    /// What it answers, head and body.
    pub(crate) request: String,
}

impl Answer {
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.head.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())));
        self.head.push(format!("{name}: {value}"));
    }

    pub(crate) fn status(&mut self, status: &str) {
        self.head[0] = format!("HTTP/1.1 {status}");
    }

    pub(crate) fn says(&mut self, body: &str) {
        body.clone_into(&mut self.body);
    }

    /// Puts a value in place of each value of a member of the JSON object, or of an object inside it.
    pub(crate) fn member(&mut self, name: &str, value: impl Into<serde_json::Value>) {
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

    pub(crate) fn send(mut self, to: &mut TcpStream) -> std::io::Result<()> {
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

pub(crate) type Spoil = Box<dyn Fn(&str, &mut Answer) + Send>;

/// A proxy in front of the stand-in that changes its answers.
pub(crate) struct Spoiler {
    spoil: Arc<Mutex<Spoil>>,
}

impl Spoiler {
    pub(crate) fn before(company: &mut Company) -> Self {
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
    pub(crate) fn set(&self, spoil: impl Fn(&str, &mut Answer) + Send + 'static) {
        *self.spoil.lock().unwrap() = Box::new(spoil);
    }
}

pub(crate) fn pass(mut client: TcpStream, place: &str, spoil: &Mutex<Spoil>) -> Option<()> {
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
pub(crate) fn read_message(from: &mut TcpStream) -> Option<Vec<u8>> {
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

pub(crate) const KEYS: &str = "/federation/credentials";
pub(crate) const TOKEN: &str = "/token";

/// A company whose service can be spoiled; its user has a session.
pub(crate) fn company(options: Options) -> (Company, Spoiler) {
    let (company, spoiler) = logged_out(options);
    company.seed_session(None);
    (company, spoiler)
}

/// The same before the first login.
pub(crate) fn logged_out(options: Options) -> (Company, Spoiler) {
    let mut company = Company::without_session(options, 2);
    let spoiler = Spoiler::before(&mut company);
    (company, spoiler)
}

/// The secrets in the files of the cache.
pub(crate) fn secrets(company: &Company) -> Vec<String> {
    let files = std::fs::read_dir(company.aws("sso/cache")).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let objects: Vec<serde_json::Value> = files.filter_map(|bytes| serde_json::from_slice(&bytes).ok()).collect();
    let values = objects.iter().flat_map(|object| ["accessToken", "refreshToken", "clientSecret"].map(|name| object[name].as_str()));
    values.flatten().map(str::to_owned).collect()
}

#[track_caller]
pub(crate) fn assert_keeps(secrets: &[String], seen: &Seen, what: &str) {
    assert!(secrets.len() >= 3, "{secrets:?}");
    for secret in secrets {
        assert!(!seen.text.contains(secret.as_str()), "{what}: {}", seen.text);
    }
    // Secrets of discarded answers are in no file, so look for how the stand-in's secrets begin.
    for start in ["IQoJb3JpZ2luX2VjE", "aoaAAAAA", "aorAAAAA", "eyJraWQiOi"] {
        assert!(!seen.text.contains(start), "{what}: {}", seen.text);
    }
}

pub(crate) fn accounts() -> Operation {
    Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session: SessionTerms::default() })
}

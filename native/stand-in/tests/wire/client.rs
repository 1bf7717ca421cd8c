//! A small blocking HTTP/1.1 client, and helpers that obtain a token.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use sso_stand_in::{DEFAULT_START_URL, Options, StandIn};

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Status and name of a portal error.
    pub(crate) fn portal_error(&self) -> (u16, String) {
        let kind = self.json()["__type"].as_str().unwrap().to_owned();
        let name = kind.strip_prefix("com.amazonaws.switchboard.portal#").unwrap();
        (self.status, name.to_owned())
    }

    /// Status, name and member `error` of an SSO-OIDC error.
    pub(crate) fn oidc_error(&self) -> (u16, String, String) {
        let (name, rest) = self.header("x-amzn-errortype").unwrap().split_once(':').unwrap();
        assert_eq!(rest, "http://internal.amazon.com/coral/com.amazonaws.sso.oidc/");
        let body = self.json();
        assert!(body["error_description"].is_string());
        (self.status, name.to_owned(), body["error"].as_str().unwrap().to_owned())
    }
}

/// One connection that stays open.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn write(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(request(method, path, headers, body).as_bytes())
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
        self.write(method, path, headers, body)?;
        read(&mut self.stream)
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request + "\r\n" + body
}

pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Answer> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> =
        lines[1..].iter().map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).unwrap()).collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    answer.body = vec![0; length];
    stream.read_exact(&mut answer.body)?;
    Ok(answer)
}

pub(crate) fn send(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    Connection::open(url).send(method, path, headers, body).unwrap()
}

pub(crate) fn start(options: Options) -> StandIn {
    StandIn::start(options).unwrap()
}

/// A client of the device flow, and the device code that it got.
pub(crate) struct Login {
    pub(crate) url: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) device: Value,
}

pub(crate) fn post(url: &str, path: &str, body: &Value) -> Answer {
    send(url, "POST", path, &[JSON], &body.to_string())
}

pub(crate) fn post_form(url: &str, path: &str, body: &str) -> Answer {
    send(url, "POST", path, &[FORM], body)
}

pub(crate) fn register(url: &str) -> (String, String) {
    let body = json!({ "clientName": "test", "clientType": "public", "scopes": ["sso:account:access"] });
    let client = post(url, "/client/register", &body).json();
    (client["clientId"].as_str().unwrap().to_owned(), client["clientSecret"].as_str().unwrap().to_owned())
}

impl Login {
    pub(crate) fn begin(stand_in: &StandIn) -> Self {
        let url = stand_in.url().to_owned();
        let (id, secret) = register(&url);
        let body = json!({ "clientId": id, "clientSecret": secret, "startUrl": DEFAULT_START_URL });
        let device = post(&url, "/device_authorization", &body).json();
        Self { url, id, secret, device }
    }

    pub(crate) fn user_code(&self) -> &str {
        self.device["userCode"].as_str().unwrap()
    }

    pub(crate) fn poll(&self) -> Answer {
        let mut body = self.body(DEVICE_CODE);
        body["deviceCode"] = self.device["deviceCode"].clone();
        post(&self.url, "/token", &body)
    }

    pub(crate) fn refresh(&self, token: &Value) -> Answer {
        let mut body = self.body("refresh_token");
        body["refreshToken"] = token.clone();
        post(&self.url, "/token", &body)
    }

    fn body(&self, grant_type: &str) -> Value {
        json!({ "clientId": self.id, "clientSecret": self.secret, "grantType": grant_type })
    }
}

/// Access to the portal of a stand-in.
pub(crate) struct Portal {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Portal {
    /// Logs in; the stand-in must approve at the first poll.
    pub(crate) fn open(stand_in: &StandIn) -> Self {
        let answer = Login::begin(stand_in).poll();
        Self::of(stand_in, &answer)
    }

    pub(crate) fn of(stand_in: &StandIn, token: &Answer) -> Self {
        assert_eq!(token.status, 200, "{}", token.text());
        let token = token.json()["accessToken"].as_str().unwrap().to_owned();
        Self { url: stand_in.url().to_owned(), token }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        send(&self.url, "GET", path, &[(BEARER, &self.token)], "")
    }

    pub(crate) fn credentials(&self, account: &str, role: &str) -> Answer {
        self.get(&format!("/federation/credentials?role_name={role}&account_id={account}"))
    }
}

pub(crate) const BEARER: &str = "x-amz-sso_bearer_token";

/// Options that approve at the first poll.
pub(crate) fn approving() -> Options {
    Options { approve_after_polls: Some(0), ..Options::default() }
}

//! The address on 127.0.0.1 that the browser returns to after a PKCE login (RFC 8252, 7.3).

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use url::form_urlencoded;

use crate::outlet::Outlet;
use crate::protocol::{LoginMethod, SessionTerms};
use crate::secret::Secret;
use crate::text::shortened;
use crate::world::World;

/// The path that the browser returns to; the registered redirect URI has it without a port (RFC 8252, 7.3).
const CALLBACK_PATH: &str = "/oauth/callback";

/// How long to wait for a request: a browser sends it at once after it connects.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST_REQUEST: usize = 16 * 1024;
const MOST_HEADERS: usize = 128;

/// Browsers open a few connections in advance. More than this are from other programs, and the oldest is dropped.
const MOST_CONNECTIONS: usize = 64;

/// The pause after a connection could not be accepted, for example because there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The longest error text from the redirect that is shown, in characters.
const LONGEST_TEXT: usize = 500;

/// The listener that the browser returns to, opened before the browser.
#[derive(Debug)]
pub(crate) struct Callback {
    listener: TcpListener,
    port: u16,
}

/// What the browser returned with.
#[derive(Debug)]
pub(super) enum Answer {
    Code(Secret, WaitingBrowser),
    Refused(Refused),
}

/// `error` and `error_description` (RFC 6749, 4.1.2.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) error: String,
    pub(super) description: String,
}

/// The connection of the browser that returned with the code; its page waits for the outcome.
#[derive(Debug)]
pub(crate) struct WaitingBrowser {
    stream: TcpStream,
    environment: String,
}

impl WaitingBrowser {
    /// Shows the outcome of the login.
    pub(crate) async fn show(mut self, is_logged_in: bool) {
        let name = escaped(&self.environment);
        let page = if is_logged_in {
            Page { status: "200 OK", text: format!("You are logged in to {name}. You can close this window and go back to PowerShell.") }
        } else {
            Page::refused("500 Internal Server Error", &name)
        };
        page.send(&mut self.stream).await;
    }
}

/// The response to one connection.
struct Page {
    /// The status code and the reason phrase.
    status: &'static str,
    /// The text, in HTML.
    text: String,
}

impl Page {
    fn refused(status: &'static str, name: &str) -> Self {
        Self { status, text: format!("You are not logged in to {name}. You can close this window; PowerShell shows the reason.") }
    }

    async fn send(&self, stream: &mut TcpStream) {
        let body = page(&self.text);
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:\r\nConnection: close\r\n\r\n",
            self.status,
            body.len()
        );
        // The result counts even if the browser disconnects before it reads the page.
        let _ = tokio::time::timeout(REQUEST_TIMEOUT, async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
            stream.shutdown().await
        })
        .await;
    }
}

impl Callback {
    /// Opens the listener; returns `None` if the login is by device code, or warns and returns `None` if it has to be.
    pub(crate) async fn open(world: &World, terms: &SessionTerms, environment: &str, outlet: &Outlet) -> Option<Self> {
        if terms.login_method == LoginMethod::DeviceCode {
            return None;
        }
        if let Some(why) = world.browser.reason_against(&world.variables) {
            outlet.warn(format!("{environment}: the browser cannot return to this computer because {why}; using a device code instead."));
            return None;
        }
        match Self::bind(0).await {
            Ok(callback) => Some(callback),
            Err(fault) => {
                outlet.warn(format!("{environment}: no port on 127.0.0.1 could be opened for the browser ({fault}); using a device code instead."));
                None
            }
        }
    }

    async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{CALLBACK_PATH}", self.port)
    }

    /// Waits for the browser to return, and handles all other connections.
    pub(super) async fn answer(&self, environment: &str, state: &str) -> Answer {
        let page = Arc::new(Expected { port: self.port, state: state.to_owned(), environment: environment.to_owned() });
        let mut connections = JoinSet::new();
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    open.retain(|connection| !connection.is_finished());
                    // Among too many connections, the one that has been silent longest is the least likely to be the browser's.
                    if open.len() >= MOST_CONNECTIONS && let Some(oldest) = open.pop_front() {
                        oldest.abort();
                    }
                    let page = Arc::clone(&page);
                    open.push_back(connections.spawn(async move { page.serve(stream).await }));
                }
                Some(served) = connections.join_next() => {
                    if let Ok(Some(answer)) = served {
                        return answer;
                    }
                }
            }
        }
    }
}

/// What a request to this address is.
enum Request {
    Code(Secret),
    Refused(Page, Refused),
    /// Any other request, which does not end the wait.
    Stray(Page),
}

/// What a request must contain to be from the login page.
struct Expected {
    port: u16,
    state: String,
    environment: String,
}

impl Expected {
    /// Responds to one connection, or keeps it open if it returned with the code. Returns the result of the login if it has one.
    async fn serve(&self, mut stream: TcpStream) -> Option<Answer> {
        let head = tokio::time::timeout(REQUEST_TIMEOUT, read_head(&mut stream)).await.ok().flatten();
        let (page, answer) = match head.and_then(|head| self.understand(&head)) {
            Some(Request::Code(code)) => return Some(Answer::Code(code, WaitingBrowser { stream, environment: self.environment.clone() })),
            Some(Request::Refused(page, refused)) => (page, Some(Answer::Refused(refused))),
            Some(Request::Stray(page)) => (page, None),
            None => (Page { status: "400 Bad Request", text: "This request is not valid.".to_owned() }, None),
        };
        page.send(&mut stream).await;
        answer
    }

    fn understand(&self, head: &[u8]) -> Option<Request> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(head).ok()?;
        let host = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("host")).map(|header| header.value);
        // Another host name that leads to 127.0.0.1 belongs to another site's page.
        if request.method != Some("GET") || host != Some(format!("127.0.0.1:{}", self.port).as_bytes()) {
            return None;
        }
        let (path, query) = request.path.map(|path| path.split_once('?').unwrap_or((path, "")))?;
        if path != CALLBACK_PATH {
            return Some(Request::Stray(Page { status: "404 Not Found", text: "There is nothing here.".to_owned() }));
        }
        let value = |wanted: &str| form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        let name = escaped(&self.environment);
        // The service returns the state with every result, including errors (RFC 6749, 4.1.2). Anything else is from the page of an earlier login, or from
        // somebody who must not be able to end this one.
        if value("state").as_ref() != Some(&self.state) {
            let text = format!("This page does not belong to the current login to {name}. PowerShell is still waiting for that one.");
            return Some(Request::Stray(Page { status: "400 Bad Request", text }));
        }
        match (value("error"), value("code")) {
            (Some(error), _) => {
                let description = shortened(&value("error_description").unwrap_or_default(), LONGEST_TEXT);
                let refused = Refused { error: shortened(&error, LONGEST_TEXT), description };
                Some(Request::Refused(Page::refused("400 Bad Request", &name), refused))
            }
            (None, Some(code)) if !code.is_empty() => Some(Request::Code(Secret::new(code))),
            _ => None,
        }
    }
}

/// Reads a request up to and including the empty line.
async fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(2048);
    while head.len() < LARGEST_REQUEST {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Some(head);
        }
    }
    None
}

fn page(text: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         <title>Set-AwsCliSsoCredentials</title><style>body{{font:1.2em system-ui,sans-serif;margin:20vh auto;max-width:36em;padding:0 1em}}</style></head>\
         <body><p>{text}</p></body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn expected() -> Expected {
        Expected { port: 4711, state: "s1".into(), environment: "A<b>".into() }
    }

    fn request(path: &str, host: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").into_bytes()
    }

    fn understood(path: &str) -> Option<Request> {
        expected().understand(&request(path, "127.0.0.1:4711"))
    }

    #[track_caller]
    fn stray(path: &str) -> Page {
        let Some(Request::Stray(page)) = understood(path) else { panic!("{path} ends the wait") };
        page
    }

    #[test]
    fn only_a_callback_with_the_right_state_ends_the_wait() {
        let strays =
            ["code=c&state=s2", "code=c", "error=access_denied", "error=access_denied&state=", "error=access_denied&state=s2", "state=s2", "", "state=s11"];
        for query in strays {
            let Page { status, text } = stray(&format!("/oauth/callback?{query}"));
            assert!(status == "400 Bad Request" && text.contains("does not belong to the current login to A&lt;b&gt;"), "{query}: {text}");
        }
        assert!(matches!(understood("/oauth/callback?code=c%2F1&state=s1"), Some(Request::Code(code)) if code.reveal() == "c/1"));
        let Some(Request::Refused(page, refused)) = understood("/oauth/callback?error=server_error&error_description=a%1Bb%E2%80%AE&state=s1") else {
            panic!("an error of the service ends the wait")
        };
        assert_eq!(refused, Refused { error: "server_error".into(), description: "ab".into() });
        assert!(page.status == "400 Bad Request" && page.text.contains("not logged in to A&lt;b&gt;"), "{}", page.text);
    }

    #[test]
    fn any_other_request_gets_a_response_and_the_wait_continues() {
        assert_eq!(stray("/favicon.ico").status, "404 Not Found");
        assert!(understood("/oauth/callback?state=s1").is_none());
        assert!(expected().understand(&request("/oauth/callback?code=c&state=s1", "evil.example.com:4711")).is_none());
        assert!(expected().understand(b"POST /oauth/callback?code=c&state=s1 HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n").is_none());
        assert!(expected().understand(b"\x16\x03\x01\r\n\r\n").is_none());
    }

    #[tokio::test]
    async fn the_listener_is_on_the_loopback_address_and_a_port_in_use_is_an_error() {
        let callback = Callback::bind(0).await.unwrap();
        assert_eq!(callback.listener.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
        assert_eq!(callback.redirect_uri(), format!("http://127.0.0.1:{}/oauth/callback", callback.port));
        assert_eq!(Callback::bind(callback.port).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn an_answer_never_prints_the_code_and_its_page_shows_the_outcome_of_the_login() {
        for (is_logged_in, status, text) in [(true, "200", "You are logged in to A&lt;b&gt;"), (false, "500", "You are not logged in to A&lt;b&gt;")] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let answer = Answer::Code(Secret::new("hunter2"), WaitingBrowser { stream: listener.accept().await.unwrap().0, environment: "A<b>".into() });
            assert!(!format!("{answer:?}").contains("hunter2"));
            let Answer::Code(_, browser) = answer else { unreachable!() };
            browser.show(is_logged_in).await;
            let mut page = String::new();
            far.read_to_string(&mut page).await.unwrap();
            assert!(page.starts_with(&format!("HTTP/1.1 {status} ")) && page.contains(text), "{page}");
        }
    }

    /// Requests that resemble the right one, and bytes that are not a request.
    fn any_head() -> impl Strategy<Value = Vec<u8>> {
        let part = |values: &[&str]| proptest::sample::select(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        let query = proptest::collection::vec(
            prop_oneof![
                part(&[
                    "code=c",
                    "state=s1",
                    "state=s2",
                    "state=",
                    "error=access_denied",
                    "error_description=x%1B",
                    "code=",
                    "state=s1%00",
                    "STATE=s1",
                    "state=%73%31"
                ]),
                "[a-z%&=+]{0,12}",
            ],
            0..5,
        );
        let near = (
            part(&["GET", "POST", "HEAD", "get", "GET\t"]),
            part(&["/oauth/callback", "/oauth/callback/", "//oauth/callback", "/OAuth/callback", "/", "http://127.0.0.1:4711/oauth/callback", "*"]),
            query,
            part(&[
                "Host: 127.0.0.1:4711",
                "host:127.0.0.1:4711",
                "Host: localhost:4711",
                "Host: example.com",
                "X: y",
                "Host: 127.0.0.1:4711\r\nHost: example.com",
            ]),
            part(&["\r\n", "\n", "\r"]),
        );
        let near = near.prop_map(|(method, path, query, host, end)| format!("{method} {path}?{} HTTP/1.1{end}{host}{end}{end}", query.join("&")).into_bytes());
        prop_oneof![8 => near, 1 => proptest::collection::vec(any::<u8>(), 0..400)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn no_request_ends_the_wait_without_the_state_of_this_login(head in any_head()) {
            let ends = matches!(expected().understand(&head), Some(Request::Code(_) | Request::Refused(..)));
            let text = String::from_utf8_lossy(&head);
            let is_ours = text.starts_with("GET ") && text.contains("/oauth/callback?") && text.contains("127.0.0.1:4711");
            let has_state = text.contains("state=s1") || text.contains("state=%73%31");
            prop_assert!(!ends || (is_ours && has_state), "{text}");
        }
    }
}

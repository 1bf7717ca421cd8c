//! One connection to the endpoint: one request, checked, and its answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::endpoint::answer::{Answer, refused};
use crate::endpoint::routes::{Holder, Routes};
use crate::mutex::locked;

/// How long a client may take for its request: an SDK sends it at once after it connects.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one connection may last in all.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of a request line with all headers.
const LARGEST_REQUEST: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// What a connection needs to answer.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) port: u16,
    pub(super) routes: Arc<Mutex<Routes>>,
}

impl Connection {
    /// Answers the first request and closes the connection. What a client does wrong ends only its own connection.
    pub(super) async fn serve(&self, stream: TcpStream) {
        let respond = service_fn(|request| async move { Ok::<_, Infallible>(response(self.answer(&request).await)) });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(REQUEST_TIMEOUT)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LARGEST_REQUEST)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), respond);
        let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
    }

    async fn answer<B>(&self, request: &Request<B>) -> Answer {
        match self.check(request) {
            Ok(holder) => holder.answer().await,
            Err(refused) => refused,
        }
    }

    /// The holder that the request may ask, or the answer for a request that may ask none.
    fn check<B>(&self, request: &Request<B>) -> Result<Arc<dyn Holder>, Answer> {
        // A host name that leads to 127.0.0.1 belongs to a web page of somebody else, and so does a target with a host in it.
        let is_ours = only(request, HOST) == Some(format!("127.0.0.1:{}", self.port).as_bytes()) && request.uri().authority().is_none();
        if !is_ours {
            return Err(refused(StatusCode::BAD_REQUEST, "InvalidHost", "The Host header is not the address of this endpoint."));
        }
        if request.method() != Method::GET {
            return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "This endpoint has only GET."));
        }
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        let token = only(request, AUTHORIZATION).unwrap_or_default();
        locked(&self.routes).find(path.as_bytes(), token).ok_or_else(|| {
            let message =
                "The path or the token is not one of this endpoint. Run Use-SsoCredential -AsEndpoint again, and start the program from that PowerShell.";
            refused(StatusCode::FORBIDDEN, "AccessDenied", message)
        })
    }
}

/// The value of a header that the request has once.
fn only<B>(request: &Request<B>, name: HeaderName) -> Option<&[u8]> {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value.as_bytes())
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let is_wrong_method = answer.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_wrong_method {
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

//! Receives requests, passes them to their handlers and applies the faults to their answers.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use axum::serve::ListenerExt;
use futures_util::stream;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::call::Call;
use crate::control::Control;
use crate::faults::Effect;
use crate::options::{Failure, Operation};
use crate::reply::{Refusal, Reply};
use crate::state::{Shared, State};
use crate::tls::TlsListener;
use crate::{oidc, pages, portal};

/// The largest request body, in bytes; no request of the protocol comes close.
const LARGEST_BODY: usize = 256 * 1024;

pub(crate) async fn serve(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) -> io::Result<()> {
    let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
    if let Some(acceptor) = acceptor {
        axum::serve(TlsListener::new(listener, acceptor, shared)?, router).await
    } else {
        let listener = listener.tap_io(move |stream| {
            shared.state().stats.count_connection(false);
            // Small responses must not wait for the acknowledgment of earlier ones.
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await
    }
}

#[derive(Clone, Copy)]
enum Route {
    Operation(Operation),
    DevicePage,
    AuthorizePage,
    Unknown,
}

impl Route {
    fn of(path: &str) -> Self {
        match path {
            "/client/register" => Self::Operation(Operation::RegisterClient),
            "/device_authorization" => Self::Operation(Operation::StartDeviceAuthorization),
            "/token" => Self::Operation(Operation::CreateToken),
            "/federation/credentials" => Self::Operation(Operation::GetRoleCredentials),
            "/assignment/accounts" => Self::Operation(Operation::ListAccounts),
            "/assignment/roles" => Self::Operation(Operation::ListAccountRoles),
            "/logout" => Self::Operation(Operation::Logout),
            "/device" => Self::DevicePage,
            "/authorize" => Self::AuthorizePage,
            _ => Self::Unknown,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.name(),
            Self::DevicePage => "DevicePage",
            Self::AuthorizePage => "AuthorizePage",
            Self::Unknown => "Unknown",
        }
    }

    fn allows(self, method: &Method) -> bool {
        match self {
            Self::Operation(Operation::GetRoleCredentials | Operation::ListAccounts | Operation::ListAccountRoles) => method == Method::GET,
            Self::Operation(_) => method == Method::POST,
            Self::DevicePage | Self::AuthorizePage => method == Method::GET || method == Method::POST,
            Self::Unknown => true,
        }
    }

    fn is_portal(self) -> bool {
        matches!(self, Self::Operation(operation) if operation.is_portal())
    }
}

/// Ends the count of a portal request even if its client disconnects before the answer.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn enter(shared: &Arc<Shared>) -> Self {
        shared.state().stats.enter_portal();
        Self(Arc::clone(shared))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.state().stats.leave_portal();
    }
}

async fn receive(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    match path {
        "/favicon.ico" => return send(&shared, Reply::empty(StatusCode::NO_CONTENT), false),
        "/_stats" => {
            let stats = json!(shared.state().stats);
            return send(&shared, Reply::json(StatusCode::OK, &stats), false);
        }
        "/_session" if parts.method == Method::POST => {
            let session = json!(oidc::grant_session(&shared.options, &mut shared.state()));
            return send(&shared, Reply::json(StatusCode::OK, &session), false);
        }
        _ => {}
    }
    let route = Route::of(path);
    let in_flight = route.is_portal().then(|| InFlight::enter(&shared));
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return send(&shared, Reply::empty(StatusCode::PAYLOAD_TOO_LARGE), false);
    };
    if path == "/_control" {
        let reply = control(&shared, &body);
        return send(&shared, reply, false);
    }
    shared.state().stats.count_request(route.name(), parts.version == Version::HTTP_2);
    let mut call = Call::new(parts.method, &parts.uri, parts.headers, body);
    let (reply, cut) = answer(&shared, route, &mut call).await;
    {
        let mut state = shared.state();
        state.stats.add_violations(call.violations);
        state.count_answer(reply.status, cut, route.is_portal());
    }
    drop(in_flight);
    send(&shared, reply, cut)
}

async fn answer(shared: &Shared, route: Route, call: &mut Call) -> (Reply, bool) {
    if !route.allows(&call.method) {
        call.violation("wrong method");
        return (Reply::empty(StatusCode::METHOD_NOT_ALLOWED), false);
    }
    match route {
        Route::Operation(operation) => operate(shared, operation, call).await,
        Route::DevicePage => (pages::device(&mut shared.state(), call), false),
        Route::AuthorizePage => {
            let reply = pages::authorize(shared, &mut shared.state(), call);
            (reply, false)
        }
        Route::Unknown => {
            call.violation("unknown path");
            (Reply::empty(StatusCode::NOT_FOUND), false)
        }
    }
}

async fn operate(shared: &Shared, operation: Operation, call: &mut Call) -> (Reply, bool) {
    let hostile = shared.options.hostile_text;
    let portal = operation.is_portal();
    call.check_headers(portal);
    let (effect, delay, hang_for) = {
        let mut state = shared.state();
        let now = Instant::now();
        if portal && state.bucket.as_mut().is_some_and(|bucket| !bucket.take(now)) {
            let reply = Refusal::portal("TooManyRequestsException").into_reply(hostile);
            return (with_retry_after(reply, state.retry_after), false);
        }
        let delay = if portal { state.delay } else { state.oidc_delay };
        (state.faults.take(operation), delay, state.hang_for)
    };
    if matches!(effect, Some(Effect::Hang)) {
        let violations = std::mem::take(&mut call.violations);
        shared.state().stats.add_violations(violations);
        match hang_for {
            Some(duration) => sleep(duration).await,
            None => pending().await,
        }
    }
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let mut state = shared.state();
    if let Some(Effect::Fail(failure)) = effect {
        let reply = fail(operation, failure, hostile);
        return (with_retry_after(reply, state.retry_after), false);
    }
    let mut reply = reply_to(operation, shared, &mut state, call).unwrap_or_else(|refusal| refusal.into_reply(hostile));
    if matches!(effect, Some(Effect::BrokenJson)) {
        reply.body.truncate(reply.body.len() / 2);
    }
    (reply, matches!(effect, Some(Effect::Cut)))
}

/// What the service answers.
fn reply_to(operation: Operation, shared: &Shared, state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    let options = &shared.options;
    match operation {
        Operation::RegisterClient => oidc::register_client(options, state, call),
        Operation::StartDeviceAuthorization => oidc::start_device_authorization(shared, state, call),
        Operation::CreateToken => oidc::create_token(options, state, call),
        Operation::GetRoleCredentials => portal::get_role_credentials(options, state, call),
        Operation::ListAccounts => portal::list_accounts(options, state, call),
        Operation::ListAccountRoles => portal::list_account_roles(options, state, call),
        Operation::Logout => portal::logout(state, call),
    }
}

fn fail(operation: Operation, failure: Failure, hostile: bool) -> Reply {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if failure.error.as_deref() == Some("proxy") {
        return Reply::of_proxy(status);
    }
    Refusal::on_purpose(operation, status, failure.error.as_deref(), failure.reason).map_or_else(|| Reply::empty(status), |refusal| refusal.into_reply(hostile))
}

fn with_retry_after(reply: Reply, seconds: Option<u32>) -> Reply {
    match seconds {
        Some(seconds) if reply.status == StatusCode::TOO_MANY_REQUESTS => reply.with(header::RETRY_AFTER, &seconds.to_string()),
        _ => reply,
    }
}

fn control(shared: &Shared, body: &Bytes) -> Reply {
    match serde_json::from_slice::<Control>(body) {
        Ok(control) => {
            let decided = shared.state().change(control);
            Reply::json(StatusCode::OK, &json!({ "decided": decided }))
        }
        Err(error) => Reply::json(StatusCode::BAD_REQUEST, &json!({ "message": error.to_string() })),
    }
}

fn send(shared: &Shared, reply: Reply, cut: bool) -> Response {
    let (id, date) = {
        let mut state = shared.state();
        (state.ids.request_id(), state.date())
    };
    let reply = if reply.is_of_proxy { reply } else { reply.with(HeaderName::from_static("x-amzn-requestid"), &id) };
    let reply = match date {
        Some(date) => reply.with(header::DATE, &date),
        None => reply,
    };
    let length = HeaderValue::from(reply.body.len());
    let mut response = Response::new(if cut { half_of(reply.body) } else { Body::from(reply.body) });
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    if cut {
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    response
}

/// The first half of a body and then an error, which closes the connection.
fn half_of(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let half = stream::unfold(Some(Bytes::from(body)), async |half| {
        if let Some(half) = half {
            return Some((io::Result::Ok(half), None));
        }
        // The half has to be sent first; otherwise the client would see no response at all.
        sleep(Duration::from_millis(20)).await;
        Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
    });
    Body::from_stream(half)
}

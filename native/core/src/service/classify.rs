//! Finds out from a failed request who refused it, and why.

use std::error::Error as StdError;

use aws_sdk_sso::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::secret::Secret;
use crate::service::answers::{LastAnswer, request_id_of};
use crate::service::causes::{Cause, is_too_large};
use crate::service::refusal::{Origin, Refusal, is_oauth_code, nameless, oauth_code, unusable};
use crate::text::without_controls;

/// Converts a failure. `secrets` are those of the request, which a response may repeat.
pub(super) fn refusal<E: StdError + 'static>(fault: &SdkError<E, HttpResponse>, last_answer: &LastAnswer, secrets: &[&Secret]) -> Refusal {
    let garbled = |answer: &HttpResponse| Refusal::Garbled { message: "it is not the expected JSON".to_owned(), request_id: request_id_of(answer) };
    match fault {
        SdkError::TimeoutError(_) => last_answer.timed_out().without(secrets),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Refusal::TimedOut { status: None, request_id: None },
        SdkError::ServiceError(answer) if answer.raw().status().is_success() => garbled(answer.raw()).without(secrets),
        SdkError::ResponseError(answer) if answer.raw().status().is_success() => garbled(answer.raw()).without(secrets),
        SdkError::ServiceError(answer) => answered(answer.raw()).without(secrets),
        SdkError::ResponseError(answer) => answered(answer.raw()).without(secrets),
        other if is_too_large(other) => unusable("it is larger than 1 MB"),
        other => Refusal::Unreachable(Cause::of(other)),
    }
}

/// Reads a refusal: first the `error` field of the body (OAuth), then the exception name in the header or the body, last the status.
pub(super) fn answered(response: &HttpResponse) -> Refusal {
    let body: Option<serde_json::Value> = response.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
    let field = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let header = |name: &str| response.headers().get(name).filter(|text| !text.is_empty());
    let status = response.status().as_u16();
    let exception = header("x-amzn-errortype")
        .map(|header| header.split(':').next().unwrap_or(header))
        .or_else(|| field("__type").map(|name| name.rsplit('#').next().unwrap_or(name)));
    let is_challenge = ["www-authenticate", "proxy-authenticate"].into_iter().any(|name| header(name).is_some());
    let request_id = request_id_of(response);
    let error = match (field("error"), exception) {
        (Some(error), _) => error.to_owned(),
        (None, Some(exception)) => exception.to_owned(),
        (None, None) => nameless(status),
    };
    let error = oauth_code(&without_controls(&error));
    let origin = match exception {
        Some(_) => Origin::Exception,
        None if field("error").is_some() && is_oauth_code(&error) => Origin::OAuth,
        None if request_id.is_some() && !is_challenge => Origin::Nameless,
        None => Origin::Elsewhere,
    };
    let message = field("error_description").or_else(|| field("message")).or_else(|| field("Message")).unwrap_or_default();
    // Not shortened until the secrets are removed; otherwise part of a secret could remain.
    Refusal::Answered { error, status, message: without_controls(message), request_id, origin }
}

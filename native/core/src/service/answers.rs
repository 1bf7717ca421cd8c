//! What is remembered of each response: the server's clock, the host, the status and the request ID.

use std::sync::{Arc, Mutex, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use time::OffsetDateTime;

use crate::mutex::locked;
use crate::secret::is_plain;
use crate::service::clock::{ServerClock, date_of};
use crate::service::refusal::{LONGEST_ID, Refusal};

/// Reads the server's clock from every response, and remembers the host that the requests go to.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) clock: Arc<ServerClock>,
    pub(super) host: Arc<OnceLock<String>>,
}

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Listener"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.host.get_or_init(|| {
            let url = url::Url::parse(context.request().uri()).ok();
            url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        });
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.clock.hear(context.response());
        Ok(())
    }
}

/// The status and the request ID of the last response to one request, which may have been retried.
#[derive(Debug, Clone, Default)]
pub(super) struct LastAnswer(Arc<Mutex<Answer>>);

#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<String>,
    pub(super) date: Option<OffsetDateTime>,
}

impl LastAnswer {
    pub(super) fn get(&self) -> Answer {
        locked(&self.0).clone()
    }

    pub(super) fn request_id(&self) -> Option<String> {
        self.get().request_id
    }

    pub(super) fn timed_out(&self) -> Refusal {
        let last = self.get();
        match last.status.filter(|status| *status >= 400) {
            Some(status) => Refusal::TimedOut { status: Some(status), request_id: last.request_id },
            None => Refusal::TimedOut { status: None, request_id: None },
        }
    }
}

impl Intercept for LastAnswer {
    fn name(&self) -> &'static str {
        "LastAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let answer = Answer { status: Some(response.status().as_u16()), request_id: request_id_of(response), date: date_of(response) };
        *locked(&self.0) = answer;
        Ok(())
    }
}

/// The request ID of a response, if it has a valid form.
pub(super) fn request_id_of(response: &HttpResponse) -> Option<String> {
    response.headers().get("x-amzn-requestid").filter(|id| is_plain(id) && id.len() <= LONGEST_ID).map(str::to_owned)
}

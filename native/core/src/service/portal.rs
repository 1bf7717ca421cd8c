//! The access portal: role credentials, the user's assignments, and signing out.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_sso::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::service::answers::{Answer, LastAnswer};
use crate::service::classify::refusal;
use crate::service::client::{ATTEMPT_TIMEOUT, Service};
use crate::service::clock::{date_of, is_plausible};
use crate::service::fields::{NOT_PLAIN, next_page, short_text};
use crate::service::held_keys::UNUSABLE_KEYS_PAUSE;
use crate::service::refusal::Refusal;
use crate::timestamp::rfc3339;

/// The most items per page of a list; the service refuses more (service model, `MaxResultType`).
const LARGEST_PAGE: i32 = 100;

/// The longest name in a list, in characters: the API allows 50 for a name, 64 for an email address and 64 for a role.
const LONGEST_NAME: usize = 256;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_token: Option<String>,
}

/// A listed account; the ID is empty if the service sends none.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) email_address: Option<String>,
}

impl Service {
    /// `GetRoleCredentials`: returns the keys and the request ID. Retries throttled requests until `deadline`, and other transient failures a few times.
    pub(crate) async fn role_credentials(
        &self,
        access_token: &Secret,
        account_id: &str,
        role_name: &str,
        deadline: Instant,
    ) -> Result<(RoleCredentials, Option<String>), Refusal> {
        if let Some(refusal) = self.held.get(account_id, role_name) {
            return Err(refusal);
        }
        let request = || self.portal.get_role_credentials().access_token(access_token.reveal()).account_id(account_id).role_name(role_name);
        let last_answer = LastAnswer::default();
        let answer = self.paced(access_token, deadline, &last_answer, |last_answer| request().customize().interceptor(last_answer).send()).await?;
        let Answer { request_id, date, .. } = last_answer.get();
        let request_id = request_id.filter(|id| !id.contains(access_token.reveal()));
        let garbled = |message: &str| Refusal::Garbled { message: message.to_owned(), request_id: request_id.clone() };
        let keys = answer.role_credentials.ok_or_else(|| garbled("the response has no keys"))?;
        let (Some(id), Some(secret), Some(token)) = (keys.access_key_id, keys.secret_access_key, keys.session_token) else {
            return Err(garbled("the response does not have all keys"));
        };
        let (secret_access_key, session_token) = (Secret::new(secret), Secret::new(token));
        let expiration = expiration_of(keys.expiration, date).map_err(|why| {
            let message = format!("{why}; they were not written and are not requested again for {} minutes", UNUSABLE_KEYS_PAUSE.as_secs() / 60);
            let refusal = Refusal::Unusable { message, request_id: request_id.clone() };
            self.held.hold(account_id, role_name, &refusal);
            refusal
        })?;
        let credentials = RoleCredentials { access_key_id: id, secret_access_key, session_token, expiration };
        if !credentials.is_writable() {
            return Err(Refusal::Unusable { message: format!("one of the keys {NOT_PLAIN}"), request_id });
        }
        Ok((credentials, request_id))
    }

    /// `ListAccounts`: returns one page and the token of the next one.
    pub(crate) async fn accounts(&self, access_token: &Secret, next_token: Option<String>, deadline: Instant) -> Result<Page<Account>, Refusal> {
        let request = || self.portal.list_accounts().access_token(access_token.reveal()).max_results(LARGEST_PAGE).set_next_token(next_token.clone());
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        let answer = self.paced(access_token, deadline, &LastAnswer::default(), send).await?;
        let account = |account: &aws_sdk_sso::types::AccountInfo| {
            Ok(Account {
                id: short_text("account id", account.account_id(), LONGEST_NAME)?.unwrap_or_default(),
                name: short_text("name of an account", account.account_name(), LONGEST_NAME)?,
                email_address: short_text("e-mail address of an account", account.email_address(), LONGEST_NAME)?,
            })
        };
        let items = answer.account_list().iter().map(account).collect::<Result<_, Refusal>>()?;
        Ok(Page { items, next_token: next_page(answer.next_token)? })
    }

    /// `ListAccountRoles`: returns one page of role names and the token of the next one.
    pub(crate) async fn roles(&self, access_token: &Secret, account_id: &str, next_token: Option<String>, deadline: Instant) -> Result<Page<String>, Refusal> {
        let request = || {
            self.portal
                .list_account_roles()
                .access_token(access_token.reveal())
                .account_id(account_id)
                .max_results(LARGEST_PAGE)
                .set_next_token(next_token.clone())
        };
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        let answer = self.paced(access_token, deadline, &LastAnswer::default(), send).await?;
        let role = |role: &aws_sdk_sso::types::RoleInfo| Ok(short_text("name of a role", role.role_name(), LONGEST_NAME)?.unwrap_or_default());
        let items = answer.role_list().iter().map(role).collect::<Result<_, Refusal>>()?;
        Ok(Page { items, next_token: next_page(answer.next_token)? })
    }

    /// `Logout`: revokes the token at the service; role credentials that were already issued stay valid.
    pub(crate) async fn logout(&self, access_token: &Secret) -> Result<(), Refusal> {
        let request = || self.portal.logout().access_token(access_token.reveal());
        let deadline = Instant::now() + ATTEMPT_TIMEOUT;
        let send = |last_answer| request().customize().interceptor(last_answer).send();
        self.paced(access_token, deadline, &LastAnswer::default(), send).await.map(drop)
    }

    /// Sends a request to the portal at its turn, and again each time that the service throttles it, until `deadline`.
    /// `last_answer` remembers the response to each attempt.
    async fn paced<T, E, F>(&self, access_token: &Secret, deadline: Instant, last_answer: &LastAnswer, send: impl Fn(LastAnswer) -> F) -> Result<T, Refusal>
    where
        E: StdError + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        loop {
            // Requests wait for their turn only if the service throttles.
            let throttled = |_| Refusal::TimedOut { status: Some(429), request_id: last_answer.request_id() }.without(&[access_token]);
            let turn = tokio::time::timeout_at(deadline, self.pace.turn()).await.map_err(throttled)?;
            let outcome = tokio::time::timeout_at(deadline, send(last_answer.clone())).await.map_err(|_| last_answer.timed_out().without(&[access_token]))?;
            let fault = match outcome {
                Ok(answer) => {
                    turn.passed();
                    return Ok(answer);
                }
                Err(fault) => fault,
            };
            let refusal = refusal(&fault, last_answer, &[access_token]);
            match refusal.status() {
                Some(429) => turn.refused(fault.raw_response().and_then(pause_of)),
                Some(_) => {
                    turn.passed();
                    return Err(refusal);
                }
                None => return Err(refusal),
            }
        }
    }
}

/// When keys expire; `milliseconds` count from 1970, and `date` is the time of the response.
///
/// # Errors
/// Why the keys cannot be used, as a part of a sentence.
fn expiration_of(milliseconds: i64, date: Option<OffsetDateTime>) -> Result<OffsetDateTime, String> {
    if milliseconds == 0 {
        return Err("the credentials have no expiration".to_owned());
    }
    let end = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok().filter(|end| is_plausible(*end));
    let end = end.ok_or_else(|| "the expiration of the credentials is not a time between 2020 and 2100".to_owned())?;
    match date.filter(|date| end <= *date) {
        Some(date) => Err(format!("the credentials expired at {}, before the response of {}", rfc3339(end), rfc3339(date))),
        None => Ok(end),
    }
}

/// The pause that a response asks for: in seconds or until a time (RFC 9110, 10.2.3), or in milliseconds in AWS's own header.
pub(super) fn pause_of(answer: &HttpResponse) -> Option<Duration> {
    let header = |name| answer.headers().get(name).map(str::trim);
    let milliseconds = header("x-amz-retry-after").and_then(|text| text.parse().ok()).map(Duration::from_millis);
    milliseconds.or_else(|| {
        let text = header("retry-after")?;
        text.parse().map(Duration::from_secs).ok().or_else(|| {
            let end = OffsetDateTime::parse(text, &Rfc2822).ok()?;
            // By the server's clock, which can differ from the clock of this machine.
            let now = date_of(answer).unwrap_or_else(OffsetDateTime::now_utc);
            Duration::try_from(end - now).ok()
        })
    })
}

//! Lists what the user is assigned, page by page.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::protocol::SessionTerms;
use crate::secret::Secret;
use crate::service::client::Service;
use crate::service::portal::Page;
use crate::service::refusal::Refusal;
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;

/// A longer list is an error: the largest organizations have a few thousand accounts, 100 per page.
const MOST_PAGES: usize = 1000;
const MOST_ITEMS: usize = 100_000;

/// Lists what is assigned in one environment.
pub(super) struct Lister {
    pub(super) terms: SessionTerms,
    pub(super) environments: Arc<Environments>,
    pub(super) environment: Arc<Environment>,
    pub(super) service: Arc<Service>,
    pub(super) config: Arc<ConfigFile>,
    pub(super) context: Context,
    /// The number of items listed so far, on all pages.
    listed: AtomicUsize,
}

impl Lister {
    pub(super) fn of(terms: SessionTerms, environments: Arc<Environments>, environment: Arc<Environment>, context: &Context) -> Result<Self, Error> {
        let service = context.service(&environment.region)?;
        let config = ConfigFile::read_for([environment.as_ref()], &context.world, &context.outlet)?;
        Ok(Self { terms, environments, environment, service, config, context: context.clone(), listed: AtomicUsize::new(0) })
    }

    pub(super) fn source(&self) -> SessionSource<'_> {
        SessionSource::of(&self.context, &self.environment, &self.service, &self.config, &self.terms)
    }

    /// Opens a session; returns `None` if the run was canceled, or after reporting the error.
    pub(super) async fn session(&self, source: &SessionSource<'_>) -> Option<LiveSession> {
        match LiveSession::open(source, source.time.for_list()).await {
            Ok(session) => Some(session),
            Err(NoLogin::Cancelled) => None,
            Err(NoLogin::Failed(error)) => {
                self.context.outlet.fail(&error, true);
                None
            }
        }
    }

    pub(super) fn error(&self, refusal: &Refusal, what: &str, target: &str) -> Error {
        self.service.portal_error(refusal).behind(format!("{what} could not be listed")).with_target(target).with_request_id(refusal.request_id())
    }

    pub(super) fn tell_end(&self, session: LiveSession) {
        if let Some(error) = session.into_ended() {
            self.context.outlet.fail(&error, true);
        }
    }

    /// Requests the pages one after another, because each page contains the token of the next.
    pub(super) async fn all_pages<T, F>(
        &self,
        session: &LiveSession,
        source: &SessionSource<'_>,
        request: impl Fn(Secret, Option<String>, Instant) -> F,
        mut take: impl FnMut(Page<T>),
    ) -> Result<(), Stop>
    where
        F: Future<Output = Result<Page<T>, Refusal>>,
    {
        let mut next: Option<String> = None;
        let mut seen: HashSet<String> = HashSet::new();
        let unusable = |message: String| Err(Stop::Refused(Refusal::Unusable { message, request_id: None }));
        loop {
            let page = tokio::select! {
                page = session.send(source, |access_token, deadline| request(access_token, next.clone(), deadline)) => page?,
                () = self.context.outlet.cancel_token().cancelled() => return Err(Stop::Cancelled),
            };
            if self.listed.fetch_add(page.items.len(), Ordering::Relaxed) + page.items.len() > MOST_ITEMS {
                return unusable(format!("the list has more than {MOST_ITEMS} items"));
            }
            next.clone_from(&page.next_token);
            take(page);
            match &next {
                None => return Ok(()),
                // Such a list would never end.
                Some(token) if !seen.insert(token.clone()) => {
                    return Err(Stop::Refused(Refusal::Garbled { message: "the list leads back to an earlier page".to_owned(), request_id: None }));
                }
                Some(_) if seen.len() >= MOST_PAGES => return unusable(format!("the list has more than {MOST_PAGES} pages")),
                Some(_) => {}
            }
        }
    }
}

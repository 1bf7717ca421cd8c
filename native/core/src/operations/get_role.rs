//! `Get-SsoRole`: the roles that the user has in each account.

use futures_util::StreamExt as _;

use crate::context::Context;
use crate::environments::assigned::{Known, remember_roles, role_of};
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::names::profile::check_account_id;
use crate::operations::lister::Lister;
use crate::operations::throttle::at_once;
use crate::outlet::NetworkWork;
use crate::protocol::{AccountView, Event, GetRole, Progress};
use crate::secret::Secret;
use crate::service::refusal::Refusal;
use crate::session::live::Stop;

/// Lists the roles in accounts, in parallel, or from the last list.
pub(crate) fn run(wanted: GetRole, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&context.world)?;
    let environment = environments.find(&wanted.environment, &context.world)?;
    if wanted.known {
        let known = Known::read(&environments)?;
        for account in known.of(&environment) {
            let view = account.view(&environment.name);
            account.roles.iter().for_each(|role| context.outlet.send(Event::Role(role_of(&view, role))));
        }
        return Ok(None);
    }
    for account in &wanted.accounts {
        check_account_id(account.account_name.as_deref().unwrap_or(&account.account_id), &account.account_id)
            .map_err(|what| Error::new(Code::AccountNotFound, format!("No roles were requested: {what}.")).with_target(&account.account_id))?;
    }
    let lister = Lister::of(wanted.session, environments, environment, context)?;
    let limit = at_once(wanted.throttle_limit);
    Ok(Some(Box::pin(async move { lister.list_roles(wanted.accounts, limit).await })))
}

impl Lister {
    async fn list_roles(self, accounts: Vec<AccountView>, limit: usize) {
        if accounts.is_empty() {
            return;
        }
        let source = self.source();
        let Some(session) = self.session(&source).await else { return };
        let total = accounts.len() as u64;
        let progress = |done, name: Option<String>| {
            self.context.outlet.send(Event::Progress(Progress { activity: "Listing roles".to_owned(), done, total, name }));
        };
        progress(0, None);
        let known = self.context.memory.interrupted.take(&self.environment, self.context.now());
        if !known.is_empty() {
            self.context.outlet.verbose(format!("{}: goes on with an interrupted list, which had {} accounts.", self.environment.name, known.len()));
        }
        let jobs = accounts.iter().map(|account| {
            let (this, session, source, service, known) = (&self, &session, &source, &self.service, &known);
            let request = move |access_token: Secret, next: Option<String>, deadline| async move {
                service.roles(&access_token, &account.account_id, next, deadline).await
            };
            async move {
                if let Some(roles) = known.get(&account.account_id) {
                    return (account, roles.clone(), Ok(()));
                }
                let mut roles: Vec<String> = Vec::new();
                let outcome = this.all_pages(session, source, request, |page| roles.extend(page.items)).await;
                (account, roles, outcome)
            }
        });
        // Reports the roles in the order of the accounts, each as soon as all accounts before it are done.
        let jobs: Vec<_> = jobs.collect();
        let mut answers = futures_util::stream::iter(jobs).buffered(limit);
        let mut found: Vec<(AccountView, Vec<String>)> = Vec::new();
        let mut done = 0;
        while let Some((account, roles, outcome)) = answers.next().await {
            for role in &roles {
                if role.is_empty() {
                    self.context.outlet.warn(format!("The service listed a role without a name in account {}. It is skipped.", account.account_id));
                    continue;
                }
                self.context.outlet.send(Event::Role(role_of(account, role)));
            }
            match outcome {
                Ok(()) => found.push((account.clone(), roles)),
                Err(Stop::Refused(refusal)) => self.context.outlet.fail(&self.roles_error(&refusal, account), false),
                Err(Stop::Ended | Stop::Cancelled) => {
                    let roles = found.iter().map(|(account, roles)| (account.account_id.clone(), roles.clone())).collect();
                    self.context.memory.interrupted.keep(&self.environment, roles, self.context.now());
                    break;
                }
            }
            done += 1;
            progress(done, Some(account.account_name.clone().unwrap_or_else(|| account.account_id.clone())));
        }
        drop(answers);
        self.context.hear(&self.service);
        remember_roles(&self.environments, &self.environment, &found, &self.context.outlet).await;
        self.tell_end(session);
    }

    fn roles_error(&self, refusal: &Refusal, account: &AccountView) -> Error {
        let id = &account.account_id;
        match refusal.modelled_status() {
            Some(403 | 404) => Error::new(Code::AccountNotFound, format!("The account {id} is no longer assigned to you."))
                .with_action("Run Get-SsoAccount to list your accounts.")
                .with_target(id)
                .with_request_id(refusal.request_id()),
            _ => self.error(refusal, &format!("The roles in account {id}"), id),
        }
    }
}

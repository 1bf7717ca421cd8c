//! `Get-SsoAccount`: the accounts in which the user has a role.

use crate::context::Context;
use crate::environments::assigned::{Known, remember_accounts};
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::names::profile::check_account_id;
use crate::operations::lister::Lister;
use crate::outlet::NetworkWork;
use crate::protocol::{AccountView, Event, GetAccount};
use crate::secret::Secret;
use crate::service::portal::{Account, Page};
use crate::session::live::Stop;

/// Lists the accounts in which the user has a role, page by page, or from the last list.
pub(crate) fn run(wanted: GetAccount, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&context.world)?;
    let environment = environments.find(&wanted.environment, &context.world)?;
    if wanted.known {
        let known = Known::read(&environments)?;
        known.of(&environment).iter().for_each(|account| context.outlet.send(Event::Account(account.view(&environment.name))));
        return Ok(None);
    }
    let lister = Lister::of(wanted.session, environments, environment, context)?;
    Ok(Some(Box::pin(async move { lister.list_accounts().await })))
}

impl Lister {
    async fn list_accounts(self) {
        let source = self.source();
        let Some(session) = self.session(&source).await else { return };
        let mut found: Vec<AccountView> = Vec::new();
        let service = &self.service;
        let request = |access_token: Secret, next: Option<String>, deadline| async move { service.accounts(&access_token, next, deadline).await };
        let outcome = self.all_pages(&session, &source, request, |page| self.take_accounts(page, &mut found)).await;
        self.context.hear(&self.service);
        let name = &self.environment.name;
        match outcome {
            Ok(()) => {
                if found.is_empty() {
                    self.context.outlet.warn(format!("No account is assigned to you in {name}; ask your administrator."));
                }
                self.context.outlet.verbose(format!("{name}: {} accounts are assigned to you.", found.len()));
                remember_accounts(&self.environments, &self.environment, &found, &self.context.outlet).await;
            }
            Err(Stop::Cancelled) => {}
            Err(Stop::Refused(refusal)) => {
                let what = match found.len() {
                    0 => format!("The accounts of {name}"),
                    some => format!("All but the first {some} accounts of {name}"),
                };
                self.context.outlet.fail(&self.error(&refusal, &what, name), true);
            }
            Err(Stop::Ended) => self.tell_end(session),
        }
    }

    /// Reports the accounts of a page that have a valid ID.
    fn take_accounts(&self, page: Page<Account>, found: &mut Vec<AccountView>) {
        for Account { id, name, email_address } in page.items {
            if check_account_id("", &id).is_err() {
                self.context.outlet.warn(format!("The service listed an account with the ID {id:?}, which is not valid. It is skipped."));
                continue;
            }
            let view = AccountView { environment: self.environment.name.clone(), account_id: id, account_name: name, email_address };
            self.context.outlet.send(Event::Account(view.clone()));
            found.push(view);
        }
    }
}

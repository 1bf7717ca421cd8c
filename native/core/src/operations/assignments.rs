//! What is assigned to the user: the accounts, the roles in each, and what the last lists said, for completion.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::environments::configured::ConfigFile;
use crate::environments::stored::{Environment, Environments, ProfileEntry, check_account_id, same_name};
use crate::error::{Code, Error};
use crate::files::safe_write::{FILE_LOCK_LIMIT, Lock, Patience, SafeFile};
use crate::login::device_code::NoLogin;
use crate::operations::update::at_once;
use crate::protocol::{AccountView, Event, GetAccount, GetRole, Progress, RoleView, SessionTerms};
use crate::run::{NetworkWork, Outlet};
use crate::secret::Secret;
use crate::service::client::{Page, Refusal, Service};
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;
use crate::world::World;

/// A list ends in an error here: the largest organizations have some thousand accounts, 100 a page.
const MOST_PAGES: usize = 1000;
const MOST_ITEMS: usize = 100_000;

/// What the last lists said of every environment; there is no secret in it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    environments: Vec<KnownEnvironment>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownEnvironment {
    name: String,
    start_url: String,
    accounts: Vec<KnownAccount>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KnownAccount {
    account_id: String,
    account_name: Option<String>,
    email_address: Option<String>,
    roles: Vec<String>,
}

/// The file of what is known: beside that of the environments.
fn known_file(environments: &Environments) -> SafeFile {
    let mut path = environments.path.clone().into_os_string();
    path.push(".accounts.json");
    SafeFile::at(path.as_ref())
}

impl Known {
    /// What is known; a file that is missing or is of another kind tells nothing.
    fn read(world: &World, environments: &Environments) -> Result<Arc<Self>, Error> {
        world.memory.known.of(&known_file(environments), |bytes| Ok(serde_json::from_slice(bytes).unwrap_or_default()))
    }

    fn of(&self, environment: &Environment) -> &[KnownAccount] {
        let same = |known: &&KnownEnvironment| same_name(&known.name, &environment.name) && known.start_url == environment.start_url;
        self.environments.iter().find(same).map(|known| known.accounts.as_slice()).unwrap_or_default()
    }
}

impl KnownAccount {
    fn view(&self, environment: &str) -> AccountView {
        let Self { account_id, account_name, email_address, .. } = self.clone();
        AccountView { environment: environment.to_owned(), account_id, account_name, email_address }
    }
}

fn role_of(account: &AccountView, role_name: &str) -> RoleView {
    let AccountView { environment, account_id, account_name, email_address } = account.clone();
    RoleView { environment, account_id, account_name, email_address, role_name: role_name.to_owned(), profile_name: None }
}

/// Whether the last list had the role of a profile.
pub(crate) fn was_assigned(environment: &Environment, profile: &ProfileEntry, world: &World) -> bool {
    let known = Environments::read(world).and_then(|environments| Known::read(world, &environments));
    let has_role = |account: &KnownAccount| account.account_id == profile.account_id && account.roles.contains(&profile.role_name);
    known.is_ok_and(|known| known.of(environment).iter().any(has_role))
}

/// Takes roles out of what the last list said, since the service refuses them by now.
pub(crate) async fn forget_roles(environment: &Environment, gone: &[&ProfileEntry], world: &World, outlet: &Outlet) {
    let is_gone = |account: &str, role: &str| gone.iter().any(|profile| profile.account_id == account && profile.role_name == role);
    let without = |mut accounts: Vec<KnownAccount>| {
        for account in &mut accounts {
            account.roles.retain(|role| !is_gone(&account.account_id, role));
        }
        accounts
    };
    match Environments::read(world) {
        Ok(environments) => remember(&known_file(&environments), environment, without, outlet).await,
        Err(error) => outlet.verbose(format!("What was listed is not kept for completion: {error}")),
    }
}

/// Lists the accounts in which the user has a role, page by page, or what the last list said.
pub(crate) fn get_accounts(wanted: GetAccount, world: World, outlet: &Outlet) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&world)?;
    let environment = environments.find(&wanted.environment, &world)?;
    if wanted.known {
        let known = Known::read(&world, &environments)?;
        known.of(&environment).iter().for_each(|account| outlet.send(Event::Account(account.view(&environment.name))));
        return Ok(None);
    }
    let lister = Lister::of(wanted.session, environments, environment, world, outlet)?;
    Ok(Some(Box::pin(async move { lister.tell_accounts().await })))
}

/// Lists the roles of accounts, side by side, or what the last list said.
pub(crate) fn get_roles(wanted: GetRole, world: World, outlet: &Outlet) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&world)?;
    let environment = environments.find(&wanted.environment, &world)?;
    if wanted.known {
        let known = Known::read(&world, &environments)?;
        for account in known.of(&environment) {
            let view = account.view(&environment.name);
            account.roles.iter().for_each(|role| outlet.send(Event::Role(role_of(&view, role))));
        }
        return Ok(None);
    }
    for account in &wanted.accounts {
        check_account_id(account.account_name.as_deref().unwrap_or(&account.account_id), &account.account_id)
            .map_err(|what| Error::new(Code::AccountNotFound, format!("No role was asked for: {what}.")).with_target(&account.account_id))?;
    }
    let lister = Lister::of(wanted.session, environments, environment, world, outlet)?;
    let limit = at_once(wanted.throttle_limit);
    Ok(Some(Box::pin(async move { lister.tell_roles(wanted.accounts, limit).await })))
}

/// Lists what is assigned in one environment.
struct Lister {
    terms: SessionTerms,
    environments: Arc<Environments>,
    environment: Arc<Environment>,
    service: Arc<Service>,
    config: Arc<ConfigFile>,
    world: World,
    outlet: Outlet,
    /// How many items were listed in all.
    listed: AtomicUsize,
}

impl Lister {
    fn of(terms: SessionTerms, environments: Arc<Environments>, environment: Arc<Environment>, world: World, outlet: &Outlet) -> Result<Self, Error> {
        let service = world.memory.services.of(&world, &environment.region)?;
        let config = ConfigFile::read_for([environment.as_ref()], &world, outlet)?;
        Ok(Self { terms, environments, environment, service, config, world, outlet: outlet.clone(), listed: AtomicUsize::new(0) })
    }

    fn source(&self) -> SessionSource<'_> {
        SessionSource::of(&self.world, &self.outlet, &self.environment, &self.service, &self.config, &self.terms)
    }

    /// A session, unless the user has turned away or the error is told.
    async fn session(&self, source: &SessionSource<'_>) -> Option<LiveSession> {
        match LiveSession::open(source, source.time.for_list()).await {
            Ok(session) => Some(session),
            Err(NoLogin::Cancelled) => None,
            Err(NoLogin::Failed(error)) => {
                self.outlet.fail(&error, true);
                None
            }
        }
    }

    fn error(&self, refusal: &Refusal, what: &str, target: &str) -> Error {
        self.service.error(refusal, true).behind(format!("{what} could not be listed")).with_target(target).with_request_id(refusal.request_id())
    }

    async fn remember(&self, change: impl Fn(Vec<KnownAccount>) -> Vec<KnownAccount>) {
        remember(&known_file(&self.environments), &self.environment, change, &self.outlet).await;
    }

    async fn tell_accounts(self) {
        let source = self.source();
        let Some(session) = self.session(&source).await else { return };
        let mut found: Vec<AccountView> = Vec::new();
        let service = &self.service;
        let request = |access_token: Secret, next: Option<String>, deadline| async move { service.accounts(&access_token, next, deadline).await };
        let outcome = self
            .all_pages(&session, &source, request, |page| {
                for account in page.items {
                    if check_account_id("", &account.id).is_err() {
                        self.outlet.warn(format!("The service lists an account with the id {:?}, which is none; it is left out.", account.id));
                        continue;
                    }
                    let view = AccountView {
                        environment: self.environment.name.clone(),
                        account_id: account.id,
                        account_name: account.name,
                        email_address: account.email_address,
                    };
                    self.outlet.send(Event::Account(view.clone()));
                    found.push(view);
                }
            })
            .await;
        self.world.memory.hear(&self.world, &self.service, &self.outlet);
        match outcome {
            Ok(()) => {
                if found.is_empty() {
                    self.outlet.warn(format!("No account is assigned to you in {}; ask your administrator.", self.environment.name));
                }
                self.outlet.verbose(format!("{}: {} accounts are assigned to you.", self.environment.name, found.len()));
                self.remember(|accounts| remembered_accounts(&accounts, &found)).await;
            }
            Err(Stop::Cancelled) => {}
            Err(Stop::Refused(refusal)) => {
                let what = match found.len() {
                    0 => format!("The accounts of {}", self.environment.name),
                    some => format!("All but the first {some} accounts of {}", self.environment.name),
                };
                self.outlet.fail(&self.error(&refusal, &what, &self.environment.name), true);
            }
            Err(Stop::Ended) => self.tell_end(session),
        }
    }

    fn tell_end(&self, session: LiveSession) {
        if let Some(error) = session.into_ended() {
            self.outlet.fail(&error, true);
        }
    }

    /// Asks for one page after another; the next one is known only when the last has come.
    async fn all_pages<T, F>(
        &self,
        session: &LiveSession,
        source: &SessionSource<'_>,
        request: impl Fn(Secret, Option<String>, tokio::time::Instant) -> F,
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
                () = self.outlet.cancel_token().cancelled() => return Err(Stop::Cancelled),
            };
            if self.listed.fetch_add(page.items.len(), Ordering::Relaxed) + page.items.len() > MOST_ITEMS {
                return unusable(format!("the list has more than {MOST_ITEMS} items"));
            }
            next.clone_from(&page.next_token);
            take(page);
            match &next {
                None => return Ok(()),
                // It would go round for ever.
                Some(token) if !seen.insert(token.clone()) => {
                    return Err(Stop::Refused(Refusal::Garbled {
                        message: "the list leads back to a page that was there already".to_owned(),
                        request_id: None,
                    }));
                }
                Some(_) if seen.len() >= MOST_PAGES => return unusable(format!("the list has more than {MOST_PAGES} pages")),
                Some(_) => {}
            }
        }
    }

    async fn tell_roles(self, accounts: Vec<AccountView>, limit: usize) {
        if accounts.is_empty() {
            return;
        }
        let source = self.source();
        let Some(session) = self.session(&source).await else { return };
        let total = accounts.len() as u64;
        let progress = |done, name: Option<String>| {
            self.outlet.send(Event::Progress(Progress { activity: "Listing roles".to_owned(), done, total, name }));
        };
        progress(0, None);
        let jobs = accounts.iter().map(|account| {
            let (this, session, source, service) = (&self, &session, &source, &self.service);
            let request = move |access_token: Secret, next: Option<String>, deadline| async move {
                service.roles(&access_token, &account.account_id, next, deadline).await
            };
            async move {
                let mut roles: Vec<String> = Vec::new();
                let outcome = this.all_pages(session, source, request, |page| roles.extend(page.items)).await;
                (account, roles, outcome)
            }
        });
        // In the order of the accounts, each as soon as those before it are there.
        let jobs: Vec<_> = jobs.collect();
        let mut answers = futures_util::stream::iter(jobs).buffered(limit);
        let mut found: Vec<(AccountView, Vec<String>)> = Vec::new();
        let mut done = 0;
        while let Some((account, roles, outcome)) = answers.next().await {
            for role in &roles {
                if role.is_empty() {
                    self.outlet.warn(format!("The service lists a role without a name in account {}; it is left out.", account.account_id));
                    continue;
                }
                self.outlet.send(Event::Role(role_of(account, role)));
            }
            match outcome {
                Ok(()) => found.push((account.clone(), roles)),
                Err(Stop::Refused(refusal)) => self.outlet.fail(&self.roles_error(&refusal, account), false),
                Err(Stop::Ended | Stop::Cancelled) => break,
            }
            done += 1;
            progress(done, Some(account.account_name.clone().unwrap_or_else(|| account.account_id.clone())));
        }
        drop(answers);
        self.world.memory.hear(&self.world, &self.service, &self.outlet);
        self.remember(|known| remembered_roles(known, &found)).await;
        self.tell_end(session);
    }

    fn roles_error(&self, refusal: &Refusal, account: &AccountView) -> Error {
        let id = &account.account_id;
        match refusal.modelled_status() {
            Some(403 | 404) => Error::new(Code::AccountNotFound, format!("The account {id} is not assigned to you any more."))
                .with_action("Get-SsoAccount shows the accounts that you have.")
                .with_target(id)
                .with_request_id(refusal.request_id()),
            _ => self.error(refusal, &format!("The roles in account {id}"), id),
        }
    }
}

/// Keeps what was found for completion. Nobody waits for long for that, and nobody misses much where it fails.
async fn remember(file: &SafeFile, environment: &Environment, change: impl Fn(Vec<KnownAccount>) -> Vec<KnownAccount>, outlet: &Outlet) {
    let patience = Patience::new(Some(FILE_LOCK_LIMIT.min(Duration::from_secs(2))), outlet.cancel_token().clone());
    let outcome = async {
        let lock = Lock::take_async(&file.lock_path(), &patience).await?;
        file.replace(&lock, |old| {
            let mut known: Known = old.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
            let accounts = change(known.of(environment).to_vec());
            known.environments.retain(|other| !same_name(&other.name, &environment.name));
            known.environments.push(KnownEnvironment { name: environment.name.clone(), start_url: environment.start_url.clone(), accounts });
            let text = serde_json::to_vec(&known).map_err(|fault| Error::new(Code::InternalError, format!("A list could not be written: {fault}.")))?;
            Ok((old != Some(text.as_slice())).then(|| Zeroizing::new(text)))
        })
    };
    if let Err(error) = outcome.await {
        outlet.verbose(format!("What was listed is not kept for completion: {error}"));
    }
}

/// The accounts as they are now, each with the roles that were known of it.
fn remembered_accounts(before: &[KnownAccount], found: &[AccountView]) -> Vec<KnownAccount> {
    let roles = |id: &str| before.iter().find(|known| known.account_id == id).map(|known| known.roles.clone()).unwrap_or_default();
    let known = found.iter().cloned().map(|AccountView { account_id, account_name, email_address, .. }| KnownAccount {
        roles: roles(&account_id),
        account_id,
        account_name,
        email_address,
    });
    known.collect()
}

/// The same accounts with the roles of those that were asked for now.
fn remembered_roles(mut known: Vec<KnownAccount>, found: &[(AccountView, Vec<String>)]) -> Vec<KnownAccount> {
    for (account, roles) in found {
        match known.iter_mut().find(|known| known.account_id == account.account_id) {
            Some(known) => known.roles.clone_from(roles),
            None => known.push(KnownAccount {
                account_id: account.account_id.clone(),
                account_name: account.account_name.clone(),
                email_address: account.email_address.clone(),
                roles: roles.clone(),
            }),
        }
    }
    known
}

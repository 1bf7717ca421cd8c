//! Which accounts and roles the service last listed, for completion and for new assignments; contains no secret.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::file_memory::FileMemory;
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::outlet::Outlet;
use crate::patience::{Patience, WaitLimit};
use crate::protocol::{AccountView, RoleView};
use crate::secret::SecretBytes;
use crate::text_encoding::decoded;
use crate::world::World;

/// How long to wait for the file's lock; little is lost if the file cannot be written.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// What this process last read from each file.
static CACHE: LazyLock<FileMemory<Known>> = LazyLock::new(FileMemory::default);

/// What the last lists had for every environment; contains no secret.
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
pub(crate) struct KnownAccount {
    account_id: String,
    account_name: Option<String>,
    email_address: Option<String>,
    pub(crate) roles: Vec<String>,
}

/// The file with the lists, beside the file of the environments.
fn known_file(environments: &Environments) -> SafeFile {
    let mut path = environments.path.clone().into_os_string();
    path.push(".accounts.json");
    // No run needs these lists so much that its user should be able to shorten the wait.
    SafeFile::at(path.as_ref(), &WaitLimit::default())
}

impl Known {
    /// Reads the lists; a missing or damaged file counts as empty.
    pub(crate) fn read(environments: &Environments) -> Result<Arc<Self>, Error> {
        CACHE.of(&known_file(environments), |bytes| Ok(Self::parse(bytes).unwrap_or_default()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(&decoded(bytes).ok()?).ok()
    }

    pub(crate) fn of(&self, environment: &Environment) -> &[KnownAccount] {
        let same = |known: &&KnownEnvironment| same_name(&known.name, &environment.name) && known.start_url == environment.start_url;
        self.environments.iter().find(same).map(|known| known.accounts.as_slice()).unwrap_or_default()
    }
}

impl KnownAccount {
    pub(crate) fn view(&self, environment: &str) -> AccountView {
        let Self { account_id, account_name, email_address, .. } = self.clone();
        AccountView { environment: environment.to_owned(), account_id, account_name, email_address }
    }
}

pub(crate) fn role_of(account: &AccountView, role_name: &str) -> RoleView {
    let AccountView { environment, account_id, account_name, email_address } = account.clone();
    RoleView { environment, account_id, account_name, email_address, role_name: role_name.to_owned(), profile_name: None }
}

/// Whether the last list had the role of this profile.
pub(crate) fn was_assigned(environment: &Environment, profile: &ProfileEntry, world: &World) -> bool {
    let known = Environments::read(world).and_then(|environments| Known::read(&environments));
    let has_role = |account: &KnownAccount| account.account_id == profile.account_id && account.roles.contains(&profile.role_name);
    known.is_ok_and(|known| known.of(environment).iter().any(has_role))
}

/// Removes roles from the lists because the service no longer grants them.
pub(crate) async fn forget_roles(environment: &Environment, gone: &[&ProfileEntry], world: &World, outlet: &Outlet) {
    let is_gone = |account: &str, role: &str| gone.iter().any(|profile| profile.account_id == account && profile.role_name == role);
    let without = |mut accounts: Vec<KnownAccount>| {
        for account in &mut accounts {
            account.roles.retain(|role| !is_gone(&account.account_id, role));
        }
        accounts
    };
    match Environments::read(world) {
        Ok(environments) => remember(&environments, environment, without, outlet).await,
        Err(error) => outlet.verbose(format!("Could not save the list for completion: {error}")),
    }
}

/// Saves the listed accounts, each with the roles that are already known for it.
pub(crate) async fn remember_accounts(environments: &Environments, environment: &Environment, found: &[AccountView], outlet: &Outlet) {
    remember(environments, environment, |accounts| remembered_accounts(&accounts, found), outlet).await;
}

/// Saves the roles of the accounts that were listed; other accounts stay.
pub(crate) async fn remember_roles(environments: &Environments, environment: &Environment, found: &[(AccountView, Vec<String>)], outlet: &Outlet) {
    remember(environments, environment, |known| remembered_roles(known, found), outlet).await;
}

/// Saves a change for completion. Waits only briefly, because little is lost if it fails.
async fn remember(environments: &Environments, environment: &Environment, change: impl Fn(Vec<KnownAccount>) -> Vec<KnownAccount>, outlet: &Outlet) {
    let file = known_file(environments);
    let patience = Patience::new(Some(LOCK_LIMIT), outlet.cancel_token().clone());
    let outcome = async {
        let lock = Lock::take_async(&file.lock_path(), &patience).await?;
        file.replace(&lock, |old| {
            let mut known: Known = old.and_then(Known::parse).unwrap_or_default();
            let accounts = change(known.of(environment).to_vec());
            known.environments.retain(|other| !same_name(&other.name, &environment.name));
            known.environments.push(KnownEnvironment { name: environment.name.clone(), start_url: environment.start_url.clone(), accounts });
            let text = serde_json::to_vec(&known).map_err(|fault| Error::new(Code::InternalError, format!("A list could not be written: {fault}.")))?;
            Ok((old != Some(text.as_slice())).then(|| SecretBytes::from(text)))
        })
    };
    if let Err(error) = outcome.await {
        outlet.verbose(format!("Could not save the list for completion: {error}"));
    }
}

/// The listed accounts, each with the roles that are already known for it.
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

/// The known accounts, with new roles for those that were listed.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, name: &str) -> AccountView {
        AccountView { environment: "Acme".into(), account_id: id.into(), account_name: Some(name.into()), email_address: None }
    }

    fn known(id: &str, roles: &[&str]) -> KnownAccount {
        KnownAccount { account_id: id.into(), account_name: None, email_address: None, roles: roles.iter().map(|role| (*role).to_owned()).collect() }
    }

    #[test]
    fn a_new_list_of_accounts_keeps_known_roles_and_drops_missing_accounts() {
        let before = [known("100000000000", &["Admin"]), known("100000000001", &["Audit"])];
        let now = remembered_accounts(&before, &[account("100000000000", "Prod"), account("100000000002", "Dev")]);
        let now: Vec<_> = now.iter().map(|account| (account.account_id.as_str(), account.account_name.as_deref(), account.roles.concat())).collect();
        assert_eq!(now, [("100000000000", Some("Prod"), "Admin".to_owned()), ("100000000002", Some("Dev"), String::new())]);
    }

    #[test]
    fn a_new_list_of_roles_changes_only_the_listed_accounts() {
        let before = vec![known("100000000000", &["Admin"]), known("100000000001", &["Audit"])];
        let found = [(account("100000000000", "Prod"), vec!["ReadOnly".to_owned()]), (account("100000000002", "Dev"), vec!["Admin".to_owned()])];
        let now = remembered_roles(before, &found);
        let now: Vec<_> = now.iter().map(|account| (account.account_id.as_str(), account.roles.concat())).collect();
        assert_eq!(now, [("100000000000", "ReadOnly".to_owned()), ("100000000001", "Audit".to_owned()), ("100000000002", "Admin".to_owned())]);
    }
}

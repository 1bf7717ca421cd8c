//! The error of a profile whose keys the service refused.

use crate::error::{Code, Error};
use crate::names::profile::ProfileEntry;
use crate::service::client::Service;
use crate::service::refusal::Refusal;

/// The error of one profile; the others of its environment may have their keys.
pub(crate) fn profile_error(refusal: &Refusal, profile: &ProfileEntry, service: &Service) -> Error {
    let ProfileEntry { name, account_id, role_name } = profile;
    let error = match refusal.modelled_status() {
        Some(403) => Error::new(
            Code::RoleNotAssigned,
            format!("The role {role_name} in account {account_id} is not assigned to you, so the profile {name} was left as it is."),
        )
        .with_action(format!(
            "Get-SsoRole -Account {account_id} shows the roles that are; correct the environment's table, or ask your administrator to assign the role."
        )),
        Some(404) => Error::new(
            Code::AccountNotFound,
            format!("IAM Identity Center knows no account {account_id} with the role {role_name}, so the profile {name} was left as it is."),
        )
        .with_action("Get-SsoAccount shows the accounts that you have; correct the environment's table."),
        _ => service.portal_error(refusal).behind(format!("The profile {name} was left as it is")),
    };
    error.with_target(name).with_request_id(refusal.request_id())
}

//! The error for a profile whose keys the service refused.

use crate::error::{Code, Error};
use crate::names::profile::ProfileEntry;
use crate::service::client::Service;
use crate::service::refusal::Refusal;

/// The error for one profile; other profiles of the environment are not affected.
pub(crate) fn profile_error(refusal: &Refusal, profile: &ProfileEntry, service: &Service) -> Error {
    let ProfileEntry { name, account_id, role_name, settings: _ } = profile;
    let error = match refusal.modelled_status() {
        Some(403) => {
            Error::new(Code::RoleNotAssigned, format!("Could not update profile {name}: the role {role_name} in account {account_id} is not assigned to you."))
                .with_action(format!("Get-SsoRole -Account {account_id} lists your roles. Correct the profile, or ask your administrator to assign the role."))
        }
        Some(404) => Error::new(
            Code::AccountNotFound,
            format!("Could not update profile {name}: IAM Identity Center has no account {account_id} with the role {role_name}."),
        )
        .with_action("Get-SsoAccount lists your accounts. Correct the profile."),
        _ => service.portal_error(refusal).behind(format!("Could not update profile {name}")),
    };
    error.with_target(name).with_request_id(refusal.request_id())
}

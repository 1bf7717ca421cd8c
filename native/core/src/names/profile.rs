//! The profiles that keys are written for, and what AWS accepts as their names, accounts and roles.

/// A row of an environment's table, with the role that applies to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileEntry {
    pub(crate) name: String,
    pub(crate) account_id: String,
    pub(crate) role_name: String,
}

pub(crate) fn check_account_id(profile: &str, account_id: &str) -> Result<(), String> {
    if account_id.len() == 12 && account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let digits = account_id.chars().filter(char::is_ascii_digit).count();
    let what = if digits == account_id.chars().count() { format!("{digits} digits") } else { "characters that are not digits".to_owned() };
    Err(format!("the account id {account_id:?} of the profile {profile} has {what}, but must have exactly 12 digits and nothing else"))
}

/// Checks a permission set name: 1 to 32 characters of `[\w+=,.@-]` (service model of IAM Identity Center).
pub(crate) fn check_role(role: &str) -> Result<(), String> {
    let fits = (1..=32).contains(&role.len()) && role.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if fits { Ok(()) } else { Err(format!("{role:?} is not a valid permission set role name (1 to 32 letters, digits or _+=,.@-)")) }
}

pub(crate) fn check_profile_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && !name.contains([']', '[']) && !name.chars().any(char::is_control) && name.trim() == name;
    if !fits {
        return Err(format!("{name:?} is not a valid profile name: it must not contain brackets or control characters, or start or end with a space"));
    }
    // configparser reads [DEFAULT] as the values of every other section.
    if name == "DEFAULT" { Err("DEFAULT in upper case would apply to every profile; use default in lower case".to_owned()) } else { Ok(()) }
}

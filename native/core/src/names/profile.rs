//! The profiles that keys are written for, and what AWS accepts as their names, accounts and roles.

/// A row of an environment's table, with the role that applies to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileEntry {
    pub(crate) name: String,
    pub(crate) account_id: String,
    pub(crate) role_name: String,
    pub(crate) settings: ProfileSettings,
}

impl ProfileEntry {
    /// Whether both are the same profile with the same account and role, so that the same keys are right for both.
    pub(crate) fn has_same_keys(&self, other: &Self) -> bool {
        self.name == other.name && self.account_id == other.account_id && self.role_name == other.role_name
    }
}

/// What the user wants AWS tools to read from a profile besides its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfileSettings {
    /// The region that AWS tools send requests to, which is not the region of the Identity Center instance.
    pub(crate) region: Option<String>,
    /// The output format of the AWS CLI.
    pub(crate) output: Option<String>,
}

impl ProfileSettings {
    /// These settings, with `defaults` for those that are not set.
    pub(crate) fn or(self, defaults: &Self) -> Self {
        Self { region: self.region.or_else(|| defaults.region.clone()), output: self.output.or_else(|| defaults.output.clone()) }
    }
}

/// The output formats of the AWS CLI (AWS CLI User Guide, "Setting the output format").
const OUTPUTS: [&str; 6] = ["json", "yaml", "yaml-stream", "text", "table", "off"];

pub(crate) fn check_output(output: &str) -> Result<(), String> {
    if OUTPUTS.contains(&output) { Ok(()) } else { Err(format!("{output:?} is not an output format of the AWS CLI, which are {}", OUTPUTS.join(", "))) }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_tab_key_offers_all_output_formats() {
        let source = include_str!("../../../../module/Commands/Completion.cs");
        let (_, list) = source.split_once("string[] Outputs = [").unwrap();
        let (list, _) = list.split_once("];").unwrap();
        assert_eq!(list.split('"').skip(1).step_by(2).collect::<Vec<_>>(), OUTPUTS);
    }
}

//! What the user wants an environment to be, checked before anything is written or sent.

use std::collections::HashMap;

use crate::environments::regions::check_region;
use crate::environments::start_url::check_start_url;
use crate::environments::sync_settings;
use crate::error::{Code, Error};
use crate::names::profile::{ProfileEntry, ProfileSettings, check_account_id, check_output, check_profile_name, check_role};
use crate::protocol::{AccountRow, SetEnvironment};
use crate::text::{capitalized, check_complete, check_visible, visible};

/// Where the values of an environment come from, for the text of an error.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    Parameters,
    /// An imported file.
    File(&'a str),
    /// The variable that users of the published script have.
    Variable,
}

impl<'a> Origin<'a> {
    pub(super) fn of(wanted: &'a SetEnvironment) -> Self {
        wanted.imported_from.as_deref().map_or(Self::Parameters, Self::File)
    }

    pub(super) fn invalid(self, name: &str, what: impl std::fmt::Display) -> Error {
        let sentence = match self {
            Self::File(file) => format!("{file}, the environment {}: {what}.", visible(name)),
            Self::Parameters | Self::Variable => capitalized(&format!("{what}.")),
        };
        self.error(Code::EnvironmentInvalid, sentence).with_target(name)
    }

    /// The error for the row with this index.
    pub(super) fn row_invalid(self, name: &str, index: usize, what: impl std::fmt::Display) -> Error {
        let number = index + 1;
        let sentence = match self {
            Self::File(file) => format!("{file}, record {number} of the environment {name}: {what}."),
            Self::Parameters | Self::Variable => format!("Row {number} of {}: {what}.", self.rows(name)),
        };
        self.error(Code::EnvironmentInvalid, sentence).with_target(name)
    }

    /// How an error refers to the rows.
    fn rows(self, name: &str) -> String {
        match self {
            Self::Parameters => "-Account".to_owned(),
            Self::File(file) => format!("the environment {name} in {file}"),
            Self::Variable => format!("${name}SsoAwsAccounts"),
        }
    }

    fn error(self, code: Code, sentence: String) -> Error {
        Error::new(code, sentence).with_action(match self {
            Self::File(_) => "Correct the file and import it again.",
            Self::Parameters | Self::Variable => "Correct the value and run the command again.",
        })
    }
}

/// The required parameters that are missing for a new environment.
pub(super) fn missing_parameters(start_url: bool, region: bool) -> &'static str {
    match (start_url, region) {
        (true, true) => "-StartUrl and -Region",
        (true, false) => "-StartUrl",
        _ => "-Region",
    }
}

/// The rows of a table, each with the role and the settings that apply to it.
pub(super) fn rows_of(wanted: &SetEnvironment, default_role: Option<&str>, defaults: &ProfileSettings, origin: Origin<'_>) -> Result<Vec<ProfileEntry>, Error> {
    let rows = wanted.accounts.iter().flatten().enumerate().map(|(index, row)| {
        let role_name = row.role_name.as_deref().or(default_role).ok_or_else(|| {
            let what = format!("the profile {} has no role, and the environment {} no default role", row.profile, wanted.name);
            origin.row_invalid(&wanted.name, index, what).with_action("Specify a RoleName for the row, or a -DefaultRoleName for the environment.")
        })?;
        let settings = ProfileSettings { region: row.profile_region.clone(), output: row.profile_output.clone() }.or(defaults);
        Ok(ProfileEntry { name: row.profile.clone(), account_id: row.account_id.clone(), role_name: role_name.to_owned(), settings })
    });
    rows.collect()
}

pub(super) fn check_wanted(wanted: &SetEnvironment, origin: Origin<'_>) -> Result<(), Error> {
    let name = wanted.name.as_str();
    let checks = [
        Some(check_name(name)),
        wanted.start_url.as_deref().map(check_start_url),
        wanted.region.as_deref().map(check_region),
        wanted.default_role_name.as_deref().map(check_role),
        wanted.profile_region.as_deref().filter(|region| !region.is_empty()).map(check_region),
        wanted.profile_output.as_deref().filter(|output| !output.is_empty()).map(check_output),
    ];
    checks.into_iter().flatten().collect::<Result<(), _>>().map_err(|what| origin.invalid(name, what))?;
    wanted.sync.as_ref().map_or(Ok(()), sync_settings::check).map_err(|(_, what)| origin.invalid(name, what))?;
    let mut rows: HashMap<&str, (usize, &AccountRow)> = HashMap::new();
    for (index, row) in wanted.accounts.iter().flatten().enumerate() {
        let role = row.role_name.as_deref().map_or(Ok(()), check_role);
        let seen = if matches!(origin, Origin::File(_)) { check_visible(&row.profile) } else { Ok(()) };
        seen.and_then(|()| check_complete(&row.profile))
            .and_then(|()| check_profile_name(&row.profile))
            .and_then(|()| check_account_id(&row.profile, &row.account_id))
            .and(role)
            .and_then(|()| row.profile_region.as_deref().map_or(Ok(()), check_region))
            .and_then(|()| row.profile_output.as_deref().map_or(Ok(()), check_output))
            .map_err(|what| origin.row_invalid(name, index, what))?;
        if let Some((first, other)) = rows.insert(&row.profile, (index, row)) {
            let both = [(first, other), (index, row)].map(|(index, row)| format!("row {} (account {})", index + 1, row.account_id)).join(" and ");
            return Err(Error::new(Code::ProfileNameConflict, format!("The profile {} is in {both} of {}.", row.profile, origin.rows(name)))
                .with_target(&row.profile)
                .with_action("Give each row a different profile name."));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    check_visible(name)?;
    check_complete(name)?;
    let fits = !name.is_empty() && !name.contains([']', '[', '#', ';']) && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(format!("{name:?} is not a valid environment name: it must not contain spaces, brackets, # or ;")) }
}

//! The arguments.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt as _};

/// The help text.
pub(crate) const HELP: &str = "\
Returns the keys of one profile, for a credential_process line in ~/.aws/config:

    credential_process = /path/to/sso-credential-process --environment Acme Account1

Export-SsoProfile of the PowerShell module Set-AwsCliSsoCredentials writes such lines.
The program uses keys of the credentials file, or keys that it kept, as long as they
are good, and the session of Connect-SsoSession otherwise. It never logs in.

Usage: sso-credential-process [--environment NAME] [--profile] PROFILE
       sso-credential-process --environment NAME --account ID --role NAME

  --environment NAME  The environment of the profile. By default, every environment.
  --profile NAME      The profile; case-sensitive.
  --account ID        The account, 12 digits, instead of that of a profile.
  --role NAME         The permission set role, instead of that of a profile.
  --help              Shows this text.
  --version           Shows the version of the module.
";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Keys(Wanted),
    Help,
    Version,
}

/// Whose keys to return.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) environment: Option<String>,
    pub(crate) profile: Option<String>,
    /// The account and role, if they are not those of the profile.
    pub(crate) role: Option<(String, String)>,
}

impl Command {
    /// Reads the arguments, without the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parser = Parser::from_args(arguments);
        let (mut environment, mut profile, mut account, mut role) = (None, None, None, None);
        while let Some(argument) = parser.next().map_err(|fault| in_words(&fault))? {
            let (place, name) = match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("version") => return Ok(Self::Version),
                Arg::Long("environment") => (&mut environment, "--environment"),
                Arg::Long("profile") => (&mut profile, "--profile"),
                Arg::Long("account") => (&mut account, "--account"),
                Arg::Long("role") => (&mut role, "--role"),
                Arg::Value(value) => {
                    set(&mut profile, "the profile", value)?;
                    continue;
                }
                unknown => return Err(in_words(&unknown.unexpected())),
            };
            set(place, name, parser.value().map_err(|fault| in_words(&fault))?)?;
        }
        let role = match (account, role) {
            (None, None) => None,
            (Some(account), Some(role)) => Some((account, role)),
            (Some(_), None) => return Err("--account needs --role.".to_owned()),
            (None, Some(_)) => return Err("--role needs --account.".to_owned()),
        };
        match (&profile, &role, &environment) {
            (None, None, _) => Err("No profile is named.".to_owned()),
            (_, Some(_), None) => Err("--account and --role need --environment.".to_owned()),
            _ => Ok(Self::Keys(Wanted { environment, profile, role })),
        }
    }
}

fn set(place: &mut Option<String>, name: &str, value: OsString) -> Result<(), String> {
    let value = value.string().map_err(|_| format!("The value of {name} is not UTF-8 text."))?;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("There are two values for {name}.")),
    }
}

fn in_words(fault: &lexopt::Error) -> String {
    match fault {
        lexopt::Error::MissingValue { option: Some(option) } => format!("{option} needs a value."),
        lexopt::Error::UnexpectedOption(option) => format!("{option} is not an option."),
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value."),
        _ => "The arguments cannot be read.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    fn wanted(environment: Option<&str>, profile: Option<&str>, role: Option<(&str, &str)>) -> Command {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Command::Keys(Wanted {
            environment: owned(environment),
            profile: owned(profile),
            role: role.map(|(account, role)| (account.to_owned(), role.to_owned())),
        })
    }

    #[test]
    fn a_profile_is_named_with_or_without_its_option_and_its_environment() {
        assert_eq!(parsed("--environment Acme Account1").unwrap(), wanted(Some("Acme"), Some("Account1"), None));
        assert_eq!(parsed("Account1").unwrap(), wanted(None, Some("Account1"), None));
        assert_eq!(parsed("--profile=Account1").unwrap(), wanted(None, Some("Account1"), None));
        assert_eq!(parsed("--environment Acme -- --odd").unwrap(), wanted(Some("Acme"), Some("--odd"), None));
        let role = wanted(Some("Acme"), None, Some(("012345678901", "Admin")));
        assert_eq!(parsed("--environment Acme --account 012345678901 --role Admin").unwrap(), role);
        assert_eq!((parsed("--help").unwrap(), parsed("x --version").unwrap()), (Command::Help, Command::Version));
    }

    #[test]
    fn wrong_arguments_are_one_sentence_that_names_them() {
        for (line, sentence) in [
            ("", "No profile is named."),
            ("--environment Acme", "No profile is named."),
            ("--environment", "--environment needs a value."),
            ("--enviroment Acme A", "--enviroment is not an option."),
            ("A B", "There are two values for the profile."),
            ("--account 012345678901 A", "--account needs --role."),
            ("--role R A", "--role needs --account."),
            ("--account 012345678901 --role R", "--account and --role need --environment."),
        ] {
            assert_eq!(parsed(line).unwrap_err(), sentence, "{line}");
        }
    }
}

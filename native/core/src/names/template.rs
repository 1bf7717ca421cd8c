//! Templates for profile names, such as `{AccountName}-{RoleName}`.

use crate::error::{Code, Error};
use crate::names::hazards::{Hazard, hazard, transliterated};
use crate::names::profile::check_profile_name;
use crate::protocol::RoleView;

/// The template for profile names if the user gives none.
pub(crate) const DEFAULT_TEMPLATE: &str = "{AccountName}-{RoleName}";

const FIELDS: [(&str, Field); 5] = [
    ("AccountName", Field::AccountName),
    ("AccountId", Field::AccountId),
    ("RoleName", Field::RoleName),
    ("Email", Field::Email),
    ("Environment", Field::Environment),
];

#[derive(Debug, Clone, Copy)]
enum Field {
    AccountName,
    AccountId,
    RoleName,
    Email,
    Environment,
}

#[derive(Debug, Clone, Copy)]
enum Case {
    AsIs,
    Lower,
    Upper,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Field(Field, Case),
}

/// A parsed template for profile names.
#[derive(Debug)]
pub(crate) struct NameTemplate(Vec<Part>);

impl NameTemplate {
    pub(crate) fn parse(template: &str, prefix: &str) -> Result<Self, Error> {
        let invalid = |what: String| {
            let fields = FIELDS.map(|(name, _)| format!("{{{name}}}")).join(", ");
            Error::new(Code::EnvironmentInvalid, format!("The name template '{template}' {what}."))
                .with_target(template)
                .with_action(format!("The fields are {fields}. Append :lower or :upper to change the case, as in {{AccountName:lower}} or {{RoleName:upper}}."))
        };
        let plain = |text: &str| {
            if text.contains(['[', ']', '{', '}']) || text.chars().any(char::is_control) {
                return Err(invalid(format!("contains '{text}'; profile names cannot contain brackets, braces or control characters")));
            }
            if hazard(text) == Some(Hazard::Misread) {
                return Err(invalid(format!("contains '{text}'; some AWS tools misread # ; = \\ and quotes in a profile name")));
            }
            Ok(Part::Text(transliterated(text)))
        };
        let mut parts = vec![plain(prefix)?];
        let mut rest = template;
        while let Some((text, behind)) = rest.split_once('{') {
            parts.push(plain(text)?);
            let (written, next) = behind.split_once('}').ok_or_else(|| invalid("contains a { without a }".to_owned()))?;
            let (name, case) = match written.split_once(':') {
                None => (written, Case::AsIs),
                Some((name, case)) if case.eq_ignore_ascii_case("lower") => (name, Case::Lower),
                Some((name, case)) if case.eq_ignore_ascii_case("upper") => (name, Case::Upper),
                Some((_, case)) => return Err(invalid(format!("contains ':{case}', which is neither :lower nor :upper"))),
            };
            let field = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
            let (_, field) = field.ok_or_else(|| invalid(format!("contains {{{name}}}, which is not a field")))?;
            parts.push(Part::Field(*field, case));
            rest = next;
        }
        parts.push(plain(rest)?);
        if parts.iter().any(|part| matches!(part, Part::Field(..))) { Ok(Self(parts)) } else { Err(invalid("contains no field".to_owned())) }
    }

    /// Builds the name for a role; every AWS tool can read it.
    pub(crate) fn name_of(&self, role: &RoleView, environment: &str) -> NewName {
        let mut name = String::new();
        let mut is_altered = false;
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field, case) => {
                    let value = match field {
                        Field::AccountName => role.account_name.as_deref().unwrap_or_default(),
                        Field::AccountId => &role.account_id,
                        Field::RoleName => &role.role_name,
                        Field::Email => role.email_address.as_deref().unwrap_or_default(),
                        Field::Environment => environment,
                    };
                    let cleaned = clean(value);
                    is_altered |= cleaned != value;
                    // An account that has no name or email address, or only one without valid characters, still has its ID.
                    let value = Some(cleaned).filter(|value| !value.is_empty()).unwrap_or_else(|| role.account_id.clone());
                    name.push_str(&match case {
                        Case::AsIs => value,
                        Case::Lower => value.to_lowercase(),
                        Case::Upper => value.to_uppercase(),
                    });
                }
            }
        }
        // The only invalid name that can occur here is DEFAULT in uppercase.
        let name = if check_profile_name(&name).is_ok() { name } else { format!("{name}-{}", role.account_id) };
        NewName { name, is_altered }
    }
}

/// The name for a new profile.
pub(crate) struct NewName {
    pub(crate) name: String,
    /// Whether characters were replaced, so that another account may get the same name.
    pub(crate) is_altered: bool,
}

/// Transliterates a value for AWS tools, and replaces characters that shells treat specially with hyphens.
fn clean(value: &str) -> String {
    let mut cleaned = String::new();
    for c in transliterated(value).chars() {
        let kept = if c.is_ascii_alphanumeric() || "._-+@".contains(c) { c } else { '-' };
        if kept != '-' || !cleaned.ends_with('-') {
            cleaned.push(kept);
        }
    }
    cleaned.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn role(account_name: Option<&str>, role_name: &str) -> RoleView {
        RoleView {
            environment: "Acme".into(),
            account_id: "012345678901".into(),
            account_name: account_name.map(str::to_owned),
            email_address: Some("aws+prod@example.com".into()),
            role_name: role_name.into(),
            profile_name: None,
        }
    }

    fn name(template: &str, account_name: Option<&str>) -> String {
        NameTemplate::parse(template, "").unwrap().name_of(&role(account_name, "AWSReadOnlyAccess"), "Acme").name
    }

    #[test]
    fn a_profile_name_follows_the_template() {
        assert_eq!(name(DEFAULT_TEMPLATE, Some("Production")), "Production-AWSReadOnlyAccess");
        assert_eq!(name("{accountname:lower}/{ROLENAME:Upper}", Some("Production")), "production/AWSREADONLYACCESS");
        assert_eq!(name("{Environment}.{AccountId}.{Email}", None), "Acme.012345678901.aws+prod@example.com");
        assert_eq!(NameTemplate::parse("{AccountName}", "acme-").unwrap().name_of(&role(Some("Dev"), "Role"), "Acme").name, "acme-Dev");
        assert_eq!(NameTemplate::parse("{AccountName}", "f\u{fc}r ").unwrap().name_of(&role(Some("Dev"), "Role"), "Acme").name, "fur-Dev");
    }

    #[test]
    fn invalid_account_names_are_cleaned_and_missing_ones_become_the_account_id() {
        for (account, expected) in [
            (Some("Acme \"Prod\" / EU"), "Acme-Prod-EU"),
            (Some("a]b[c"), "a-b-c"),
            (Some("\u{fffd}\u{e000}"), "012345678901"),
            (Some("Z\u{fc}rich \u{2013} 2"), "Zurich-2"),
            (Some("Stra\u{df}e \u{d8}st"), "Strasse-Ost"),
            (Some("\u{5317}\u{4eac}"), "012345678901"),
            (Some("it's; # here"), "it-s-here"),
            (Some("DEFAULT"), "DEFAULT-012345678901"),
            (Some("  "), "012345678901"),
            (None, "012345678901"),
        ] {
            assert_eq!(name("{AccountName}", account), expected, "{account:?}");
        }
    }

    #[test]
    fn the_error_for_an_invalid_template_says_what_is_wrong() {
        for (template, what) in [
            ("{AccountNmae}", "contains {AccountNmae}, which is not a field"),
            ("{AccountName", "contains a { without a }"),
            ("AccountName}", "braces"),
            ("{AccountName:camel}", "contains ':camel', which is neither :lower nor :upper"),
            ("[{AccountName}]", "brackets"),
            ("#{AccountName}", "misread"),
            ("{AccountName}='{RoleName}'", "misread"),
            ("same", "contains no field"),
            ("", "contains no field"),
        ] {
            let error = NameTemplate::parse(template, "").unwrap_err();
            assert_eq!(error.code(), Code::EnvironmentInvalid);
            assert!(error.to_string().contains(what) && error.action().is_some_and(|action| action.contains("{AccountName}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_account_name_leads_to_a_valid_profile_name(account in ".*", role_name in "[A-Za-z0-9_+=,.@-]{1,32}") {
            let view = RoleView { role_name, ..role(Some(&account), "") };
            for template in [DEFAULT_TEMPLATE, "{AccountName}", "{AccountName:upper} {Email:lower}"] {
                let name = NameTemplate::parse(template, " ").unwrap().name_of(&view, "Acme").name;
                prop_assert!(check_profile_name(&name).is_ok() && hazard(&name).is_none(), "{name:?}");
            }
        }
    }
}

//! `Open-SsoConsole`: the access portal's shortcut link to the AWS console for an account and role.

use crate::context::Context;
use crate::environments::environment::Environment;
use crate::environments::regions::check_region;
use crate::error::{Code, Error};
use crate::login::browser::try_open;
use crate::names::profile::ProfileEntry;
use crate::operations::named::find_profile;
use crate::outlet::NetworkWork;
use crate::protocol::{ConsoleView, Event, OpenConsole};
use crate::urls::percent_encoded;

/// Opens the console for a profile's account and role, and reports the link; sends nothing and reads no keys.
pub(crate) fn run(wanted: OpenConsole, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = find_profile(&wanted.profile, &wanted.environments, &context.world)?;
    let url = link(&environment, &profile, &wanted)?;
    let browser_opened = try_open(&url, wanted.browser, &environment.name, &context.world, &context.outlet);
    context.outlet.send(Event::Console(ConsoleView { environment: environment.name.clone(), profile_name: profile.name.clone(), url, browser_opened }));
    Ok(None)
}

/// The link that "copy link" in the access portal creates (IAM Identity Center User Guide, "Creating shortcut links").
fn link(environment: &Environment, profile: &ProfileEntry, wanted: &OpenConsole) -> Result<String, Error> {
    let start_url = environment.start_url.split('#').next().unwrap_or_default().trim_end_matches('/');
    let mut url = format!("{start_url}/#/console?account_id={}&role_name={}", percent_encoded(&profile.account_id), percent_encoded(&profile.role_name));
    if let Some(destination) = destination(&environment.region, wanted.service.as_deref(), wanted.region.as_deref())? {
        url.push_str("&destination=");
        url.push_str(&percent_encoded(&destination));
    }
    Ok(url)
}

/// The address of a page in the console; `None` for its home page.
fn destination(instance_region: &str, service: Option<&str>, region: Option<&str>) -> Result<Option<String>, Error> {
    if service.is_none() && region.is_none() {
        return Ok(None);
    }
    if let Some(service) = service.filter(|service| service.is_empty() || !service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/".contains(&byte))) {
        return Err(Error::new(Code::EnvironmentInvalid, format!("'{service}' is not the name of a service in the URLs of the AWS console."))
            .with_target(service)
            .with_action("Use the name from the URL of the console, such as s3, ec2 or cloudwatch."));
    }
    if let Some(region) = region {
        check_region(region).map_err(|what| {
            Error::new(Code::EnvironmentInvalid, format!("The console cannot be opened: {what}."))
                .with_target(region)
                .with_action("Specify a region such as eu-west-1.")
        })?;
    }
    // Each partition has its own console.
    let host = match region.unwrap_or(instance_region) {
        region if region.starts_with("cn-") => "console.amazonaws.cn",
        region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        region if region.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    let path = service.map_or_else(|| "console/home".to_owned(), |service| if service.contains('/') { service.to_owned() } else { format!("{service}/home") });
    Ok(Some(match region {
        Some(region) => format!("https://{host}/{path}?region={region}"),
        None => format!("https://{host}/{path}"),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::login::browser::may_open;
    use crate::protocol::SyncSettings;

    fn link_of(start_url: &str, role_name: &str, service: Option<&str>, region: Option<&str>) -> Result<String, Error> {
        let environment = Environment {
            name: "Acme".into(),
            start_url: start_url.into(),
            region: "us-west-2".into(),
            default_role_name: None,
            defaults: crate::names::profile::ProfileSettings::default(),
            sync: SyncSettings::default(),
            credentials_file: crate::protocol::CredentialsFileUse::Always,
            token_cache: None,
            sso_session: None,
            profiles: Vec::new(),
            source: "".into(),
        };
        let profile = ProfileEntry {
            name: "p".into(),
            account_id: "012345678901".into(),
            role_name: role_name.into(),
            settings: crate::names::profile::ProfileSettings::default(),
        };
        let wanted = OpenConsole {
            profile: "p".into(),
            environments: Vec::new(),
            service: service.map(str::to_owned),
            region: region.map(str::to_owned),
            browser: false,
        };
        link(&environment, &profile, &wanted)
    }

    #[test]
    fn the_link_is_the_same_as_in_the_access_portal_for_any_form_of_the_start_url() {
        for start_url in
            ["https://acme.awsapps.com/start", "https://acme.awsapps.com/start/", "https://acme.awsapps.com/start/#/", "https://acme.awsapps.com/start#"]
        {
            let url = link_of(start_url, "Read+Only@x", None, None).unwrap();
            assert_eq!(url, "https://acme.awsapps.com/start/#/console?account_id=012345678901&role_name=Read%2BOnly%40x");
            assert!(may_open(&url));
        }
    }

    #[test]
    fn a_service_or_region_becomes_a_destination_that_is_encoded_once() {
        let destination =
            |service, region| link_of("https://x.awsapps.com/start", "R", service, region).unwrap().split_once("&destination=").unwrap().1.to_owned();
        assert_eq!(destination(Some("s3"), None), "https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome");
        assert_eq!(destination(Some("ec2/v2/home"), Some("eu-west-1")), "https%3A%2F%2Fconsole.aws.amazon.com%2Fec2%2Fv2%2Fhome%3Fregion%3Deu-west-1");
        assert_eq!(destination(None, Some("cn-north-1")), "https%3A%2F%2Fconsole.amazonaws.cn%2Fconsole%2Fhome%3Fregion%3Dcn-north-1");
        assert_eq!(destination(Some("s3"), Some("us-gov-west-1")), "https%3A%2F%2Fconsole.amazonaws-us-gov.com%2Fs3%2Fhome%3Fregion%3Dus-gov-west-1");
    }

    #[test]
    fn an_invalid_service_or_region_is_refused() {
        for (service, region) in [(Some("s3?x=1"), None), (Some("https://example.com"), None), (Some(""), None), (None, Some("no region"))] {
            assert_eq!(link_of("https://x.awsapps.com/start", "R", service, region).unwrap_err().code(), Code::EnvironmentInvalid, "{service:?} {region:?}");
        }
    }
}

//! Requests as a caller writes them.
#![allow(dead_code, reason = "no test binary needs all of it")]

use std::path::Path;

use sso_stand_in::StandIn;

/// The requests of a user with an environment of some profiles, whose services are a stand-in.
pub(crate) struct Requests {
    pub(crate) set_environment: String,
    pub(crate) update: String,
    pub(crate) forced_update: String,
    /// An update of an environment that does not exist.
    pub(crate) unknown: String,
}

impl Requests {
    pub(crate) fn of(home: &Path, service: &StandIn, profiles: u64) -> Self {
        let accounts: Vec<String> = (0..profiles).map(|n| format!(r#"{{"profile":"Account{n}","account_id":"{}"}}"#, 100_000_000_000 + n)).collect();
        let (path, url) = (serde_json::to_string(home).unwrap(), service.url());
        let variables = format!(r#""HOME":{path},"USERPROFILE":{path},"AWS_ENDPOINT_URL_SSO":"{url}","AWS_ENDPOINT_URL_SSO_OIDC":"{url}""#);
        let request = |operation: &str| format!(r#"{{"directory":{path},"variables":{{{variables}}},"operation":{operation}}}"#);
        let update = |environment: &str, how: &str| {
            request(&format!(r#"{{"update":{{"targets":[{{"environment":"{environment}"}}],{how}"session":{{"browser":false}}}}}}"#))
        };
        Self {
            set_environment: request(&format!(
                r#"{{"set_environment":{{"name":"Acme","start_url":"{}","region":"us-west-2","default_role_name":"AWSAdministratorAccess","accounts":[{}]}}}}"#,
                service.start_url(),
                accounts.join(",")
            )),
            update: update("Acme", ""),
            forced_update: update("Acme", r#""force":true,"#),
            unknown: update("Beta", ""),
        }
    }
}

//! The request to the library.

use std::collections::BTreeMap;

use serde_json::json;

use crate::arguments::Wanted;

/// The limit of the whole run, in seconds. Some SDKs end a slower program.
const TIMEOUT: u64 = 20;

/// The variables of AWS tools that say where files and services are. The others name a profile, keys or a region, which only the arguments do here.
const PLACES: [&str; 8] = [
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SSO_ENVIRONMENTS_FILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
];

/// Parts of the names of variables that can have secrets; no file can be named by those.
const SECRETS: [&str; 8] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "ACCESS_KEY", "API_KEY", "PRIVATE_KEY"];

/// The request as JSON text.
pub(crate) fn text_of(wanted: &Wanted) -> Vec<u8> {
    let role = wanted.role.as_ref().map(|(account_id, role_name)| json!({ "account_id": account_id, "role_name": role_name }));
    let environments: Vec<&str> = wanted.environment.as_deref().into_iter().collect();
    let request = json!({
        "variables": variables(),
        "directory": std::env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok()).unwrap_or_default(),
        "verbose": false,
        "operation": { "get_keys": {
            "profile": wanted.profile.as_deref().unwrap_or_default(),
            "environments": environments,
            "role": role,
            "keep": true,
            "session": { "login": false, "no_login_reason": "a credential_process has nobody to ask", "timeout": TIMEOUT },
        } },
    });
    request.to_string().into_bytes()
}

fn variables() -> BTreeMap<String, String> {
    // A variable that is not UTF-8 text cannot be passed on.
    let all = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    all.filter(|(name, _)| is_passed(name)).collect()
}

fn is_passed(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("AWS_") { PLACES.contains(&upper.as_str()) } else { !SECRETS.iter().any(|part| upper.contains(part)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_caller_that_name_keys_or_a_profile_are_not_passed_on() {
        for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "my_password"] {
            assert!(!is_passed(name), "{name}");
        }
        for name in ["HOME", "USERPROFILE", "https_proxy", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE", "ANYTHING_IN_A_PATH"] {
            assert!(is_passed(name), "{name}");
        }
    }
}

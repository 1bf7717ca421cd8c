//! The portal without faults.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use sso_stand_in::{AccountRole, Options};

use crate::client::{BEARER, Login, Portal, approving, send, start};

fn error(status: u16, name: &str) -> (u16, String) {
    (status, name.to_owned())
}

#[test]
fn credentials_look_like_real_ones_and_differ_each_time() {
    let stand_in = start(Options { credential_lifetime: 900, ..approving() });
    let portal = Portal::open(&stand_in);
    let mut keys = HashSet::new();
    for _ in 0..3 {
        let credentials = portal.credentials("100000000019", "AWSReadOnlyAccess").json()["roleCredentials"].clone();
        let key = credentials["accessKeyId"].as_str().unwrap().to_owned();
        assert!(key.starts_with("ASIA") && key.len() == 20);
        assert_eq!(credentials["secretAccessKey"].as_str().unwrap().len(), 40);
        assert!(credentials["sessionToken"].as_str().unwrap().contains("+/"));
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let left = credentials["expiration"].as_i64().unwrap() - now;
        assert!((898_000..=901_000).contains(&left), "{left}");
        keys.insert(key);
    }
    assert_eq!(keys.len(), 3);
}

#[test]
fn accounts_come_page_by_page() {
    let stand_in = start(Options { accounts: 45, ..approving() });
    let portal = Portal::open(&stand_in);
    let first = portal.get("/assignment/accounts").json();
    assert_eq!(first["accountList"].as_array().unwrap().len(), 20);
    assert_eq!(first["accountList"][0], json!({ "accountId": "100000000000", "accountName": "Account1", "emailAddress": "account1@example.com" }));
    let next = first["nextToken"].as_str().unwrap().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let second = portal.get(&format!("/assignment/accounts?max_result=100&next_token={next}")).json();
    assert_eq!(second["accountList"].as_array().unwrap().len(), 25);
    assert_eq!(second["accountList"][24]["accountName"], "Account45");
    assert!(second["nextToken"].is_null());
    assert_eq!(stand_in.stats().violations, Vec::<String>::new());
}

#[test]
fn roles_come_page_by_page() {
    let stand_in = start(Options { roles: 3, ..approving() });
    let portal = Portal::open(&stand_in);
    let roles = portal.get("/assignment/roles?account_id=100000000001").json();
    assert_eq!(
        roles,
        json!({ "roleList": [
            { "roleName": "AWSAdministratorAccess", "accountId": "100000000001" },
            { "roleName": "AWSReadOnlyAccess", "accountId": "100000000001" },
            { "roleName": "Role3", "accountId": "100000000001" },
        ] })
    );
    let page = portal.get("/assignment/roles?account_id=100000000001&max_result=2").json();
    assert!(page["nextToken"].is_string());
}

#[test]
fn an_unassigned_role_is_refused_and_an_unknown_account_is_not_found() {
    let refuse_role = vec![AccountRole { account: "100000000001".to_owned(), role: "AWSReadOnlyAccess".to_owned() }];
    let stand_in = start(Options { refuse: vec!["100000000000".to_owned()], refuse_role, ..approving() });
    let portal = Portal::open(&stand_in);
    let answer = portal.credentials("100000000000", "AWSReadOnlyAccess");
    assert_eq!(answer.json(), json!({ "message": "No access", "__type": "com.amazonaws.switchboard.portal#ForbiddenException" }));
    assert_eq!(answer.status, 403);
    assert_eq!(portal.credentials("100000000001", "AWSReadOnlyAccess").portal_error(), error(403, "ForbiddenException"));
    assert_eq!(portal.credentials("100000000001", "AWSAdministratorAccess").status, 200);
    assert_eq!(portal.credentials("100000000001", "Role3").portal_error(), error(403, "ForbiddenException"));
    assert_eq!(portal.credentials("100000000020", "AWSReadOnlyAccess").portal_error(), error(404, "ResourceNotFoundException"));
    assert_eq!(portal.get("/assignment/roles?account_id=999999999999").portal_error(), error(404, "ResourceNotFoundException"));
    assert_eq!(stand_in.stats().violations, Vec::<String>::new());
}

#[test]
fn a_logout_ends_the_whole_session() {
    let stand_in = start(approving());
    let login = Login::begin(&stand_in);
    let token = login.poll();
    let portal = Portal::of(&stand_in, &token);
    let answer = send(stand_in.url(), "POST", "/logout", &[(BEARER, &portal.token)], "");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let answer = portal.get("/assignment/accounts");
    assert_eq!(answer.portal_error(), error(401, "UnauthorizedException"));
    assert_eq!(answer.json()["message"], "Session token not found or invalid");
    assert_eq!(login.refresh(&token.json()["refreshToken"]).oidc_error().2, "invalid_grant");
}

#[test]
fn an_access_token_expires() {
    let stand_in = start(Options { token_lifetime: 0, ..approving() });
    assert_eq!(Portal::open(&stand_in).get("/assignment/accounts").portal_error(), error(401, "UnauthorizedException"));
    assert_eq!(stand_in.stats().violations, Vec::<String>::new());
}

//! The four operations of the SSO portal.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::call::{BEARER, Call};
use crate::options::Options;
use crate::reply::{HOSTILE, Refusal, Reply};
use crate::state::State;

const FIRST_ACCOUNT: u64 = 100_000_000_000;
const USUAL_PAGE: u32 = 20;
const LARGEST_PAGE: u32 = 100;

/// `GetRoleCredentials`: keys of a role that is assigned.
pub(crate) fn get_role_credentials(options: &Options, state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    call.check_query(&["role_name", "account_id"]);
    session(state, call)?;
    let account = account_id(call)?;
    let role = match call.query_value("role_name") {
        Some(role) if !role.is_empty() => role.to_owned(),
        _ => {
            call.violation("missing role_name");
            return Err(Refusal::invalid_request(true));
        }
    };
    known_account(options, &account)?;
    let refused = state.refused.contains(&account) || state.refused_roles.iter().any(|pair| pair.account == account && pair.role == role);
    if refused || !(0..options.roles).any(|number| role_name(number) == role) {
        return Err(Refusal::portal("ForbiddenException"));
    }
    let expires = state.now() + i64::from(options.credential_lifetime);
    Ok(Reply::json(
        StatusCode::OK,
        &json!({
            "roleCredentials": {
                "accessKeyId": state.ids.access_key_id(),
                "secretAccessKey": state.ids.secret_access_key(),
                "sessionToken": state.ids.session_token(),
                "expiration": expires.saturating_mul(1000),
            }
        }),
    ))
}

/// `ListAccounts`: one page of the accounts.
pub(crate) fn list_accounts(options: &Options, state: &State, call: &mut Call) -> Result<Reply, Refusal> {
    call.check_query(&["max_result", "next_token"]);
    session(state, call)?;
    let (page, next) = page(state, call, "accounts", options.accounts)?;
    let accounts: Vec<Value> = page
        .map(|number| {
            let id = (FIRST_ACCOUNT + u64::from(number)).to_string();
            let given = usize::try_from(number).ok().and_then(|index| options.account_name.get(index));
            if given.is_some_and(String::is_empty) {
                return json!({ "accountId": id });
            }
            let mut name = given.cloned().unwrap_or_else(|| format!("Account{}", u64::from(number) + 1));
            if options.hostile_text {
                name.push_str(HOSTILE);
            }
            json!({
                "accountId": id,
                "accountName": name,
                "emailAddress": format!("account{}@example.com", u64::from(number) + 1),
            })
        })
        .collect();
    // The last page has `null` here, and no such member in the list of roles; real responses show both.
    Ok(Reply::json(StatusCode::OK, &json!({ "nextToken": next, "accountList": accounts })))
}

/// `ListAccountRoles`: one page of the roles in one account.
pub(crate) fn list_account_roles(options: &Options, state: &State, call: &mut Call) -> Result<Reply, Refusal> {
    call.check_query(&["account_id", "max_result", "next_token"]);
    session(state, call)?;
    let account = account_id(call)?;
    known_account(options, &account)?;
    let (page, next) = page(state, call, &account, options.roles)?;
    let roles: Vec<Value> = page.map(|number| json!({ "roleName": role_name(number), "accountId": account })).collect();
    let mut body = json!({ "roleList": roles });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `Logout`: ends the session, refresh tokens included.
pub(crate) fn logout(state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    call.check_query(&[]);
    if !call.body.is_empty() {
        call.violation("a body");
    }
    let session = session(state, call)?;
    state.end_session(session);
    Ok(Reply::empty(StatusCode::OK))
}

/// The session of the request's access token.
fn session(state: &State, call: &mut Call) -> Result<u64, Refusal> {
    let unauthorized = || Refusal::portal("UnauthorizedException");
    let Some(token) = call.header_text(BEARER) else {
        call.violation("missing header x-amz-sso_bearer_token");
        return Err(unauthorized());
    };
    state.access.get(token).filter(|access| state.now() < access.expires).map(|access| access.session).ok_or_else(unauthorized)
}

fn account_id(call: &mut Call) -> Result<String, Refusal> {
    let wrong = match call.query_value("account_id") {
        Some(id) if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Ok(id.to_owned());
        }
        Some(_) => "account_id is not 12 digits",
        None => "missing account_id",
    };
    call.violation(wrong);
    Err(Refusal::invalid_request(true))
}

fn known_account(options: &Options, account: &str) -> Result<(), Refusal> {
    let known = FIRST_ACCOUNT..FIRST_ACCOUNT + u64::from(options.accounts);
    if account.parse().is_ok_and(|id: u64| known.contains(&id)) { Ok(()) } else { Err(Refusal::portal("ResourceNotFoundException")) }
}

fn role_name(number: u32) -> String {
    match number {
        0 => "AWSAdministratorAccess".to_owned(),
        1 => "AWSReadOnlyAccess".to_owned(),
        _ => format!("Role{}", u64::from(number) + 1),
    }
}

/// The numbers on the requested page, and the token of the next page.
fn page(state: &State, call: &mut Call, list: &str, total: u32) -> Result<(std::ops::Range<u32>, Option<String>), Refusal> {
    let size = match call.query_value("max_result").map(str::parse::<u32>) {
        None => USUAL_PAGE,
        Some(Ok(size @ 1..=LARGEST_PAGE)) => size,
        Some(_) => {
            call.violation("max_result is not in 1..=100");
            return Err(Refusal::invalid_request(true));
        }
    };
    let start = match call.query_value("next_token") {
        None => 0,
        Some(token) => {
            let Some(offset) = state.ids.page_offset(list, token) else {
                call.violation("next_token was never given");
                return Err(Refusal::invalid_request(true));
            };
            offset
        }
    };
    let start = start.min(total);
    let end = start.saturating_add(size).min(total);
    let next = (end < total).then(|| state.ids.page_token(list, end));
    Ok((start..end, next))
}

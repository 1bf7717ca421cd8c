//! The pages that the user sees in the browser, in plain HTML without scripts.

use axum::http::{Method, StatusCode};

use crate::call::Call;
use crate::oidc::AuthorizationRequest;
use crate::reply::Reply;
use crate::state::{Decision, Shared, State};

/// `/device`: shows the form on GET, and takes the decision on POST.
pub(crate) fn device(state: &mut State, call: &mut Call) -> Reply {
    if call.method == Method::GET {
        return match call.query_value("user_code") {
            Some(code) => page(
                StatusCode::OK,
                "Authorization requested",
                &format!(
                    "<p>Confirm that this is the code that you were shown: \
                     <strong id=\"code\">{code}</strong></p>\
                     <form method=\"post\" action=\"/device\">\
                     <input type=\"hidden\" name=\"user_code\" value=\"{code}\">{BUTTONS}</form>",
                    code = escape(code)
                ),
            ),
            None => page(
                StatusCode::OK,
                "Authorize a device",
                &format!(
                    "<form method=\"post\" action=\"/device\"><p><label>Code \
                     <input name=\"user_code\" autocomplete=\"off\" autofocus></label></p>\
                     {BUTTONS}</form>"
                ),
            ),
        };
    }
    let form = call.form().unwrap_or_default();
    let (Some(code), Some(approve)) = (field(&form, "user_code"), approves(&form)) else {
        return page(StatusCode::BAD_REQUEST, "Request not valid", "<p>The form needs user_code and an action of approve or deny.</p>");
    };
    let decision = if approve { Decision::Approved } else { Decision::Denied };
    // `*` stands for every code in tests; a page must not accept it.
    if code == "*" || state.decide(code, decision) == 0 {
        return page(StatusCode::NOT_FOUND, "Code not known", "<p>No authorization waits for this code.</p>");
    }
    if approve {
        page(StatusCode::OK, "Request approved", "<p>You can close this window.</p>")
    } else {
        page(StatusCode::OK, "Request denied", "<p>You can close this window.</p>")
    }
}

/// `/authorize`: shows the form on GET, and redirects to the client's callback on POST.
pub(crate) fn authorize(shared: &Shared, state: &mut State, call: &mut Call) -> Reply {
    let request = match AuthorizationRequest::read(state, call) {
        Ok(request) => request,
        Err(why) => {
            return page(StatusCode::BAD_REQUEST, "Request not valid", &format!("<p>{why}</p>"));
        }
    };
    if call.method == Method::GET {
        if shared.options.deny {
            return request.decide(state, false);
        }
        if shared.options.approve_after_polls.is_some() {
            return request.decide(state, true);
        }
        return page(
            StatusCode::OK,
            "Allow access to your data?",
            &format!("<form method=\"post\" action=\"/authorize?{}\">{BUTTONS}</form>", escape(&call.raw_query)),
        );
    }
    match approves(&call.form().unwrap_or_default()) {
        Some(approve) => request.decide(state, approve),
        None => page(StatusCode::BAD_REQUEST, "Request not valid", "<p>The form needs an action of approve or deny.</p>"),
    }
}

const BUTTONS: &str = "<button id=\"approve\" name=\"action\" value=\"approve\">Approve</button> \
                       <button id=\"deny\" name=\"action\" value=\"deny\">Deny</button>";

fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn approves(form: &[(String, String)]) -> Option<bool> {
    match field(form, "action")? {
        "approve" => Some(true),
        "deny" => Some(false),
        _ => None,
    }
}

fn page(status: StatusCode, title: &str, body: &str) -> Reply {
    Reply::html(
        status,
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <link rel=\"icon\" href=\"data:,\"><title>{title}</title></head>\
             <body><h1>{title}</h1>{body}</body></html>"
        ),
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

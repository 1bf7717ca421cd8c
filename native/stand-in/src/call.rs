//! A request that has been read, and the checks that both services make.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::reply::Refusal;

/// The header that carries the access token to the portal, and nowhere else.
pub(crate) const BEARER: &str = "x-amz-sso_bearer_token";

/// A request and what is wrong with it. Violations never contain values, which may be secrets.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) violations: Vec<String>,
}

impl Call {
    pub(crate) fn new(method: Method, uri: &axum::http::Uri, headers: HeaderMap, body: Bytes) -> Self {
        let raw_query = uri.query().unwrap_or_default().to_owned();
        Self { method, path: uri.path().to_owned(), query: pairs(raw_query.as_bytes()), raw_query, headers, body, violations: Vec::new() }
    }

    pub(crate) fn violation(&mut self, what: &str) {
        let violation = format!("{} {}: {what}", self.method, printable(&self.path));
        self.violations.push(violation);
    }

    /// Records what no operation of either service allows.
    pub(crate) fn check_headers(&mut self, portal: bool) {
        if self.headers.contains_key(header::AUTHORIZATION) {
            self.violation("an Authorization header");
        }
        if self.headers.contains_key("x-amz-security-token") {
            self.violation("an X-Amz-Security-Token header");
        }
        if !portal && self.headers.contains_key(BEARER) {
            self.violation("an access token");
        }
        if self.method == Method::GET && !self.body.is_empty() {
            self.violation("a body on GET");
        }
    }

    /// Records each query parameter that is not in `known` or is repeated.
    pub(crate) fn check_query(&mut self, known: &[&str]) {
        let mut seen: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for (name, _) in &self.query {
            if !known.contains(&name.as_str()) {
                found.push(format!("unknown query name {}", printable(name)));
            } else if seen.contains(&name.as_str()) {
                found.push(format!("repeated query name {name}"));
            }
            seen.push(name);
        }
        for what in found {
            self.violation(&what);
        }
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn has_content_type(&self, wanted: &str) -> bool {
        self.header_text("content-type").and_then(|value| value.split(';').next()).is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
    }

    /// The fields of a form on a page.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        self.has_content_type("application/x-www-form-urlencoded").then(|| pairs(&self.body))
    }

    /// The JSON object of an SSO-OIDC call.
    pub(crate) fn json(&mut self, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
        self.check_query(&[]);
        if !self.has_content_type("application/json") {
            self.violation("the content type is not application/json");
            return Err(Refusal::invalid_request(false));
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(&self.body) else {
            self.violation("the body is not a JSON object");
            return Err(Refusal::invalid_request(false));
        };
        for name in fields.keys() {
            if !known.contains(&name.as_str()) {
                self.violation(&format!("unknown field {}", printable(name)));
            }
        }
        Ok(fields)
    }

    /// A required text.
    pub(crate) fn text<'f>(&mut self, fields: &'f Map<String, Value>, name: &str) -> Result<&'f str, Refusal> {
        match self.optional_text(fields, name)? {
            Some("") | None => {
                self.violation(&format!("missing {name}"));
                Err(Refusal::invalid_request(false))
            }
            Some(text) => Ok(text),
        }
    }

    /// An optional text, which may be null.
    pub(crate) fn optional_text<'f>(&mut self, fields: &'f Map<String, Value>, name: &str) -> Result<Option<&'f str>, Refusal> {
        match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                self.violation(&format!("{name} is not a string"));
                Err(Refusal::invalid_request(false))
            }
        }
    }

    /// An optional list of texts, `None` if missing or null.
    pub(crate) fn texts(&mut self, fields: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let texts = match fields.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(values)) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        if texts.is_none() {
            self.violation(&format!("{name} is not a list of strings"));
            return Err(Refusal::invalid_request(false));
        }
        Ok(texts)
    }
}

pub(crate) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// A name from the client, if it can be shown; a token in the wrong place is longer than any name.
fn printable(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    if name.len() <= 40 && name.bytes().all(plain) { name } else { "(not shown)" }
}

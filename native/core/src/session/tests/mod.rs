//! What a user gets of a session, with a scripted service and in virtual time.
#![allow(clippy::unwrap_used)]

mod live;
mod served;
mod sharing;
mod state;
mod tokens;

use crate::environments::configured::ConfigFile;
use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::protocol::{SessionTerms, SessionView, TokenCache};
use crate::session::source::SessionSource;
use crate::session::view::view;
use crate::test_user::{START_URL, TestUser};

const REFUSED: &str = "x_refresh_token_refused";

fn no_login() -> SessionTerms {
    SessionTerms { login: false, ..SessionTerms::default() }
}

fn in_memory() -> SessionTerms {
    SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() }
}

/// The access token that the user gets on these terms.
async fn session(user: &TestUser, terms: &SessionTerms) -> Result<String, NoLogin> {
    let (environment, service) = (user.environment("Acme"), user.services());
    let config = ConfigFile::default();
    let source = SessionSource::of(&user.context, &environment, &service, &config, terms);
    source.session().await.map(|session| session.access_token.reveal().to_owned())
}

async fn error_of(user: &TestUser, terms: &SessionTerms) -> Error {
    match session(user, terms).await {
        Err(NoLogin::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn shown(user: &TestUser) -> SessionView {
    view(&user.context, &user.environment("Acme"), &ConfigFile::default(), Some(TokenCache::AwsCli)).unwrap()
}

fn field(user: &TestUser, name: &str) -> String {
    user.kept(START_URL).unwrap().get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

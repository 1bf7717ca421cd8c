//! Which path and token lead to whose keys.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::endpoint::answer::Answer;
use crate::error::{Code, Error};
use crate::secret::Secret;

/// The part of each path that is not random. The module recognizes an endpoint by it.
const PATH_START: &str = "/sso-endpoint/";

/// The random bytes of a path and of a token.
const RANDOM_BYTES: usize = 32;

/// Has the answer for one profile.
pub(crate) trait Holder: Send + Sync {
    /// The answer to a request with the right path and token; takes less than a second.
    fn answer(&self) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;

    /// When its keys expire.
    fn expiration(&self) -> OffsetDateTime;

    /// What the user has not been told yet, as a sentence; it counts as told then.
    fn untold(&self) -> Option<String>;
}

/// A holder, and the end of its work.
#[derive(Clone)]
pub(crate) struct Holding {
    pub(crate) holder: Arc<dyn Holder>,
    /// Canceled when the endpoint stops, or when another holder replaces this one.
    pub(crate) stop: CancellationToken,
}

/// The routes of one endpoint.
#[derive(Default)]
pub(super) struct Routes(Vec<Route>);

struct Route {
    /// Whose keys these are: the same profile keeps its path and token.
    name: String,
    path: Secret,
    token: Secret,
    holding: Holding,
}

impl Routes {
    /// Leads to this holder; gives the path and the token, which are those from before if the name has a route.
    pub(super) fn lead_to(&mut self, name: &str, holding: Holding) -> Result<(Secret, Secret), Error> {
        if let Some(route) = self.0.iter_mut().find(|route| route.name == name) {
            std::mem::replace(&mut route.holding, holding).stop.cancel();
            return Ok((route.path.clone(), route.token.clone()));
        }
        let (path, token) = (Secret::new(format!("{PATH_START}{}", random()?.reveal())), random()?);
        self.0.push(Route { name: name.to_owned(), path: path.clone(), token: token.clone(), holding });
        Ok((path, token))
    }

    /// The holder behind a path and a token. It takes as long for a wrong path as for a wrong token.
    pub(super) fn find(&self, path: &[u8], token: &[u8]) -> Option<Arc<dyn Holder>> {
        let mut found = None;
        for route in &self.0 {
            let is_it = route.path.reveal().as_bytes().ct_eq(path) & route.token.reveal().as_bytes().ct_eq(token);
            if bool::from(is_it) {
                found = Some(Arc::clone(&route.holding.holder));
            }
        }
        found
    }

    /// When the keys behind a path expire.
    pub(super) fn expiration(&self, path: &str) -> Option<OffsetDateTime> {
        self.0.iter().find(|route| bool::from(route.path.reveal().as_bytes().ct_eq(path.as_bytes()))).map(|route| route.holding.holder.expiration())
    }

    /// What the user has not been told yet of all profiles.
    pub(super) fn untold(&self) -> Vec<String> {
        self.0.iter().filter_map(|route| route.holding.holder.untold()).collect()
    }

    pub(super) fn stop_all(&self) {
        for route in &self.0 {
            route.holding.stop.cancel();
        }
    }
}

/// Random text of letters, digits, `-` and `_`, which every SDK sends unchanged.
fn random() -> Result<Secret, Error> {
    let mut bytes = zeroize::Zeroizing::new([0; RANDOM_BYTES]);
    getrandom::fill(bytes.as_mut()).map_err(|fault| {
        Error::new(Code::InternalError, format!("The system returned no random numbers for the endpoint: {fault}."))
            .with_action("Use -AsEnvironmentVariable instead.")
    })?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}

//! Moves a token to where an environment's session is kept now, so that a new `[sso-session]` in the config file needs no new login.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::kept_keys::KeptKeys;
use crate::session::place::token_files;
use crate::session::token_cache::{Token, TokenFiles, TokenLock};

/// Moves the token of the environment from its place according to `before` to the one according to `after`, or from the files of its start URL if an earlier
/// run could not do that. Returns whether a token was moved.
///
/// # Errors
/// A file cannot be read or written, or another program holds a lock. Then the next run needs a login.
pub(crate) async fn move_token(environment: &Environment, before: &ConfigFile, after: &ConfigFile, context: &Context) -> Result<bool, Error> {
    let files = |config: &ConfigFile| token_files(&context.world, environment, config);
    let Some(to) = files(after)? else { return Ok(false) };
    let sources = [files(before)?, files(&ConfigFile::default())?].into_iter().flatten();
    let is_shared = after.has_portal_without_session(environment);
    let mut moved = false;
    for from in sources.filter(|from| from.lock_path() != to.lock_path()) {
        if !moved {
            moved = take_over(&from, &to, is_shared, context).await?;
        }
    }
    Ok(moved)
}

/// Moves the best token of one place to the other, if that one has none as good.
async fn take_over(from: &TokenFiles, to: &TokenFiles, is_shared: bool, context: &Context) -> Result<bool, Error> {
    if all_tokens(from)?.is_empty() {
        return Ok(false);
    }
    let locks = locks(from, to, context).await?;
    let tokens = all_tokens(from)?;
    let now = context.now();
    let is_usable = |token: &Token| token.is_usable(now);
    let best = tokens.iter().filter(|token| is_usable(token)).max_by_key(|token| token.expires_at);
    let Some(best) = best.filter(|_| !to.read_token().is_ok_and(|there| there.as_ref().is_some_and(is_usable))) else { return Ok(false) };
    to.write_token(&locks.to, &Token { other_file: None, ..best.clone() })?;
    // Profiles without a session for the same portal find the token only in its old place.
    if !is_shared {
        for token in &tokens {
            from.remove_token(&locks.from, token)?;
        }
    }
    if let Some(kept) = KeptKeys::of(&context.world, from.session()) {
        kept.clear()?;
    }
    Ok(true)
}

/// The locks of both places.
struct Locks {
    from: TokenLock,
    to: TokenLock,
}

/// Takes both locks, in the same order in every run.
async fn locks(from: &TokenFiles, to: &TokenFiles, context: &Context) -> Result<Locks, Error> {
    let patience = context.patience();
    if from.lock_path() < to.lock_path() {
        let from = from.lock(&patience, || {}).await?;
        Ok(Locks { from, to: to.lock(&patience, || {}).await? })
    } else {
        let to = to.lock(&patience, || {}).await?;
        Ok(Locks { from: from.lock(&patience, || {}).await?, to })
    }
}

fn all_tokens(files: &TokenFiles) -> Result<Vec<Token>, Error> {
    Ok(files.read_token()?.into_iter().chain(files.read_other_tokens()?).collect())
}

//! What a user gets of an operation, with a scripted service and in virtual time.

mod assignments;
#[cfg(target_os = "linux")]
mod instructions;
mod keys;

use super::begin;
use crate::protocol::{Event, Failed, Operation};
use crate::test_user::TestUser;

/// Runs an operation to its end, and gives its events.
pub(crate) async fn events_of(user: &TestUser, operation: Operation) -> Vec<Event> {
    match begin(operation, &user.context) {
        Ok(Some(work)) => work.await,
        Ok(None) => {}
        Err(error) => user.context.outlet.fail(&error, true),
    }
    user.events()
}

/// The errors among events.
pub(crate) fn failures(events: &[Event]) -> Vec<&Failed> {
    events.iter().filter_map(|event| if let Event::Failed(failed) = event { Some(failed) } else { None }).collect()
}

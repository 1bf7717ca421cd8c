//! What a process has after many operations: as many handles as before, and as much memory.
#![cfg(any(target_os = "linux", windows))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../core/tests/common/counts.rs"]
mod counts;
#[path = "common/loaded.rs"]
mod loaded;
#[path = "common/requests.rs"]
mod requests;
#[path = "common/usage.rs"]
mod usage;

use counts::cases;
use loaded::Loaded;
use requests::Requests;
use sso_stand_in::{Options, StandIn};
use usage::Usage;

const WARM_UP: u32 = 100;
const OPERATIONS: u32 = 1_000;

/// How many more handles a process may have: connections that are kept open, and threads of the runtime.
const MORE_HANDLES: u64 = 8;

/// How many more bytes a process may have, as its allocator has not the same free blocks every time: some at all, and some for each operation.
const MORE_BYTES: u64 = 512 << 10;
const MORE_BYTES_EACH: u64 = 512;

/// Runs operations of all kinds in turn.
fn operate(library: &Loaded, requests: &Requests, count: u32) {
    for number in 0..count {
        let has = |events: &[String], word: &str| assert!(events.iter().any(|event| event.contains(word)), "{number}, {word}: {events:?}");
        match number % 6 {
            0 => has(&library.events(&requests.update), "StillValid"),
            1 => has(&library.events(&requests.forced_update), "Refreshed"),
            2 => has(&library.events(&requests.unknown), "EnvironmentNotFound"),
            3 => has(&library.events(r#"{"operation":"panic"}"#), "InternalError"),
            // Freed in the middle.
            4 => drop(library.start(&requests.forced_update).next()),
            _ => {
                let operation = library.start(&requests.forced_update);
                operation.next();
                operation.cancel();
                while operation.next().is_some() {}
            }
        }
    }
}

#[test]
fn many_operations_leave_no_handles_and_no_memory_behind() {
    Usage::assert_real();
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let (library, requests) = (Loaded::new(), Requests::of(home.path(), &service, 5));
    library.events(&requests.set_environment);
    library.events(&requests.update);
    operate(&library, &requests, WARM_UP);
    let before = Usage::settled();
    let operations = cases(OPERATIONS);
    operate(&library, &requests, operations);
    let after = Usage::settled();
    println!("{before:?} before {operations} operations, {after:?} after");
    assert!(after.handles <= before.handles + MORE_HANDLES, "{before:?} became {after:?}");
    assert!(after.bytes <= before.bytes + MORE_BYTES + u64::from(operations) * MORE_BYTES_EACH, "{before:?} became {after:?}");
}

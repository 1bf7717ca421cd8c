//! The dynamic library in a program that loads it by its path, as PowerShell does.
#![allow(clippy::unwrap_used)]

#[path = "common/loaded.rs"]
mod loaded;
#[path = "common/requests.rs"]
mod requests;

use loaded::{Loaded, Status};
use requests::Requests;
use sso_stand_in::{Options, StandIn};

const PANIC: &str = r#"{"operation":"panic"}"#;

#[test]
fn a_panic_in_the_library_is_an_event_and_the_library_keeps_working() {
    let library = Loaded::new();
    for _ in 0..3 {
        let events = library.events(PANIC);
        assert!(events.len() == 1 && events[0].contains("InternalError") && events[0].contains("this panic was asked for"), "{events:?}");
    }
    // On a thread that Rust did not start for the library.
    std::thread::scope(|scope| scope.spawn(|| assert_eq!(library.events(PANIC).len(), 1)).join().unwrap());
    assert_eq!(library.abi_version(), aws_sso::SSO_ABI_VERSION);
    assert_eq!((library.status_of("{}"), library.status_of_nothing()), (Status::INVALID_REQUEST, Status::NULL_ARGUMENT));
}

#[test]
fn a_whole_update_and_its_errors_come_as_events() {
    let service = StandIn::start(Options { approve_after_polls: Some(0), ..Options::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let (library, requests) = (Loaded::new(), Requests::of(home.path(), &service, 5));
    assert_eq!(library.events(&requests.set_environment).len(), 1);
    let count = |request: &str, word: &str| library.events(request).iter().filter(|event| event.contains(word)).count();
    assert_eq!(count(&requests.update, r#""status":"Created""#), 5);
    assert_eq!(count(&requests.update, r#""status":"StillValid""#), 5);
    assert_eq!(count(&requests.unknown, "EnvironmentNotFound"), 1);
    let operation = library.start(&requests.forced_update);
    operation.cancel();
    while operation.next().is_some() {}
    assert!(service.stats().violations.is_empty());
}

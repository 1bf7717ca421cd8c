//! The boundary through raw pointers, as the C# side uses it; `build.ps1 Test -Full` also runs this under `AddressSanitizer`.
#![allow(clippy::unwrap_used)]

#[path = "common/requests.rs"]
mod requests;

use std::ffi::c_void;
use std::ptr::null_mut;

use aws_sso::{
    sso_abi_version, sso_bytes_free, sso_operation_cancel, sso_operation_free, sso_operation_next, sso_operation_start, SsoOperation, SsoStatus,
    SSO_ABI_VERSION,
};
use requests::Requests;
use sso_stand_in::{Options, StandIn};

/// A handle that may be sent to other threads, like a `SafeHandle`.
#[derive(Clone, Copy)]
struct Handle(*mut SsoOperation);

// SAFETY: the boundary guarantees that any thread may call any function for a live operation.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    fn start(request: &str) -> Self {
        let mut operation = null_mut();
        // SAFETY: the bytes of the request and the space for the handle outlive the call.
        let status = unsafe { sso_operation_start(request.as_ptr(), request.len() as u64, &raw mut operation) };
        assert_eq!(status, SsoStatus::Event);
        Self(operation)
    }

    fn next(self) -> Option<String> {
        let (mut bytes, mut length): (*mut c_void, u64) = (null_mut(), 0);
        // SAFETY: the handle is live, and so is the space for bytes and length.
        let status = unsafe { sso_operation_next(self.0, &raw mut bytes, &raw mut length) };
        if status == SsoStatus::End {
            assert!(bytes.is_null() && length == 0);
            return None;
        }
        assert_eq!(status, SsoStatus::Event);
        // SAFETY: the library guarantees `length` bytes until they are freed.
        let text = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(length).unwrap()) }.to_vec();
        // SAFETY: these are the bytes of one event, freed once.
        unsafe { sso_bytes_free(bytes, length) };
        Some(String::from_utf8(text).unwrap())
    }

    fn cancel(self) {
        // SAFETY: the handle is live.
        assert_eq!(unsafe { sso_operation_cancel(self.0) }, SsoStatus::Event);
    }

    fn free(self) {
        // SAFETY: nobody uses the handle after this.
        unsafe { sso_operation_free(self.0) };
    }

    fn all(self) -> Vec<String> {
        let events = std::iter::from_fn(|| self.next()).collect();
        self.free();
        events
    }
}

/// A home folder with an environment of three profiles, and a request to update it.
fn company(options: Options) -> (StandIn, tempfile::TempDir, String) {
    let service = StandIn::start(options).unwrap();
    let home = tempfile::tempdir().unwrap();
    let requests = Requests::of(home.path(), &service, 3);
    assert_eq!(Handle::start(&requests.set_environment).all().len(), 1);
    (service, home, requests.forced_update)
}

#[test]
fn an_update_returns_its_events_and_then_always_the_end() {
    assert_eq!(sso_abi_version(), SSO_ABI_VERSION);
    let (_service, _home, update) = company(Options { approve_after_polls: Some(0), ..Options::default() });
    let operation = Handle::start(&update);
    let events: Vec<String> = std::iter::from_fn(|| operation.next()).collect();
    assert_eq!(events.iter().filter(|event| event.contains(r#""status":"Created""#)).count(), 3, "{events:?}");
    assert!(operation.next().is_none());
    operation.free();
}

#[test]
fn a_panic_is_an_event_and_the_library_keeps_working() {
    let events = Handle::start(r#"{"operation":"panic"}"#).all();
    assert!(events.len() == 1 && events[0].contains("InternalError") && events[0].contains("this panic was asked for"), "{events:?}");
    // The error for an unknown name, in a home folder that does not exist.
    let unknown = r#"{"variables":{"HOME":"/nowhere","USERPROFILE":"/nowhere"},"operation":{"get_environment":{"names":["x"]}}}"#;
    assert!(Handle::start(unknown).all().iter().any(|event| event.contains("EnvironmentNotFound")));
}

#[test]
fn canceling_from_many_threads_ends_an_operation_once() {
    let (_service, _home, update) = company(Options::default());
    let operation = Handle::start(&update);
    assert!(operation.next().is_some());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || operation.cancel());
        }
        while operation.next().is_some() {}
    });
    operation.free();
}

#[test]
fn an_operation_can_be_freed_at_any_time() {
    let (service, _home, update) = company(Options { approve_after_polls: Some(0), delay: 20, ..Options::default() });
    for events in 0..6 {
        let operation = Handle::start(&update);
        for _ in 0..events {
            operation.next();
        }
        operation.free();
    }
    assert!(Handle::start(&update).all().iter().any(|event| event.contains("completed")));
    assert!(service.stats().violations.is_empty());
}

//! The C boundary of the module: six functions that take and return JSON text and never call back into the caller.
//!
//! Every exported function runs its body in [`guard`], so that a panic becomes a status or an event and never unwinds into the caller.
//! Any thread may call any function; only `sso_operation_free` must be the last call for its operation.

use std::panic::{catch_unwind, AssertUnwindSafe};

use interoptopus::{constant, extra_type, ffi_constant, ffi_function, ffi_type, function, Inventory, InventoryBuilder};
use sso_core::protocol::{event_to_json, request_from_json, Event, Failed};
use sso_core::{Run, World};
use zeroize::Zeroizing;

/// The result of a call; statuses report only faults at the boundary, and events report everything else.
#[ffi_type]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoStatus {
    /// The call succeeded; `sso_operation_next` returned an event.
    Event = 0,
    /// The operation has ended; there are no more events.
    End = 1,
    /// A required pointer was null.
    NullArgument = 2,
    /// This library does not understand the request.
    InvalidRequest = 3,
    /// The library failed internally; the caller is not affected.
    Panic = 4,
}

/// A started operation.
#[ffi_type(opaque)]
pub struct SsoOperation {
    run: Run,
}

/// The version of this boundary; a caller that was built for another version must not continue.
#[ffi_constant]
pub const SSO_ABI_VERSION: u32 = 1;

fn guard(body: impl FnOnce() -> SsoStatus) -> SsoStatus {
    sso_core::keep_panics_quiet();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(SsoStatus::Panic)
}

/// Returns the version of this boundary.
#[ffi_function]
#[no_mangle]
pub extern "C" fn sso_abi_version() -> u32 {
    SSO_ABI_VERSION
}

/// Starts the operation that the JSON text describes, and writes its handle to `operation`.
///
/// Nothing happens before the first `sso_operation_next`. The caller must pass the handle to `sso_operation_free` exactly once.
///
/// # Safety
/// `request` must point to `request_len` readable bytes, and `operation` to space for one pointer; null in either is reported as `NullArgument`.
#[ffi_function]
#[no_mangle]
pub unsafe extern "C" fn sso_operation_start(request: *const u8, request_len: u64, operation: *mut *mut SsoOperation) -> SsoStatus {
    guard(|| {
        if request.is_null() || operation.is_null() {
            return SsoStatus::NullArgument;
        }
        // No slice may be longer than `isize::MAX`.
        let Some(length) = usize::try_from(request_len).ok().filter(|length| isize::try_from(*length).is_ok()) else {
            return SsoStatus::InvalidRequest;
        };
        // SAFETY: `operation` is not null, and the caller guarantees that it points to space for one pointer.
        unsafe { operation.write(std::ptr::null_mut()) };
        // SAFETY: `request` is not null, and the caller guarantees `request_len` readable bytes that do not change during this call.
        let text = unsafe { std::slice::from_raw_parts(request, length) };
        let Ok(request) = request_from_json(text) else {
            return SsoStatus::InvalidRequest;
        };
        let browser = std::sync::Arc::new(sso_core::DesktopBrowser);
        let mut world = World::new(request.variables, request.directory, browser);
        world.verbose = request.verbose;
        world.heard = request.heard;
        world.given = request.given;
        world.caller = request.caller;
        let run = sso_core::run(request.operation, world);
        let handle = Box::into_raw(Box::new(SsoOperation { run }));
        // SAFETY: as above.
        unsafe { operation.write(handle) };
        SsoStatus::Event
    })
}

/// Waits for the next event and returns it as JSON text, which the caller must pass to `sso_bytes_free`; at the end, returns `End` and no bytes.
///
/// # Safety
/// `operation` must be a handle that is not freed before this call returns; `bytes` and `bytes_len` must point to space for their values.
#[ffi_function]
#[no_mangle]
pub unsafe extern "C" fn sso_operation_next(operation: *const SsoOperation, bytes: *mut *mut std::ffi::c_void, bytes_len: *mut u64) -> SsoStatus {
    guard(|| {
        if operation.is_null() || bytes.is_null() || bytes_len.is_null() {
            return SsoStatus::NullArgument;
        }
        // SAFETY: both are not null, and the caller guarantees that they point to space for their values.
        unsafe {
            bytes.write(std::ptr::null_mut());
            bytes_len.write(0);
        }
        // SAFETY: the caller guarantees that the handle is live during this call; its run may be shared between threads.
        let run = unsafe { &(*operation).run };
        let event = match catch_unwind(AssertUnwindSafe(|| run.next())) {
            Ok(Some(event)) => event,
            Ok(None) => return SsoStatus::End,
            Err(_) => Event::Failed(Failed::new(&sso_core::panicked(), true)),
        };
        let text = event_to_json(&event).into_boxed_slice();
        let length = text.len() as u64;
        let start = Box::into_raw(text).cast::<std::ffi::c_void>();
        // SAFETY: as above.
        unsafe {
            bytes.write(start);
            bytes_len.write(length);
        }
        SsoStatus::Event
    })
}

/// Asks the operation to end soon; it still writes what was fetched. Any thread may call this, any number of times.
///
/// # Safety
/// `operation` must be a handle that is not freed before this call returns.
#[ffi_function]
#[no_mangle]
pub unsafe extern "C" fn sso_operation_cancel(operation: *const SsoOperation) -> SsoStatus {
    guard(|| {
        if operation.is_null() {
            return SsoStatus::NullArgument;
        }
        // SAFETY: the caller guarantees that the handle is live during this call.
        unsafe { (*operation).run.cancel() };
        SsoStatus::Event
    })
}

/// Cancels the operation and frees its handle; null is allowed.
///
/// # Safety
/// `operation` must be null, or a handle from `sso_operation_start` that is not freed yet and that no other call is using.
#[ffi_function]
#[no_mangle]
pub unsafe extern "C" fn sso_operation_free(operation: *mut SsoOperation) {
    guard(|| {
        if !operation.is_null() {
            // SAFETY: the caller guarantees that this is a handle from `sso_operation_start` and that no other call uses it.
            drop(unsafe { Box::from_raw(operation) });
        }
        SsoStatus::End
    });
}

/// Wipes and frees the bytes of one event; null is allowed.
///
/// # Safety
/// `bytes` must be null, or `bytes` and `bytes_len` must be what one `sso_operation_next` returned and not freed yet.
#[ffi_function]
#[no_mangle]
pub unsafe extern "C" fn sso_bytes_free(bytes: *mut std::ffi::c_void, bytes_len: u64) {
    guard(|| {
        if let (false, Ok(length)) = (bytes.is_null(), usize::try_from(bytes_len)) {
            // SAFETY: the caller guarantees that these are the start and the length of a boxed slice from `sso_operation_next`.
            let bytes = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes.cast::<u8>(), length)) };
            // The event may contain keys or a token.
            drop(Zeroizing::new(bytes));
        }
        SsoStatus::End
    });
}

/// Lists what the library exports, for binding generators.
#[must_use]
pub fn inventory() -> Inventory {
    InventoryBuilder::new()
        .register(constant!(SSO_ABI_VERSION))
        .register(extra_type!(SsoStatus))
        .register(function!(sso_abi_version))
        .register(function!(sso_operation_start))
        .register(function!(sso_operation_next))
        .register(function!(sso_operation_cancel))
        .register(function!(sso_operation_free))
        .register(function!(sso_bytes_free))
        .inventory()
}

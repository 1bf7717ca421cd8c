//! The library as a program uses it that was built without it: loaded by its path, with its functions found by their names.
#![allow(dead_code, reason = "no test binary needs all of it")]

use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::null_mut;

use libloading::Library;

/// What the header has for `SsoStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(i32);

impl Status {
    pub(crate) const EVENT: Self = Self(0);
    pub(crate) const END: Self = Self(1);
    pub(crate) const NULL_ARGUMENT: Self = Self(2);
    pub(crate) const INVALID_REQUEST: Self = Self(3);
}

type Start = unsafe extern "C" fn(*const u8, u64, *mut *mut c_void) -> i32;
type Next = unsafe extern "C" fn(*const c_void, *mut *mut c_void, *mut u64) -> i32;
type Cancel = unsafe extern "C" fn(*const c_void) -> i32;
type Free = unsafe extern "C" fn(*mut c_void);
type BytesFree = unsafe extern "C" fn(*mut c_void, u64);
type AbiVersion = unsafe extern "C" fn() -> u32;

/// The loaded library.
pub(crate) struct Loaded {
    abi_version: AbiVersion,
    start: Start,
    next: Next,
    cancel: Cancel,
    free: Free,
    bytes_free: BytesFree,
}

/// The library that cargo built beside this test.
pub(crate) fn library_path() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(libloading::library_filename("aws_sso"))
}

impl Loaded {
    pub(crate) fn new() -> Self {
        // SAFETY: the library's initializers are those of Rust's standard library.
        let library = unsafe { Library::new(library_path()) }.unwrap();
        // It has threads, so it stays until the process ends.
        let library: &'static Library = Box::leak(Box::new(library));
        // SAFETY: the types are those of the functions in include/aws_sso.h, and the library is never unloaded.
        unsafe {
            Self {
                abi_version: *library.get(b"sso_abi_version").unwrap(),
                start: *library.get(b"sso_operation_start").unwrap(),
                next: *library.get(b"sso_operation_next").unwrap(),
                cancel: *library.get(b"sso_operation_cancel").unwrap(),
                free: *library.get(b"sso_operation_free").unwrap(),
                bytes_free: *library.get(b"sso_bytes_free").unwrap(),
            }
        }
    }

    pub(crate) fn abi_version(&self) -> u32 {
        // SAFETY: it takes nothing.
        unsafe { (self.abi_version)() }
    }

    /// What the library answers to this text.
    pub(crate) fn status_of(&self, request: &str) -> Status {
        let mut operation = null_mut();
        // SAFETY: the text and the space for the handle outlive the call.
        let status = Status(unsafe { (self.start)(request.as_ptr(), request.len() as u64, &raw mut operation) });
        // SAFETY: the handle is null or new, and nobody uses it after this.
        unsafe { (self.free)(operation) };
        status
    }

    /// What the library answers to a call without pointers.
    pub(crate) fn status_of_nothing(&self) -> Status {
        // SAFETY: null is allowed, and refused.
        Status(unsafe { (self.start)(std::ptr::null(), 0, null_mut()) })
    }

    pub(crate) fn start(&self, request: &str) -> Operation<'_> {
        let mut handle = null_mut();
        // SAFETY: the text and the space for the handle outlive the call.
        let status = Status(unsafe { (self.start)(request.as_ptr(), request.len() as u64, &raw mut handle) });
        assert_eq!((status, handle.is_null()), (Status::EVENT, false), "{request}");
        Operation { library: self, handle }
    }

    /// All events of an operation.
    pub(crate) fn events(&self, request: &str) -> Vec<String> {
        let operation = self.start(request);
        std::iter::from_fn(|| operation.next()).collect()
    }
}

/// A started operation; freed when it is dropped.
pub(crate) struct Operation<'a> {
    library: &'a Loaded,
    handle: *mut c_void,
}

impl Operation<'_> {
    pub(crate) fn next(&self) -> Option<String> {
        let (mut bytes, mut length): (*mut c_void, u64) = (null_mut(), 0);
        // SAFETY: the handle is live, and so is the space for bytes and length.
        let status = Status(unsafe { (self.library.next)(self.handle, &raw mut bytes, &raw mut length) });
        if status == Status::END {
            assert!(bytes.is_null() && length == 0);
            return None;
        }
        assert_eq!(status, Status::EVENT);
        // SAFETY: the library guarantees `length` bytes until they are freed.
        let text = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(length).unwrap()) }.to_vec();
        // SAFETY: these are the bytes of one event, freed once.
        unsafe { (self.library.bytes_free)(bytes, length) };
        Some(String::from_utf8(text).unwrap())
    }

    pub(crate) fn cancel(&self) {
        // SAFETY: the handle is live.
        assert_eq!(Status(unsafe { (self.library.cancel)(self.handle) }), Status::EVENT);
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody uses the handle after this.
        unsafe { (self.library.free)(self.handle) };
    }
}

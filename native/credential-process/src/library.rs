//! The module's library, which does the work.

use std::ffi::{c_int, c_void};
use std::path::Path;

use zeroize::Zeroizing;

use crate::answer::Event;

/// The version of the C boundary that this program was built for.
const ABI_VERSION: u32 = 1;

const FILE_NAME: &str = if cfg!(windows) {
    "aws_sso.dll"
} else if cfg!(target_os = "macos") {
    "aws_sso.dylib"
} else {
    "aws_sso.so"
};

/// The status of `sso_operation_start` and `sso_operation_next` for success.
const EVENT: c_int = 0;

type Start = unsafe extern "C" fn(*const u8, u64, *mut *mut c_void) -> c_int;
type Next = unsafe extern "C" fn(*const c_void, *mut *mut c_void, *mut u64) -> c_int;
type FreeBytes = unsafe extern "C" fn(*mut c_void, u64);
type FreeOperation = unsafe extern "C" fn(*mut c_void);

/// The functions of the library; their contracts are in `native/ffi`.
pub(crate) struct Library {
    start: Start,
    next: Next,
    free_bytes: FreeBytes,
    free_operation: FreeOperation,
    /// Keeps the functions in memory.
    _loaded: libloading::Library,
}

impl Library {
    /// Loads the library from the folder of this program.
    ///
    /// # Errors
    /// It is not there, cannot be loaded, or is of another version.
    pub(crate) fn beside_this_program() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|_| "The folder of this program is not known.".to_owned())?;
        Self::load(&program.with_file_name(FILE_NAME))
    }

    fn load(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let again = "Run Export-SsoProfile again, which installs this program.";
        if !path.is_file() {
            return Err(format!("{shown} does not exist. {again}"));
        }
        // SAFETY: the library is the module's own, in the same folder as this program, and has no initialization that depends on the caller.
        let loaded = unsafe { libloading::Library::new(path) }.map_err(|_| format!("{shown} cannot be loaded. {again}"))?;
        let other_version = || format!("{shown} is of another version than this program. {again}");
        // SAFETY: the function has this type in all versions of the library.
        let version = unsafe { symbol::<unsafe extern "C" fn() -> u32>(&loaded, "sso_abi_version") }.ok_or_else(other_version)?;
        // SAFETY: the function takes nothing and can always be called.
        if unsafe { version() } != ABI_VERSION {
            return Err(other_version());
        }
        // SAFETY: this version of the library has these functions with these types.
        let found = unsafe {
            (
                symbol(&loaded, "sso_operation_start"),
                symbol(&loaded, "sso_operation_next"),
                symbol(&loaded, "sso_bytes_free"),
                symbol(&loaded, "sso_operation_free"),
            )
        };
        let (Some(start), Some(next), Some(free_bytes), Some(free_operation)) = found else { return Err(other_version()) };
        Ok(Self { start, next, free_bytes, free_operation, _loaded: loaded })
    }

    /// Runs a request for keys, and returns the line for the AWS tool.
    ///
    /// # Errors
    /// Why there are no keys, as one line.
    pub(crate) fn keys(&self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the pointers are to the request and to a variable of this function, and live during the call.
        let status = unsafe { (self.start)(request.as_ptr(), request.len() as u64, &raw mut handle) };
        if status != EVENT {
            return Err("The library does not accept the request. This is a bug in the module. Report it.".to_owned());
        }
        let operation = Operation { library: self, handle };
        let mut failed = None;
        while let Some(event) = operation.next() {
            match serde_json::from_slice(event.bytes()) {
                Ok(Event::Keys(keys)) => return Ok(keys.answer()),
                Ok(Event::Failed(why)) => failed = Some(why.line()),
                Ok(Event::Other(_)) | Err(_) => {}
            }
        }
        Err(failed.unwrap_or_else(|| "The library returned no keys and no reason. This is a bug in the module. Report it.".to_owned()))
    }
}

/// The function with this name.
///
/// # Safety
/// The function must have the type `T`.
unsafe fn symbol<T: Copy>(library: &libloading::Library, name: &str) -> Option<T> {
    // SAFETY: guaranteed by the caller.
    unsafe { library.get::<T>(name.as_bytes()) }.ok().map(|symbol| *symbol)
}

/// A running operation.
struct Operation<'l> {
    library: &'l Library,
    handle: *mut c_void,
}

/// The text of an event.
struct Text<'l> {
    library: &'l Library,
    start: *mut c_void,
    length: u64,
}

impl<'l> Operation<'l> {
    fn next(&self) -> Option<Text<'l>> {
        let mut text = Text { library: self.library, start: std::ptr::null_mut(), length: 0 };
        // SAFETY: the handle is live, and both pointers are to variables of this function.
        let status = unsafe { (self.library.next)(self.handle, &raw mut text.start, &raw mut text.length) };
        (status == EVENT && !text.start.is_null()).then_some(text)
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is from `sso_operation_start`, and nothing uses it after this.
        unsafe { (self.library.free_operation)(self.handle) };
    }
}

impl Text<'_> {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the library wrote both values together; the bytes stay in place until they are freed below.
        unsafe { std::slice::from_raw_parts(self.start.cast::<u8>(), usize::try_from(self.length).unwrap_or_default()) }
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        // SAFETY: these are what one `sso_operation_next` returned, freed only here.
        unsafe { (self.library.free_bytes)(self.start, self.length) };
    }
}

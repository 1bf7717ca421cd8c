//! Which programs have a file open, as the Restart Manager knows them.

use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, FreeLibrary, HMODULE};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};
use windows_sys::Win32::System::RestartManager::{CCH_RM_SESSION_KEY, RM_PROCESS_INFO};
use windows_sys::core::{PCWSTR, w};

/// The most programs that are named.
const MOST: u32 = 8;

type StartSession = unsafe extern "system" fn(*mut u32, u32, *mut u16) -> u32;
type RegisterResources = unsafe extern "system" fn(u32, u32, *const PCWSTR, u32, *const core::ffi::c_void, u32, *const PCWSTR) -> u32;
type GetList = unsafe extern "system" fn(u32, *mut u32, *mut u32, *mut RM_PROCESS_INFO, *mut u32) -> u32;
type EndSession = unsafe extern "system" fn(u32) -> u32;

/// The Restart Manager's library, loaded only when a file is held: every program that loads this module would pay for it otherwise.
struct RestartManager {
    library: HMODULE,
    start: StartSession,
    register: RegisterResources,
    list: GetList,
    end: EndSession,
}

impl RestartManager {
    fn load() -> Option<Self> {
        // SAFETY: the name is a constant text that ends with a zero, and only the system's folder is searched.
        let library = unsafe { LoadLibraryExW(w!("rstrtmgr.dll"), std::ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() {
            return None;
        }
        // SAFETY: the names are constant texts that end with a zero; each type is that of the function in Microsoft's documentation.
        let found = unsafe {
            (|| {
                Some(Self {
                    library,
                    start: std::mem::transmute::<unsafe extern "system" fn() -> isize, StartSession>(GetProcAddress(
                        library,
                        c"RmStartSession".as_ptr().cast(),
                    )?),
                    register: std::mem::transmute::<unsafe extern "system" fn() -> isize, RegisterResources>(GetProcAddress(
                        library,
                        c"RmRegisterResources".as_ptr().cast(),
                    )?),
                    list: std::mem::transmute::<unsafe extern "system" fn() -> isize, GetList>(GetProcAddress(library, c"RmGetList".as_ptr().cast())?),
                    end: std::mem::transmute::<unsafe extern "system" fn() -> isize, EndSession>(GetProcAddress(library, c"RmEndSession".as_ptr().cast())?),
                })
            })()
        };
        if found.is_none() {
            // SAFETY: the library was loaded here and none of its functions is in use.
            unsafe { FreeLibrary(library) };
        }
        found
    }
}

impl Drop for RestartManager {
    fn drop(&mut self) {
        // SAFETY: the library was loaded by this value, and its functions are not used after this.
        unsafe { FreeLibrary(self.library) };
    }
}

/// The names of up to eight programs that have a file open; none if Windows does not know.
#[must_use]
pub fn holders_of(file: &Path) -> Vec<String> {
    let Some(manager) = RestartManager::load() else { return Vec::new() };
    let mut session = 0;
    let mut key = [0_u16; CCH_RM_SESSION_KEY as usize + 1];
    // SAFETY: the key has the length that the function's documentation requires.
    if unsafe { (manager.start)(&raw mut session, 0, key.as_mut_ptr()) } != ERROR_SUCCESS {
        return Vec::new();
    }
    let path: Vec<u16> = file.as_os_str().encode_wide().chain([0]).collect();
    let paths = [path.as_ptr()];
    let mut programs = vec![RM_PROCESS_INFO::default(); MOST as usize];
    let (mut needed, mut count, mut reason) = (0, MOST, 0);
    // SAFETY: the session is open; all pointers are to variables that live until the calls return, and the list is as long as the call is told.
    let found = unsafe {
        (manager.register)(session, 1, paths.as_ptr(), 0, null(), 0, null()) == ERROR_SUCCESS
            && (manager.list)(session, &raw mut needed, &raw mut count, programs.as_mut_ptr(), &raw mut reason) == ERROR_SUCCESS
    };
    // SAFETY: the session is open, and is not used after this.
    unsafe { (manager.end)(session) };
    programs.truncate(if found { count.min(MOST) as usize } else { 0 });
    let name = |program: &RM_PROCESS_INFO| {
        let name = &program.strAppName;
        String::from_utf16_lossy(&name[..name.iter().position(|unit| *unit == 0).unwrap_or(name.len())])
    };
    programs.iter().map(name).filter(|name| !name.is_empty()).collect()
}

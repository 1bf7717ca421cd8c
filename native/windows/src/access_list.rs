//! Who may read a file: its discretionary access control list (DACL).

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{CloseHandle, ERROR_SUCCESS, GENERIC_ALL, GENERIC_READ, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce, GetTokenInformation, INHERIT_ONLY_ACE, IsWellKnownSid,
    OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SetKernelObjectSecurity, TOKEN_QUERY, TOKEN_USER, TokenUser, WinBuiltinAdministratorsSid,
    WinCreatorOwnerRightsSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::FILE_READ_DATA;
use windows_sys::Win32::System::SystemServices::ACCESS_ALLOWED_ACE_TYPE;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// Memory that Windows allocated with `LocalAlloc`.
struct Local(*mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a function that allocates with LocalAlloc, and nothing else frees it.
        unsafe { LocalFree(self.0) };
    }
}

/// A handle that is closed on drop.
struct Handle(HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle was opened here and is not used after this.
        unsafe { CloseHandle(self.0) };
    }
}

/// The access list of an open file.
struct Security {
    descriptor: Local,
    list: *mut ACL,
    owner: PSID,
}

impl Security {
    /// Reads it; the file must be open with the right to read its access list, which reading and writing include.
    fn of(file: &File) -> io::Result<Self> {
        let (mut descriptor, mut list, mut owner): (PSECURITY_DESCRIPTOR, *mut ACL, PSID) = (null_mut(), null_mut(), null_mut());
        let wanted = DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION;
        // SAFETY: the handle is open, and each pointer is to a variable that lives until the call returns.
        let code = unsafe {
            GetSecurityInfo(file.as_raw_handle(), SE_FILE_OBJECT, wanted, &raw mut owner, null_mut(), &raw mut list, null_mut(), &raw mut descriptor)
        };
        fault_of(code)?;
        Ok(Self { descriptor: Local(descriptor), list, owner })
    }
}

/// Gives a file the access list of another one.
///
/// # Errors
/// The list of the first file cannot be read, or that of the second cannot be written: it must be open with the right `WRITE_DAC`.
pub fn copy_access_list(from: &File, to: &File) -> io::Result<()> {
    set_list(to, &Security::of(from)?.descriptor)
}

/// Lets only this process's user, the administrators and the system open a file.
///
/// # Errors
/// See [`set_access_list`].
pub fn make_private(file: &File) -> io::Result<()> {
    set_access_list(file, &format!("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{})", user_sid_text()?))
}

/// Gives a file the access list of a text in the Security Descriptor Definition Language. It takes no rights from its folder.
///
/// # Errors
/// The text cannot be read, or the list of the file cannot be written: it must be open with the right `WRITE_DAC`.
pub fn set_access_list(file: &File, text: &str) -> io::Result<()> {
    let words: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the text ends with a zero, and the pointer is to a variable that lives until the call returns.
    let made = unsafe { ConvertStringSecurityDescriptorToSecurityDescriptorW(words.as_ptr(), SDDL_REVISION_1, &raw mut descriptor, null_mut()) };
    if made == 0 {
        return Err(io::Error::last_os_error());
    }
    set_list(file, &Local(descriptor))
}

/// The access list of a file as a text in the Security Descriptor Definition Language.
///
/// # Errors
/// The access list cannot be read.
pub fn access_list_of(file: &File) -> io::Result<String> {
    let security = Security::of(file)?;
    let mut text = null_mut();
    // SAFETY: the descriptor is valid until `security` is dropped, and the pointer is to a variable that lives until the call returns.
    let made = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(security.descriptor.0, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &raw mut text, null_mut())
    };
    if made == 0 { Err(io::Error::last_os_error()) } else { Ok(take_text(text)) }
}

/// Whether anybody can read a file besides its owner, this process's user, the administrators and the system.
///
/// # Errors
/// The access list cannot be read.
pub fn others_can_read(file: &File) -> io::Result<bool> {
    let security = Security::of(file)?;
    // A file without a list is open to everybody.
    if security.list.is_null() {
        return Ok(true);
    }
    let user = UserSid::of_this_process()?;
    // SAFETY: the list is valid until `security` is dropped.
    let count = unsafe { (*security.list).AceCount };
    for index in 0..u32::from(count) {
        let mut entry = null_mut();
        // SAFETY: the index is within the list; the entry points into it.
        if unsafe { GetAce(security.list, index, &raw mut entry) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: every entry begins with a header.
        let header = unsafe { *entry.cast::<ACE_HEADER>() };
        if u32::from(header.AceType) != ACCESS_ALLOWED_ACE_TYPE || u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 {
            continue;
        }
        let allowed = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: an entry of this type has a mask, and its SID starts at SidStart.
        let (mask, who) = unsafe { ((*allowed).Mask, (&raw mut (*allowed).SidStart).cast()) };
        if mask & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL) != 0 && !is_trusted(who, security.owner, &user) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_trusted(who: PSID, owner: PSID, user: &UserSid) -> bool {
    let known = [WinLocalSystemSid, WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid];
    // SAFETY: all SIDs are valid for as long as the values that they come from.
    unsafe { EqualSid(who, owner) != 0 || EqualSid(who, user.sid()) != 0 || known.into_iter().any(|kind| IsWellKnownSid(who, kind) != 0) }
}

/// Sets the access list as it stands in the descriptor. `SetSecurityInfo` would add the rights that the folder gives now.
fn set_list(file: &File, descriptor: &Local) -> io::Result<()> {
    // SAFETY: the handle is open and the descriptor is valid until the call returns.
    let set = unsafe { SetKernelObjectSecurity(file.as_raw_handle(), DACL_SECURITY_INFORMATION, descriptor.0) };
    if set == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn fault_of(code: u32) -> io::Result<()> {
    if code == ERROR_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(code.cast_signed())) }
}

/// The SID of the user that this process runs as.
struct UserSid {
    /// A `TOKEN_USER` and the SID behind it; 8-byte words keep it aligned.
    buffer: Vec<u64>,
}

impl UserSid {
    fn of_this_process() -> io::Result<Self> {
        let mut token: HANDLE = null_mut();
        // SAFETY: the pointer is to a variable that lives until the call returns.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let token = Handle(token);
        // A SID has at most 68 bytes.
        let mut buffer = vec![0_u64; 16];
        let mut needed = 0;
        // SAFETY: the buffer is as large as the call is told.
        let found = unsafe { GetTokenInformation(token.0, TokenUser, buffer.as_mut_ptr().cast(), 128, &raw mut needed) };
        if found == 0 { Err(io::Error::last_os_error()) } else { Ok(Self { buffer }) }
    }

    fn sid(&self) -> PSID {
        // SAFETY: the buffer begins with a TOKEN_USER, whose SID points into the buffer.
        unsafe { (*self.buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}

fn user_sid_text() -> io::Result<String> {
    let user = UserSid::of_this_process()?;
    let mut text = null_mut();
    // SAFETY: the SID is valid, and the pointer is to a variable that lives until the call returns.
    if unsafe { ConvertSidToStringSidW(user.sid(), &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(take_text(text))
}

/// Takes a text that Windows allocated with `LocalAlloc`.
fn take_text(text: *mut u16) -> String {
    let memory = Local(text.cast());
    let mut length = 0;
    // SAFETY: the text ends with a zero.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: so many characters are before the zero.
    let taken = String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) });
    drop(memory);
    taken
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::windows::fs::OpenOptionsExt as _;

    use super::*;
    use crate::{GENERIC_WRITE, READ_CONTROL, WRITE_DAC};

    /// A file that may be read and written, and whose access list may be changed.
    fn file(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("sso-windows-{}-{name}", std::process::id()));
        std::fs::OpenOptions::new()
            .access_mode(GENERIC_READ | GENERIC_WRITE | READ_CONTROL | WRITE_DAC)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap()
    }

    #[test]
    fn a_file_that_everybody_can_read_is_found_and_made_private() {
        let file = file("everybody");
        set_access_list(&file, "D:P(A;;FA;;;SY)(A;;FR;;;WD)").unwrap();
        assert!(others_can_read(&file).unwrap(), "{}", access_list_of(&file).unwrap());
        make_private(&file).unwrap();
        assert!(!others_can_read(&file).unwrap(), "{}", access_list_of(&file).unwrap());
    }

    #[test]
    fn an_access_list_is_copied() {
        let (from, to) = (file("from"), file("to"));
        set_access_list(&from, &format!("D:P(A;;FA;;;{})", user_sid_text().unwrap())).unwrap();
        copy_access_list(&from, &to).unwrap();
        assert_eq!(access_list_of(&to).unwrap(), access_list_of(&from).unwrap());
    }
}

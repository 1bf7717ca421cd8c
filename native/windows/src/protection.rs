//! Encrypts data so that only this user can decrypt it (DPAPI).

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData};
use zeroize::{Zeroize as _, Zeroizing};

/// Encrypts bytes for this process's user on this machine. Never asks the user.
///
/// `entropy` is needed again to decrypt them. It is no secret, but keeps apart what different programs encrypt.
///
/// # Errors
/// The user's keys are not available, as in some services and remote sessions.
pub fn protect(bytes: &[u8], entropy: &[u8]) -> io::Result<Vec<u8>> {
    let (input, entropy, mut output) = (blob(bytes)?, blob(entropy)?, Output::default());
    // SAFETY: the inputs are as long as they say and are only read; the pointers are to variables that live until the call returns.
    let done = unsafe { CryptProtectData(&raw const input, null(), &raw const entropy, null(), null(), CRYPTPROTECT_UI_FORBIDDEN, &raw mut output.0) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(output.bytes().to_vec()) }
}

/// Decrypts what [`protect`] has encrypted. Never asks the user.
///
/// # Errors
/// Another user, machine, or program has encrypted it, it was changed, or the user's keys are not available.
pub fn unprotect(bytes: &[u8], entropy: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let (input, entropy, mut output) = (blob(bytes)?, blob(entropy)?, Output::default());
    // SAFETY: the inputs are as long as they say and are only read; the pointers are to variables that live until the call returns.
    let done = unsafe { CryptUnprotectData(&raw const input, null_mut(), &raw const entropy, null(), null(), CRYPTPROTECT_UI_FORBIDDEN, &raw mut output.0) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Zeroizing::new(output.bytes().to_vec())) }
}

/// Bytes as an input, which Windows only reads.
fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() })
}

/// What Windows has written; wiped and freed on drop.
#[derive(Default)]
struct Output(CRYPT_INTEGER_BLOB);

impl Output {
    fn bytes(&mut self) -> &mut [u8] {
        if self.0.pbData.is_null() {
            return &mut [];
        }
        // SAFETY: Windows has written so many bytes there, and nobody else has the pointer.
        unsafe { std::slice::from_raw_parts_mut(self.0.pbData, self.0.cbData as usize) }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.bytes().zeroize();
        // SAFETY: Windows allocated the memory with LocalAlloc, or the pointer is null; it is freed once.
        unsafe { LocalFree(self.0.pbData.cast()) };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_encrypted_is_decrypted_with_the_same_entropy() {
        for length in [0, 1, 5_000, 100_000] {
            let bytes = vec![b's'; length];
            let encrypted = protect(&bytes, b"entropy").unwrap();
            assert!(!encrypted.windows(16).any(|part| part == [b's'; 16]), "it is encrypted");
            assert_eq!(unprotect(&encrypted, b"entropy").unwrap().as_slice(), bytes);
        }
    }

    #[test]
    fn what_was_changed_or_is_of_another_program_is_an_error() {
        let encrypted = protect(b"secret", b"entropy").unwrap();
        assert!(unprotect(&encrypted, b"another").is_err());
        assert!(unprotect(&encrypted, b"").is_err());
        assert!(unprotect(b"", b"entropy").is_err());
        assert!(unprotect(b"nonsense", b"entropy").is_err());
        assert!(unprotect(&encrypted[..encrypted.len() / 2], b"entropy").is_err());
        let mut changed = encrypted;
        *changed.last_mut().unwrap() ^= 1;
        assert!(unprotect(&changed, b"entropy").is_err());
    }
}

//! What a file has besides its bytes and its access list: attributes, the time of its creation, compression, other streams, and other names.

use std::fs::File;
use std::io;
use std::mem::{offset_of, size_of};
use std::os::windows::io::AsRawHandle as _;
use std::ptr::null_mut;

use windows_sys::Win32::Storage::FileSystem::{
    COMPRESSION_FORMAT_DEFAULT, FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_NOT_CONTENT_INDEXED,
    FILE_ATTRIBUTE_PINNED, FILE_ATTRIBUTE_SYSTEM, FILE_ATTRIBUTE_UNPINNED, FILE_BASIC_INFO, FILE_INFO_BY_HANDLE_CLASS, FILE_STANDARD_INFO, FILE_STREAM_INFO,
    FileBasicInfo, FileStandardInfo, FileStreamInfo, GetFileInformationByHandleEx, SetFileInformationByHandle,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::FSCTL_SET_COMPRESSION;

/// The attributes that a user or a program sets, and that a new file does not get from its folder.
const SETTABLE: u32 = FILE_ATTRIBUTE_ARCHIVE
    | FILE_ATTRIBUTE_HIDDEN
    | FILE_ATTRIBUTE_SYSTEM
    | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED
    | FILE_ATTRIBUTE_PINNED
    | FILE_ATTRIBUTE_UNPINNED;

/// The longest list of streams that is read, in bytes: more than a thousand names.
const LONGEST_LIST: usize = 64 * 1024;

/// A stream of a file besides its bytes, such as `Zone.Identifier`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name, as it follows the path of the file and a colon.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Returns how many names (hard links) a file has.
///
/// # Errors
/// The file system does not report it.
pub fn link_count(file: &File) -> io::Result<u32> {
    read::<FILE_STANDARD_INFO>(file, FileStandardInfo).map(|info| info.NumberOfLinks)
}

/// Gives a file the attributes and the time of creation of another one. Returns whether it has the attributes now; some file systems lack some.
///
/// # Errors
/// The properties of a file cannot be read or changed.
pub fn copy_properties(from: &File, to: &File) -> io::Result<bool> {
    let old: FILE_BASIC_INFO = read(from, FileBasicInfo)?;
    let wanted = old.FileAttributes & SETTABLE;
    // A time of zero stays as it is.
    let new = FILE_BASIC_INFO {
        CreationTime: old.CreationTime,
        LastAccessTime: 0,
        LastWriteTime: 0,
        ChangeTime: 0,
        FileAttributes: if wanted == 0 { FILE_ATTRIBUTE_NORMAL } else { wanted },
    };
    // SAFETY: the handle is open, and the structure is as large as the call is told.
    if unsafe { SetFileInformationByHandle(to.as_raw_handle(), FileBasicInfo, (&raw const new).cast(), size_of_u32::<FILE_BASIC_INFO>()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(read::<FILE_BASIC_INFO>(to, FileBasicInfo)?.FileAttributes & SETTABLE == wanted)
}

/// Compresses a file as the file system does by default. The file must be open for reading and writing.
///
/// # Errors
/// The file system cannot compress it.
pub fn compress(file: &File) -> io::Result<()> {
    let (format, mut returned) = (COMPRESSION_FORMAT_DEFAULT, 0);
    let size = size_of_u32::<u16>();
    // SAFETY: the handle is open, the input is as large as the call is told, and there is no output.
    let done =
        unsafe { DeviceIoControl(file.as_raw_handle(), FSCTL_SET_COMPRESSION, (&raw const format).cast(), size, null_mut(), 0, &raw mut returned, null_mut()) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Returns the streams of a file besides its bytes; none where the file system has no streams.
#[must_use]
pub fn streams(file: &File) -> Vec<Stream> {
    // 8-byte words keep it aligned.
    let mut list = vec![0_u64; LONGEST_LIST / 8];
    let Ok(length) = u32::try_from(LONGEST_LIST) else { return Vec::new() };
    // SAFETY: the handle is open, and the buffer is as large as the call is told.
    if unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), FileStreamInfo, list.as_mut_ptr().cast(), length) } == 0 {
        return Vec::new();
    }
    let bytes: Vec<u8> = list.into_iter().flat_map(u64::to_ne_bytes).collect();
    streams_in(&bytes)
}

/// The streams in a list of `FILE_STREAM_INFO`; each name has the form `:NAME:$DATA`, and that of the bytes of the file is empty.
fn streams_in(list: &[u8]) -> Vec<Stream> {
    let number = |at: usize| list.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    let mut streams = Vec::new();
    let mut at = 0;
    loop {
        let next = number(at + offset_of!(FILE_STREAM_INFO, NextEntryOffset)).unwrap_or(0);
        let name_length = number(at + offset_of!(FILE_STREAM_INFO, StreamNameLength)).unwrap_or(0) as usize;
        let size_at = at + offset_of!(FILE_STREAM_INFO, StreamSize);
        let size = list.get(size_at..size_at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_ne_bytes);
        let name_at = at + offset_of!(FILE_STREAM_INFO, StreamName);
        let units: Vec<u16> =
            list.get(name_at..name_at + name_length).unwrap_or_default().chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
        let name = String::from_utf16_lossy(&units);
        if let Some(name) = name.strip_prefix(':').and_then(|name| name.strip_suffix(":$DATA")).filter(|name| !name.is_empty()) {
            streams.push(Stream { name: name.to_owned(), size: u64::try_from(size).unwrap_or_default() });
        }
        if next == 0 {
            return streams;
        }
        at += next as usize;
    }
}

fn size_of_u32<T>() -> u32 {
    // No structure of Windows is larger.
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

/// Reads a structure about a file.
fn read<T: Default>(file: &File, class: FILE_INFO_BY_HANDLE_CLASS) -> io::Result<T> {
    let mut info = T::default();
    // SAFETY: the handle is open, and the structure is as large as the call is told; its fields are numbers, and BOOLEANs that Windows sets to 0 or 1.
    let found = unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), class, (&raw mut info).cast(), size_of_u32::<T>()) };
    if found == 0 { Err(io::Error::last_os_error()) } else { Ok(info) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An entry of a list as Windows writes it, and how far it is from the next one.
    fn entry(next: u32, name: &str, size: i64) -> Vec<u8> {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_ne_bytes).collect();
        let numbers = [next.to_ne_bytes(), u32::try_from(units.len()).unwrap().to_ne_bytes()].concat();
        let mut bytes = [numbers, size.to_ne_bytes().to_vec(), [0; 8].to_vec(), units].concat();
        bytes.resize(bytes.len().max(next as usize), 0);
        bytes
    }

    #[test]
    fn the_streams_of_a_list_are_found_without_the_bytes_of_the_file() {
        let list = [entry(40, "::$DATA", 7), entry(72, ":Zone.Identifier:$DATA", 26), entry(0, ":a b:$DATA", 0)].concat();
        let found: Vec<_> = streams_in(&list).into_iter().map(|stream| (stream.name, stream.size)).collect();
        assert_eq!(found, [("Zone.Identifier".to_owned(), 26), ("a b".to_owned(), 0)]);
        assert!(streams_in(&[]).is_empty());
        // A list that is cut off ends.
        for length in 0..list.len() {
            assert!(streams_in(&list[..length]).len() <= 2);
        }
    }
}

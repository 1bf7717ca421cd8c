//! Errors about files, each with what to do about it.

use std::io;
use std::path::Path;

use crate::error::{Code, Error};

pub(super) const WRITE_ADVICE: &str = "Check that you own it, that its folder is writable and that the disk is not full.";

pub(crate) fn read_failed(path: &Path, fault: &io::Error) -> Error {
    Error::new(Code::ReadFailed, format!("{} could not be read: {fault}.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Check that it is a file that you can read.")
}

pub(crate) fn write_failed(path: &Path, fault: &io::Error) -> Error {
    // Linux reports this for a mount point that would be renamed or replaced.
    if fault.kind() == io::ErrorKind::ResourceBusy {
        return mounted(path);
    }
    Error::new(Code::WriteFailed, format!("{} could not be written: {fault}.", path.display()))
        .with_target(path.display().to_string())
        .with_action(WRITE_ADVICE)
}

pub(super) fn mounted(path: &Path) -> Error {
    Error::new(Code::WriteFailed, format!("{} is a mount point, so it cannot be replaced.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Mount the folder that contains the file instead of the file alone, for example with docker run -v ~/.aws:/home/app/.aws.")
}

pub(super) fn locked_by_attribute(path: &Path, attribute: &str) -> Error {
    let flag = &attribute[..1];
    Error::new(Code::WriteFailed, format!("{} is {attribute}, so it cannot be replaced.", path.display()))
        .with_target(path.display().to_string())
        .with_action(format!("Remove the attribute with chattr -{flag} '{}'.", path.display()))
}

pub(super) fn no_space(path: &Path, free: u64) -> Error {
    Error::new(Code::WriteFailed, format!("{} cannot be replaced, because its disk has only {free} bytes free.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Free some space, then run the command again.")
}

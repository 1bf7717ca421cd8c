//! Errors about files, each with what to do about it.

use std::io;
use std::path::Path;

use crate::error::{Code, Error};
use crate::files::held::{holders_of, is_held};

pub(super) const WRITE_ADVICE: &str = "Check that you own it, that its folder is writable and that the disk is not full.";

pub(crate) fn read_failed(path: &Path, fault: &io::Error) -> Error {
    if is_held(fault) {
        return in_use(path);
    }
    Error::new(Code::ReadFailed, format!("{} could not be read: {fault}.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Check that it is a file that you can read.")
}

/// A file of AWS tools has an encoding that they cannot read.
pub(crate) fn unreadable_by_aws_tools(code: Code, path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(code, format!("{} is {what}, which AWS tools cannot read.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Save the file as UTF-8 without a byte order mark, then run the command again.")
}

pub(crate) fn write_failed(path: &Path, fault: &io::Error) -> Error {
    if is_held(fault) {
        return in_use(path);
    }
    // Linux reports this for a mount point that would be renamed or replaced.
    if fault.kind() == io::ErrorKind::ResourceBusy {
        return mounted(path);
    }
    Error::new(Code::WriteFailed, format!("{} could not be written: {fault}.", path.display()))
        .with_target(path.display().to_string())
        .with_action(WRITE_ADVICE)
}

fn in_use(path: &Path) -> Error {
    let by = match holders_of(path) {
        names if names.is_empty() => "another program".to_owned(),
        names => names.join(", "),
    };
    Error::new(Code::FileLocked, format!("{} is in use by {by}.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Close the program that has it open, or wait until it is done, then run the command again.")
}

pub(super) fn mounted(path: &Path) -> Error {
    Error::new(Code::WriteFailed, format!("{} is a mount point, so it cannot be replaced.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Mount the folder that contains the file instead of the file alone, for example with docker run -v ~/.aws:/home/app/.aws.")
}

pub(super) fn locked_by_attribute(path: &Path, attribute: &str) -> Error {
    let command = if cfg!(windows) { "attrib -r".to_owned() } else { format!("chattr -{}", &attribute[..1]) };
    Error::new(Code::WriteFailed, format!("{} is {attribute}, so it cannot be replaced.", path.display()))
        .with_target(path.display().to_string())
        .with_action(format!("Remove the attribute with {command} '{}'.", path.display()))
}

pub(super) fn stream(path: &Path) -> Error {
    Error::new(Code::WriteFailed, format!("{} is a stream inside another file, so it cannot be replaced.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Use a file name without a colon.")
}

pub(super) fn no_space(path: &Path, free: u64) -> Error {
    Error::new(Code::WriteFailed, format!("{} cannot be replaced, because its disk has only {free} bytes free.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Free some space, then run the command again.")
}

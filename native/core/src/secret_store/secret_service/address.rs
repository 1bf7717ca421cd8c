//! Where the session bus is.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::world::Variables;

/// The path of a socket; one in Linux's abstract namespace begins with a zero.
pub(super) type Socket = PathBuf;

/// How many addresses of a list are tried.
const MOST: usize = 8;

/// The sockets of the caller's session bus in the order in which they are tried. Other transports, such as a program that is started, are left out.
pub(super) fn sockets_of(variables: &Variables) -> Vec<Socket> {
    let of_the_session = || variables.get("XDG_RUNTIME_DIR").map(|folder| Path::new(folder).join("bus")).filter(|path| path.is_absolute());
    match variables.get("DBUS_SESSION_BUS_ADDRESS") {
        Some(list) => list.split(';').filter_map(|address| socket_of(address, of_the_session)).take(MOST).collect(),
        None => of_the_session().into_iter().collect(),
    }
}

/// The socket of an address such as `unix:path=/run/user/1000/bus,guid=0123`.
fn socket_of(address: &str, of_the_session: impl Fn() -> Option<Socket>) -> Option<Socket> {
    let settings = address.strip_prefix("unix:")?.split(',').filter_map(|setting| setting.split_once('='));
    let value = |value: &str| percent_encoding::percent_decode_str(value).collect::<Vec<u8>>();
    settings
        .filter_map(|(name, written)| match name {
            "path" => Some(PathBuf::from(OsString::from_vec(value(written)))).filter(|path| path.is_absolute()),
            "abstract" => Some(PathBuf::from(OsString::from_vec([&b"\0"[..], &value(written)].concat()))),
            "runtime" if written == "yes" => of_the_session(),
            _ => None,
        })
        // A zero elsewhere would cut the path off.
        .find(|path| !path.as_os_str().as_bytes().iter().skip(1).any(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = Variables::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        sockets_of(&variables).into_iter().map(|socket| socket.display().to_string()).collect()
    }

    #[test]
    fn the_bus_is_where_the_variable_says_or_in_the_runtime_folder() {
        const RUNTIME: (&str, &str) = ("XDG_RUNTIME_DIR", "/run/user/1000");
        let address = |written| sockets(&[("DBUS_SESSION_BUS_ADDRESS", written), RUNTIME]);
        assert_eq!(sockets(&[RUNTIME]), ["/run/user/1000/bus"]);
        assert_eq!(address("unix:path=/tmp/dbus-x,guid=0123"), ["/tmp/dbus-x"]);
        assert_eq!(address("unix:guid=0123,path=/tmp/a%20b%2c"), ["/tmp/a b,"]);
        assert_eq!(address("unix:abstract=/tmp/dbus-x"), ["\0/tmp/dbus-x"]);
        assert_eq!(address("unix:runtime=yes"), ["/run/user/1000/bus"]);
        assert_eq!(address("tcp:host=localhost,port=1;unix:path=/a;unix:path=/b"), ["/a", "/b"]);
    }

    #[test]
    fn what_is_no_socket_of_this_machine_is_left_out() {
        let none: [&str; 0] = [];
        for written in
            ["", "autolaunch:", "disabled:", "unix:", "unix:path", "unix:path=", "unix:path=bus", "unix:path=/a%00b", "unix:tmpdir=/tmp", "nonsense", ";;;"]
        {
            assert_eq!(sockets(&[("DBUS_SESSION_BUS_ADDRESS", written)]), none, "{written}");
        }
        assert_eq!(sockets(&[]), none);
        assert_eq!(sockets(&[("XDG_RUNTIME_DIR", "run")]), none);
        assert_eq!(sockets(&[("DBUS_SESSION_BUS_ADDRESS", &"unix:path=/a;".repeat(1000))]).len(), MOST);
    }
}

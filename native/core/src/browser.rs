//! Opens the page on which a login is approved.

use crate::environment::is_trustworthy;
use crate::world::{Browser, Variables};

/// Whether a URL of the service may be handed to the browser: one that is https (http for loopback) and made of harmless characters.
///
/// Whatever else the service sends is shown to the user as text, who may judge it.
pub(crate) fn may_open(url: &str) -> bool {
    is_trustworthy(url) && url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#=&%+".contains(&byte))
}

/// The user's own browser.
pub(crate) struct DesktopBrowser;

#[cfg(any(windows, target_os = "macos"))]
impl Browser for DesktopBrowser {
    fn open(&self, url: &str, _variables: &Variables) -> bool {
        webbrowser::open(url).is_ok()
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
impl Browser for DesktopBrowser {
    fn open(&self, url: &str, variables: &Variables) -> bool {
        let own = variables.get("BROWSER").into_iter().flat_map(|list| list.split(':')).filter(|line| !line.trim().is_empty());
        let own: Vec<_> = own.map(|line| from_command_line(line, url)).collect();
        let has_display = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(|name| variables.get(name).is_some());
        // Without a display the desktop's openers would start a text browser in the user's terminal.
        let desktop = if has_display { open::commands(url) } else { Vec::new() };
        own.into_iter().chain(desktop).any(|command| starts(command, variables))
    }
}

/// A line of `$BROWSER`: words, with `%s` where the address goes, or at the end.
#[cfg(not(any(windows, target_os = "macos")))]
fn from_command_line(line: &str, url: &str) -> std::process::Command {
    let mut words = line.split_ascii_whitespace();
    let mut command = std::process::Command::new(words.next().unwrap_or_default());
    let mut placed = false;
    for word in words {
        placed |= word.contains("%s");
        command.arg(word.replace("%s", url));
    }
    if !placed {
        command.arg(url);
    }
    command
}

/// Starts a browser with the user's variables; gives false where it cannot be started or ends at once with an error.
#[cfg(not(any(windows, target_os = "macos")))]
fn starts(mut command: std::process::Command, variables: &Variables) -> bool {
    use std::os::unix::process::CommandExt as _;
    use std::process::Stdio;
    use std::time::Duration;
    // In a group of its own, so that Ctrl+C in the terminal does not end the browser too.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.envs(variables.iter());
    let Ok(mut child) = command.spawn() else { return false };
    for _ in 0..15 {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    // It runs on; somebody has to take its exit status one day.
    std::thread::spawn(move || child.wait());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_addresses_reach_a_browser() {
        for url in ["https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-EFGH", "http://127.0.0.1:8080/device?user_code=ABCD-EFGH"] {
            assert!(may_open(url), "{url}");
        }
        for url in
            ["http://example.com/", "https://example.com/ -x", "https://example.com/\";calc", "file:///etc/passwd", "https://example.com/$(id)", "-x", ""]
        {
            assert!(!may_open(url), "{url}");
        }
    }
}

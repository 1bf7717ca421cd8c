//! Opens the page on which the user approves a login.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::outlet::Outlet;
use crate::urls::is_trustworthy;
use crate::world::{Browser, Opening, Variables, World};

/// Whether a browser may open a URL from the service: it must be https (http for loopback) and have only harmless characters.
///
/// Any other URL is only shown as text, which the user can judge.
pub(crate) fn may_open(url: &str) -> bool {
    is_trustworthy(url) && url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#=&%+".contains(&byte))
}

/// Opens `url` if the user wants that and a browser can show it; returns whether it did.
pub(crate) fn try_open(url: &str, wanted: bool, environment: &str, world: &World, outlet: &Outlet) -> bool {
    if !wanted {
        return false;
    }
    if let Some(why) = world.browser.reason_against(&world.variables) {
        outlet.verbose(format!("{environment}: no browser is opened because {why}."));
        return false;
    }
    if !may_open(url) {
        return false;
    }
    let Opening { is_shown, failed } = world.browser.open(url, &world.variables);
    if let Some(variable) = failed {
        let instead = if is_shown { " The default browser was opened instead." } else { "" };
        outlet.warn(format!("The browser in {variable} could not be started.{instead}"));
    }
    is_shown
}

/// The user's desktop browser.
#[derive(Debug, Clone, Copy)]
pub struct DesktopBrowser;

impl Browser for DesktopBrowser {
    fn open(&self, url: &str, variables: &Variables) -> Opening {
        let mut failed = None;
        for (variable, line) in own_browsers(variables) {
            if starts(from_command_line(line, url), variables) {
                return Opening { is_shown: true, failed: None };
            }
            failed = Some(variable);
        }
        // The window of the default browser may appear where nobody sees it, even if that of the user's own would not have.
        let is_shown = (failed.is_none() || elsewhere(variables, in_container).is_none()) && open_desktop(url, variables);
        Opening { is_shown, failed }
    }

    fn reason_against(&self, variables: &Variables) -> Option<&'static str> {
        reason_against(variables, in_container)
    }
}

fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].into_iter().any(|file| Path::new(file).exists())
}

/// The browsers that the user chose, each with its variable: `AWS_SSO_BROWSER`, else `BROWSER`, which is a list on Unix.
fn own_browsers(variables: &Variables) -> impl Iterator<Item = (&'static str, &str)> {
    const FOR_THIS: &str = "AWS_SSO_BROWSER";
    const USUAL: &str = "BROWSER";
    let for_this = variables.get(FOR_THIS);
    let usual = variables.get(USUAL).filter(|_| for_this.is_none()).into_iter();
    let usual = usual.flat_map(|list| if cfg!(windows) { vec![list] } else { list_of(list) }).map(|line| (USUAL, line));
    for_this.into_iter().map(|line| (FOR_THIS, line)).chain(usual).filter(|(_, line)| !line.trim().is_empty())
}

/// Splits a list at the colons that are not in quotes.
fn list_of(list: &str) -> Vec<&str> {
    let mut quote = None;
    let parts = list.split(|c| {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        c == ':' && quote.is_none()
    });
    parts.collect()
}

/// How a command line is split into words: by the rules that the users of each system know; only on Windows is a backslash part of a path.
#[derive(Debug, Clone, Copy)]
enum Quoting {
    Unix,
    Windows,
}

/// The words of a command line; if a quote is not closed, it is split at spaces only.
fn words_of(line: &str, quoting: Quoting) -> Vec<String> {
    let words = match quoting {
        Quoting::Unix => shell_words::split(line).ok(),
        Quoting::Windows => Some(winsplit::split(line)),
    };
    words.unwrap_or_else(|| line.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Why no browser is opened. A browser that the user chose is always opened; any other only if its window appears on the user's screen.
fn reason_against(variables: &Variables, in_container: impl Fn() -> bool) -> Option<&'static str> {
    if own_browsers(variables).next().is_some() { None } else { elsewhere(variables, in_container) }
}

/// Why the window of a browser would appear on another screen than the user's, or nowhere.
fn elsewhere(variables: &Variables, in_container: impl Fn() -> bool) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().any(|name| variables.get(name).is_some());
    if has(&["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]) {
        Some("PowerShell runs over SSH")
    } else if has(&["WSL_DISTRO_NAME", "WSL_INTEROP"]) {
        Some("PowerShell runs in WSL")
    } else if has(&["CODESPACES", "container", "KUBERNETES_SERVICE_HOST"]) || in_container() {
        Some("PowerShell runs in a container")
    } else if !has_desktop() {
        Some("PowerShell runs in a session without a desktop, such as WinRM or a service")
    } else if cfg!(not(any(windows, target_os = "macos"))) && !has(&["DISPLAY", "WAYLAND_DISPLAY"]) {
        Some("there is no display")
    } else {
        None
    }
}

#[cfg(windows)]
fn has_desktop() -> bool {
    sso_windows::has_desktop()
}

/// Elsewhere, the variables show it.
#[cfg(not(windows))]
fn has_desktop() -> bool {
    true
}

#[cfg(windows)]
fn open_desktop(url: &str, _variables: &Variables) -> bool {
    webbrowser::open(url).is_ok()
}

#[cfg(not(windows))]
fn open_desktop(url: &str, variables: &Variables) -> bool {
    open::commands(url).into_iter().any(|command| starts(command, variables))
}

/// Reads the user's command line: a program, and words in which `%s` stands for the address, which otherwise comes last. Quotes count, and a path with
/// spaces needs none if it is that of a file.
fn from_command_line(line: &str, url: &str) -> Command {
    let quoting = if cfg!(windows) { Quoting::Windows } else { Quoting::Unix };
    let (program, arguments) = if let Some((program, rest)) = unquoted_program(line) {
        (program.to_owned(), words_of(rest, quoting))
    } else {
        let mut words = words_of(line, quoting).into_iter();
        (words.next().unwrap_or_default(), words.collect())
    };
    let mut command = Command::new(installed(program));
    let mut placed = false;
    for word in arguments {
        placed |= word.contains("%s");
        command.arg(word.replace("%s", url));
    }
    if !placed {
        command.arg(url);
    }
    command
}

/// The program at the start of a line, up to the first space after which it is a file, and the rest. The line of a quoted program has none.
fn unquoted_program(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let ends = line.match_indices(' ').map(|(at, _)| at).chain([line.len()]);
    let is_program = |path: &str| Path::new(path).is_file() || (cfg!(windows) && Path::new(&format!("{path}.exe")).is_file());
    ends.map(|at| line.split_at(at)).find(|(program, _)| program.contains(std::path::is_separator) && is_program(program))
}

/// The path of a program that Windows knows by its name alone; any other name is looked up on the PATH.
#[cfg(windows)]
fn installed(program: String) -> PathBuf {
    let is_name = !program.contains(['\\', '/']);
    if is_name { sso_windows::app_path(&program).unwrap_or_else(|| program.into()) } else { program.into() }
}

#[cfg(not(windows))]
fn installed(program: String) -> PathBuf {
    program.into()
}

/// Starts a browser with the user's variables; returns false if it cannot be started or soon exits with an error.
fn starts(mut command: Command, variables: &Variables) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A separate process group, so that Ctrl+C in the terminal does not stop the browser too.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.envs(variables.iter());
    let Ok(mut child) = command.spawn() else { return false };
    for _ in 0..15 {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    // It keeps running; this thread collects its exit status later.
    std::thread::spawn(move || child.wait());
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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

    fn reason(set: &[(&str, &str)], in_container: bool) -> Option<&'static str> {
        let variables = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        reason_against(&Variables::new(variables), || in_container)
    }

    #[test]
    fn no_browser_is_opened_if_its_window_would_be_on_another_screen() {
        let desktop = ("DISPLAY", ":0");
        assert_eq!(reason(&[desktop], false), None);
        for (variable, why) in [
            ("SSH_CONNECTION", "over SSH"),
            ("SSH_TTY", "over SSH"),
            ("WSL_DISTRO_NAME", "in WSL"),
            ("CODESPACES", "in a container"),
            ("container", "in a container"),
        ] {
            assert!(reason(&[desktop, (variable, "x")], false).unwrap().contains(why), "{variable}");
        }
        assert!(reason(&[desktop], true).unwrap().contains("in a container"));
        assert_eq!(reason(&[], false), if cfg!(any(windows, target_os = "macos")) { None } else { Some("there is no display") });
    }

    #[test]
    fn a_browser_that_the_user_chose_is_always_opened() {
        for variable in ["BROWSER", "AWS_SSO_BROWSER"] {
            assert_eq!(reason(&[(variable, "helper"), ("SSH_TTY", "x"), ("WSL_DISTRO_NAME", "x")], true), None);
            assert!(reason(&[(variable, " "), ("SSH_TTY", "x")], false).is_some());
        }
    }

    #[test]
    fn the_browser_for_logins_takes_precedence_over_the_usual_one() {
        let names = |set: &[(&str, &str)]| {
            let variables = Variables::new(set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
            own_browsers(&variables).map(|(_, line)| line.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[("AWS_SSO_BROWSER", "firefox -P work"), ("BROWSER", "lynx")]), ["firefox -P work"]);
        assert_eq!(names(&[("BROWSER", "lynx")]), ["lynx"]);
        let command = from_command_line("firefox -P work --url=%s", "https://example.com/");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-P", "work", "--url=https://example.com/"]);
    }

    #[test]
    fn a_quoted_path_may_have_spaces_and_arguments() {
        for (line, quoting, expected) in [
            (r#""/opt/my browser/run" -P work"#, Quoting::Unix, &["/opt/my browser/run", "-P", "work"][..]),
            ("'/opt/my browser/run' --name='a b' %s", Quoting::Unix, &["/opt/my browser/run", "--name=a b", "%s"]),
            (r"/opt/my\ browser/run -P work", Quoting::Unix, &["/opt/my browser/run", "-P", "work"]),
            ("/opt/o'brien/run -P work", Quoting::Unix, &["/opt/o'brien/run", "-P", "work"]),
            (
                r#""C:\Program Files\Mozilla Firefox\firefox.exe" -P work --url=%s"#,
                Quoting::Windows,
                &[r"C:\Program Files\Mozilla Firefox\firefox.exe", "-P", "work", "--url=%s"],
            ),
            (r"C:\tools\new\firefox.exe -P work", Quoting::Windows, &[r"C:\tools\new\firefox.exe", "-P", "work"]),
            (r#"C:\Users\O'Brien\run.exe "--profile-directory=Profile 1""#, Quoting::Windows, &[r"C:\Users\O'Brien\run.exe", "--profile-directory=Profile 1"]),
        ] {
            assert_eq!(words_of(line, quoting), expected, "{line}");
        }
    }

    #[test]
    fn the_path_of_an_existing_program_needs_no_quotes() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("my browser");
        std::fs::write(&program, "").unwrap();
        let written = program.display().to_string();
        for (line, arguments) in [(written.clone(), &["https://example.com/"][..]), (format!("\"{written}\" -P work"), &["-P", "work", "https://example.com/"])]
        {
            let command = from_command_line(&line, "https://example.com/");
            assert_eq!(
                (command.get_program(), command.get_args().collect::<Vec<_>>()),
                (program.as_os_str(), arguments.iter().map(std::ffi::OsStr::new).collect())
            );
        }
    }

    #[test]
    fn a_browser_that_cannot_be_started_is_named_by_its_variable_and_the_default_one_is_opened_only_where_its_user_sees_it() {
        for variable in ["AWS_SSO_BROWSER", "BROWSER"] {
            let variables = Variables::new([(variable.to_owned(), "/nonexistent/browser -x".to_owned()), ("SSH_TTY".to_owned(), "x".to_owned())].into());
            assert_eq!(DesktopBrowser.open("https://example.com/", &variables), Opening { is_shown: false, failed: Some(variable) });
        }
    }

    #[test]
    fn the_path_of_an_existing_program_may_have_spaces_and_arguments_without_quotes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("my")).unwrap();
        let program = folder.path().join("my browser here");
        std::fs::write(&program, "").unwrap();
        let written = program.display().to_string();
        assert_eq!(unquoted_program(&format!("{written} -P 'my work'")), Some((written.as_str(), " -P 'my work'")));
        assert_eq!(unquoted_program(&written), Some((written.as_str(), "")));
        for line in ["firefox -P work", "\"/bin/sh\" -c", "", "/nonexistent/my browser -x"] {
            assert_eq!(unquoted_program(line), None, "{line}");
        }
    }

    #[test]
    fn a_list_of_browsers_is_split_at_colons_outside_quotes() {
        assert_eq!(list_of("firefox:lynx %s"), ["firefox", "lynx %s"]);
        assert_eq!(list_of("'/opt/a b' \"--proxy=http://p:1\":lynx"), ["'/opt/a b' \"--proxy=http://p:1\"", "lynx"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_browser_whose_path_has_spaces_is_started_with_its_arguments() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (program, seen) = (folder.path().join("my browser"), folder.path().join("seen"));
        std::fs::write(&program, format!("#!/bin/sh\nfor word; do echo \"$word\"; done > '{}'\n", seen.display())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (path, url) = (program.display(), "https://example.com/?user_code=ABCD-EFGH");
        for (variable, value, expected) in [
            ("AWS_SSO_BROWSER", format!("{path}"), format!("{url}\n")),
            ("AWS_SSO_BROWSER", format!("\"{path}\" --profile 'a b'"), format!("--profile\na b\n{url}\n")),
            ("AWS_SSO_BROWSER", format!(" {path} --profile 'a b'"), format!("--profile\na b\n{url}\n")),
            ("BROWSER", format!("'{path}' --app=%s -x"), format!("--app={url}\n-x\n")),
            ("BROWSER", format!("/nonexistent:'{path}'"), format!("{url}\n")),
        ] {
            let opening = DesktopBrowser.open(url, &Variables::new([(variable.to_owned(), value.clone())].into()));
            assert_eq!(opening, Opening { is_shown: true, failed: None }, "{value}");
            let started = std::time::Instant::now();
            while std::fs::read_to_string(&seen).map_or(true, |text| text != expected) && started.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(std::fs::read_to_string(&seen).unwrap(), expected, "{value}");
            std::fs::remove_file(&seen).unwrap();
        }
    }
}

//! Start URLs: which access portal one leads to, and whether it is valid.

use url::Url;

use crate::text::check_visible;
use crate::urls::is_trustworthy;

/// The start URL without what makes no difference to the portal: uppercase in scheme and host, the default port, slashes at the end of the path, the
/// query and the fragment. Text that is not a URL is returned unchanged.
pub(crate) fn portal_url(start_url: &str) -> String {
    match Url::parse(start_url) {
        Ok(mut url) if url.has_host() => {
            url.set_query(None);
            url.set_fragment(None);
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&path);
            url.as_str().trim_end_matches('/').to_owned()
        }
        _ => start_url.to_owned(),
    }
}

/// The start URL to send to the service. It leaves out query and fragment, as in `/#/?tab=accounts`: they belong to the portal's page, no browser sends
/// a fragment to a server, and nothing documents that the service ignores them.
pub(crate) fn requested_url(start_url: &str) -> String {
    let Ok(mut url) = Url::parse(start_url) else { return start_url.to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    let bare = url.as_str();
    // The URL parser adds a slash to a URL without a path.
    if bare.strip_suffix('/') == Some(start_url) { start_url.to_owned() } else { bare.to_owned() }
}

/// Whether two start URLs lead to the same portal.
pub(crate) fn same_start_url(one: &str, other: &str) -> bool {
    one == other || portal_url(one) == portal_url(other)
}

pub(crate) fn check_start_url(start_url: &str) -> Result<(), String> {
    if start_url.contains(['<', '>']) {
        return Err(format!("the start URL {start_url} still contains angle brackets"));
    }
    if has_user_info(start_url) {
        let host = Url::parse(start_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        return Err(format!("the start URL has text before an @, so it leads to the host {host}; a start URL must not contain an @ before its path"));
    }
    // A URL parser ignores line breaks, and spaces at either end, but an ini file does not.
    let plain = !start_url.contains(|c: char| c.is_whitespace() || c.is_control()) && check_visible(start_url).is_ok();
    if plain && is_trustworthy(start_url) {
        Ok(())
    } else {
        Err(format!("the start URL {start_url:?} must be an https URL (http only for a loopback address)"))
    }
}

/// Whether something precedes the host, as in `https://acme.awsapps.com@example.com/start`, which leads to another host than it seems to. The URL
/// parser accepts any number of slashes before the host, and a backslash as a slash.
fn has_user_info(url: &str) -> bool {
    let rest = url.split_once(':').map_or(url, |(_, rest)| rest).trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.contains('@') || Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

/// The host of a start URL, with the port if it is not the default one; an internationalized name is in its ASCII form, as in DNS.
pub(crate) fn host_of(start_url: &str) -> String {
    let Ok(url) = Url::parse(start_url) else { return start_url.to_owned() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_start_url_leads_to_the_same_portal_no_matter_how_it_is_copied() {
        let written = "https://d-12345abcde.awsapps.com/start";
        for same in [
            "https://d-12345abcde.awsapps.com/start/",
            "https://d-12345abcde.awsapps.com/start//",
            "https://d-12345abcde.awsapps.com/start#/",
            "https://d-12345abcde.awsapps.com/start/#/",
            "https://d-12345abcde.awsapps.com/start/#/?tab=accounts",
            "https://d-12345abcde.awsapps.com/start?tab=accounts",
            "https://D-12345ABCDE.awsapps.com/start",
            "HTTPS://d-12345abcde.awsapps.com:443/start/",
        ] {
            assert!(same_start_url(written, same) && same_start_url(same, written), "{same}");
        }
        for other in [
            "https://d-12345abcde.awsapps.com/start2",
            "https://d-12345abcde.awsapps.com/",
            "https://d-12345abcdf.awsapps.com/start",
            "https://d-12345abcde.awsapps.com:8443/start",
            "http://d-12345abcde.awsapps.com/start",
            "d-12345abcde.awsapps.com/start",
            "",
        ] {
            assert!(!same_start_url(written, other), "{other}");
        }
        assert_eq!(portal_url("https://example.com"), portal_url("https://EXAMPLE.com/#/"));
        for (written, requested) in [
            ("https://example.com/start", "https://example.com/start"),
            ("https://example.com/start/", "https://example.com/start/"),
            ("https://example.com", "https://example.com"),
            ("https://example.com/start#/", "https://example.com/start"),
            ("https://EXAMPLE.com/start/#/?tab=accounts", "https://example.com/start/"),
        ] {
            assert_eq!(requested_url(written), requested);
        }
    }

    #[test]
    fn a_start_url_with_text_before_its_host_is_refused_and_the_error_names_the_real_host() {
        for url in [
            "https://acme.awsapps.com@example.com/start",
            "https://acme.awsapps.com:443@example.com/start",
            "https://acme:secret@example.com/start",
            "https://@example.com/start",
            "https://:@example.com",
            "https:/acme.awsapps.com@example.com/start",
            "https:acme.awsapps.com@example.com",
            "https:////acme.awsapps.com@example.com/start",
            "https:\\\\acme.awsapps.com@example.com\\start",
            "HTTPS://acme.awsapps.com@EXAMPLE.com?x=/start",
            "https://acme.awsapps.com%40x@example.com#/start",
            "https://a@acme.awsapps.com@example.com/start",
        ] {
            let error = check_start_url(url).unwrap_err();
            assert!(error.contains("leads to the host example.com"), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for url in ["https://example.com/start/@x", "https://example.com/start?mail=a@example.com", "https://example.com/#/a@b"] {
            assert_eq!(check_start_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn the_host_of_a_start_url_is_shown_in_its_ascii_form() {
        for (url, host) in [
            ("https://D-12345abcde.awsapps.com/start/", "d-12345abcde.awsapps.com"),
            ("https://example.com:443/start", "example.com"),
            ("https://example.com:8443/start", "example.com:8443"),
            ("http://[::1]:80/", "[::1]"),
            ("https://\u{430}cme.awsapps.com/start", "xn--cme-5cd.awsapps.com"),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}

//! The proxy settings of macOS, from the place where Python and the AWS CLI read them.

use plist::{Dictionary, Value};

use super::SystemProxy;

/// Reads the settings of the network that is in use (`SCDynamicStoreCopyProxies`).
#[cfg(target_os = "macos")]
pub(super) fn settings() -> Option<Dictionary> {
    use system_configuration::core_foundation::base::TCFType as _;
    use system_configuration::core_foundation::propertylist::{create_data, kCFPropertyListXMLFormat_v1_0};
    use system_configuration::dynamic_store::SCDynamicStoreBuilder;
    let proxies = SCDynamicStoreBuilder::new("Set-AwsCliSsoCredentials").build()?.get_proxies()?;
    // As a document, since reading the dictionary itself takes unsafe code.
    let document = create_data(proxies.as_CFTypeRef(), kCFPropertyListXMLFormat_v1_0).ok()?;
    plist::from_bytes(document.bytes()).ok()
}

/// The proxy in these settings.
pub(super) fn system_proxy(settings: &Dictionary) -> SystemProxy {
    let is_on = |name| settings.get(name).and_then(Value::as_unsigned_integer).is_some_and(|value| value != 0);
    let text = |name| settings.get(name).and_then(Value::as_string).map(str::trim).filter(|text| !text.is_empty());
    let port = settings.get("HTTPSPort").and_then(Value::as_unsigned_integer);
    let server = text("HTTPSProxy").filter(|_| is_on("HTTPSEnable")).map(|host| {
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    });
    let exceptions = settings.get("ExceptionsList").and_then(Value::as_array).into_iter().flatten();
    let exceptions = exceptions.filter_map(Value::as_string).map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty());
    let local = is_on("ExcludeSimpleHostnames").then(|| "<local>".to_owned());
    let has_script = ["ProxyAutoConfigEnable", "ProxyAutoDiscoveryEnable"].into_iter().any(is_on);
    SystemProxy { server, bypass: exceptions.chain(local).collect(), has_script }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The settings in a document as macOS writes it.
    fn read(entries: &str) -> SystemProxy {
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict>{entries}</dict></plist>\n"
        );
        system_proxy(&plist::from_bytes(document.as_bytes()).unwrap())
    }

    #[test]
    fn the_proxy_for_https_and_its_exceptions_are_read() {
        let proxy = read(
            "<key>ExceptionsList</key><array><string>*.local</string><string>169.254/16</string><string>VPC.example.com</string></array>\
             <key>ExcludeSimpleHostnames</key><integer>1</integer>\
             <key>HTTPEnable</key><integer>1</integer><key>HTTPProxy</key><string>other.example.com</string><key>HTTPPort</key><integer>1</integer>\
             <key>HTTPSEnable</key><integer>1</integer><key>HTTPSProxy</key><string>proxy.example.com</string><key>HTTPSPort</key><integer>8080</integer>\
             <key>__SCOPED__</key><dict><key>en0</key><dict/></dict>",
        );
        assert_eq!(proxy.server.as_deref(), Some("proxy.example.com:8080"));
        for (host, expected) in [
            ("printer.local", true),
            ("169.254.1.2", true),
            ("vpc.example.com", true),
            ("intranet", true),
            ("oidc.us-west-2.amazonaws.com", false),
            ("10.1.2.3", false),
        ] {
            assert_eq!(proxy.bypasses(host), expected, "{host}");
        }
        assert!(!proxy.has_script);
    }

    #[test]
    fn a_proxy_that_is_switched_off_or_not_for_https_is_not_used_and_a_script_is_known() {
        let off = "<key>HTTPSEnable</key><integer>0</integer><key>HTTPSProxy</key><string>proxy.example.com</string>";
        let http = "<key>HTTPEnable</key><integer>1</integer><key>HTTPProxy</key><string>proxy.example.com</string>";
        for entries in ["", off, http, "<key>HTTPSEnable</key><integer>1</integer>", "<key>HTTPSEnable</key><string>1</string>"] {
            assert_eq!(read(entries), SystemProxy::default(), "{entries}");
        }
        for name in ["ProxyAutoConfigEnable", "ProxyAutoDiscoveryEnable"] {
            assert!(read(&format!("<key>{name}</key><integer>1</integer>")).has_script, "{name}");
        }
        let on = |host: &str| read(&format!("<key>HTTPSEnable</key><integer>1</integer><key>HTTPSProxy</key><string>{host}</string>")).server;
        assert_eq!((on("proxy.example.com").as_deref(), on("::1").as_deref()), (Some("proxy.example.com"), Some("[::1]")));
    }
}

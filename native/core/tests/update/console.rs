//! The link to the console of an account and role.

use sso_core::protocol::{Event, OpenConsole, Operation};

use crate::{Company, approving};

#[test]
fn the_console_of_a_profile_opens_in_the_browser_without_a_request() {
    let company = Company::with(approving(), 1);
    let open = |browser| {
        let operation = OpenConsole { profile: "Account1".into(), environments: Vec::new(), service: Some("s3".into()), region: None, browser };
        let events = company.events(Operation::OpenConsole(operation));
        let [Event::Console(console)] = events.as_slice() else { panic!("{events:?}") };
        console.clone()
    };
    let (shown, opened) = (open(false), open(true));
    assert!(!shown.browser_opened && opened.browser_opened);
    assert!(shown.url.contains("/#/console?account_id=100000000000&role_name=AWSAdministratorAccess&destination=https%3A%2F%2F"), "{}", shown.url);
    assert_eq!(*company.browser.urls.lock().unwrap(), [opened.url]);
    assert!(company.service.stats().requests.is_empty());
}

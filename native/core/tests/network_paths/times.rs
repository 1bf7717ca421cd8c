//! Times that no clock shows, from the service and in files.

use sso_core::protocol::Operation;
use sso_stand_in::{Control, Options};

use crate::side_by_side::side_by_side;
use crate::spoiler::{KEYS, company, logged_out};
use crate::{Company, approving, assert_says};

#[test]
fn expired_keys_fail_their_profile_and_are_not_requested_again_for_five_minutes() {
    let seconds = |seconds: i64| (time::OffsetDateTime::now_utc().unix_timestamp() + seconds) * 1000;
    side_by_side(
        [
            (serde_json::json!(0), "no expiration"),
            (serde_json::Value::Null, "no expiration"),
            (serde_json::json!(seconds(-10)), "expired at"),
            (serde_json::json!(seconds(-86_400)), "expired at"),
            (serde_json::json!(seconds(3600) / 1000), "not a time"),
            (serde_json::json!(-1), "not a time"),
            (serde_json::json!(i64::MAX), "not a time"),
            (serde_json::json!(i64::MIN), "not a time"),
            (serde_json::json!(253_402_300_799_000_i64), "not a time"),
        ],
        |(expiration, why)| {
            let (mut company, spoiler) = company(approving());
            let given = expiration.clone();
            spoiler.set(move |path, answer| {
                if path == KEYS && answer.request.contains("100000000000") {
                    answer.member("expiration", given.clone());
                }
            });
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["Account1", why, "not requested again for 5 minutes"]);
            assert_eq!(seen.statuses(), [("Created", 1), ("ServiceError", 1)].into(), "{expiration}");
            assert_eq!(company.credentials().matches("aws_access_key_id").count(), 1);
            assert_eq!(company.requests("GetRoleCredentials"), 2, "{expiration}");
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["Account1", why]);
            assert_eq!(seen.statuses(), [("StillValid", 1), ("ServiceError", 1)].into());
            assert_eq!(company.requests("GetRoleCredentials"), 2, "{expiration}");
            // A new process knows nothing of it, and asks once.
            company.forget();
            spoiler.set(|_, _| {});
            assert!(company.update().failed.is_empty());
            assert_eq!(company.requests("GetRoleCredentials"), 3, "{expiration}");
        },
    );
}

#[test]
fn an_impossible_date_header_is_ignored() {
    side_by_side(
        [
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Fri, 31 Dec 9999 23:59:59 -1200",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Sat, 01 Jan 2101 00:00:01 GMT",
            "Tue, 31 Dec 2019 23:59:59 GMT",
            "Sat, 01 Jan 0000 00:00:00 GMT",
            "soon",
            "",
        ],
        |date| {
            let (company, spoiler) = logged_out(approving());
            spoiler.set(move |_, answer| answer.header("Date", date));
            company.update().assert_created(2);
            company.service.control(Control { expire_tokens: true, ..Control::default() });
            let seen = company.forced();
            assert!(seen.failed.is_empty(), "{date}: {:?}", seen.failed);
            assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1), "{date}");
            // Keys that ended long ago are due, whatever the service says of the time.
            company.clock.move_by(2 * 86_400);
            let plan = sso_core::protocol::Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: false };
            let due: Vec<bool> = company.run(Operation::Plan(plan)).planned.iter().map(|(_, due)| *due).collect();
            assert_eq!(due, [true, true], "{date}");
        },
    );
}

#[test]
fn a_clock_that_is_wrong_by_days_or_years_stops_no_update() {
    side_by_side([2, -2, 400, -400], |days| {
        let company = Company::without_session(Options { clock_offset: days * 86_400, ..approving() }, 2);
        company.update().assert_created(2);
        assert_eq!(company.update().statuses(), [("StillValid", 2)].into(), "{days}");
        assert_eq!(company.service.stats().logins, 1, "{days}");
    });
}

#[test]
fn impossible_times_in_files_cause_no_internal_error() {
    side_by_side(["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"], |time| {
        let mut company = Company::with(approving(), 1);
        company.update().assert_created(1);
        company.forget();
        let change = |path: std::path::PathBuf, key: &str, quote: &str| {
            let text = std::fs::read_to_string(&path).unwrap();
            let Some((before, rest)) = text.split_once(key) else { return false };
            let end = rest.find(if quote.is_empty() { '\n' } else { '"' }).unwrap();
            std::fs::write(&path, format!("{before}{key}{time}{}", &rest[end..])).is_ok()
        };
        assert!(change(company.aws("credentials"), "x_security_token_expires = ", ""));
        let cached = std::fs::read_dir(company.aws("sso/cache")).unwrap().filter(|entry| change(entry.as_ref().unwrap().path(), "\"expiresAt\": \"", "\""));
        assert_eq!(cached.count(), 2, "the token and the registration");
        let session = Operation::GetSession(sso_core::protocol::GetSession { environments: Vec::new() });
        for seen in [company.run(session), company.update(), company.forced()] {
            assert!(seen.codes().iter().all(|code| code != "InternalError"), "{time}: {:?}", seen.failed);
        }
    });
}

//! The files of a session and their locks.

use sso_core::protocol::{Operation, SessionState, SessionTerms, Update};
use sso_stand_in::Control;

use crate::sessions::{connect, disconnect, files_in, session, token_file, without_login};
use crate::{Company, Seen, approving, update_of};

#[test]
fn a_token_file_that_cannot_be_removed_is_an_error_and_not_a_success() {
    let company = Company::without_session(approving(), 1);
    company.update();
    let token = files_in(&company, "sso/cache").into_iter().find(|path| std::fs::read_to_string(path).unwrap().contains("accessToken")).unwrap();
    let old_lock = token.with_extension("lock");
    for lock in files_in(&company, "sso/locks").into_iter().chain([old_lock]) {
        // A folder where the lock should be: nobody can take it.
        let _ = std::fs::remove_file(&lock);
        std::fs::create_dir(&lock).unwrap();
    }
    let seen = company.run(disconnect(false));
    assert_eq!(seen.codes(), ["WriteFailed"]);
    assert_eq!(session(&company).state, SessionState::Active);
}

#[test]
fn every_file_in_the_folder_of_the_cache_is_a_json_object() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    company.update();
    let files = files_in(&company, "sso/cache");
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok(), "{}: {text}", file.display());
    }
    company.run(disconnect(false));
    assert!(!files_in(&company, "sso/locks").is_empty());
}

#[test]
fn an_earlier_version_that_logs_in_is_waited_for_and_its_lock_file_becomes_harmless() {
    let company = Company::with(approving(), 1);
    company.update();
    let old_lock = token_file(&company).with_extension("lock");
    let held = std::fs::File::create(&old_lock).unwrap();
    held.lock().unwrap();
    company.clock.move_by(8 * 3600 + 60);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { timeout: Some(1), ..without_login() }, ..update_of("Acme") }));
    let error = seen.only_error("FileLocked");
    assert!(error.contains(&old_lock.display().to_string()), "{error}");
    assert_eq!(company.service.stats().refreshes, 0);
    drop(held);
    assert!(company.update().failed.is_empty());
    assert_eq!(company.service.stats().refreshes, 1);
    assert_eq!(std::fs::read_to_string(&old_lock).unwrap().trim(), "{}", "aws2-wrap reads it as JSON");
}

#[test]
fn an_earlier_version_waits_while_this_one_logs_in() {
    let company = Company::with(approving(), 1);
    let path = token_file(&company).with_extension("lock");
    let old_lock = std::fs::File::create(&path).unwrap();
    company.run(disconnect(false));
    company.service.control(Control { hang: vec!["StartDeviceAuthorization:1".parse().unwrap()], ..Control::default() });
    let run = company.start(connect());
    std::thread::scope(|scope| {
        let pulled = scope.spawn(|| Seen::all(&run));
        while company.requests("StartDeviceAuthorization") == 0 && !pulled.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(company.requests("StartDeviceAuthorization"), 1);
        assert!(old_lock.try_lock().is_err(), "the login goes on");
        run.cancel();
        pulled.join().unwrap();
    });
    old_lock.try_lock().unwrap();
}

#[test]
fn a_folder_where_only_the_cache_can_be_written_still_keeps_the_session() {
    let mut company = Company::without_session(approving(), 1);
    std::fs::create_dir_all(company.aws("sso")).unwrap();
    // A file where the folder of the locks should be: it cannot be made, whoever runs the test.
    std::fs::write(company.aws("sso/locks"), "").unwrap();
    let seen = company.update();
    assert!(seen.failed.is_empty() && !seen.notes.iter().any(|note| note.contains("only in this PowerShell")), "{seen:?}");
    company.forget();
    assert!(company.forced().verifications.is_empty());
    // The lock is beside the token there, and holds back whoever has no session.
    let held = std::fs::File::open(token_file(&company).with_extension("lock")).unwrap();
    held.lock().unwrap();
    company.clock.move_by(8 * 3600 + 60);
    company.run(Operation::Update(Update { session: SessionTerms { timeout: Some(1), ..without_login() }, ..update_of("Acme") })).only_error("FileLocked");
    drop(held);
    for file in files_in(&company, "sso/cache") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_object()), "{}: {text}", file.display());
    }
}

#[test]
fn a_cache_that_cannot_be_written_keeps_the_session_in_this_process() {
    for blocked in [&["sso/cache"][..], &["sso/cache", "sso/locks"]] {
        let company = Company::without_session(approving(), 1);
        std::fs::create_dir_all(company.aws("sso")).unwrap();
        for name in blocked {
            // A file where the folder should be: it cannot be made, whoever runs the test.
            std::fs::write(company.aws(name), "").unwrap();
        }
        let seen = company.update();
        seen.assert_created(1);
        assert!(seen.notes.iter().any(|note| note.contains("only in this PowerShell")), "{blocked:?}: {:?}", seen.notes);
        assert!(company.forced().verifications.is_empty(), "{blocked:?}");
        assert_eq!(session(&company).state, SessionState::Active, "{blocked:?}");
    }
}

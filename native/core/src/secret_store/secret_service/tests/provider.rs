//! With a provider that does what a real one does only seldom, and with sockets that are no bus.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::keyring::{or_skip, write_twenty_at_once};
use super::mock::{Answer, Mock, Script, Stored, stored};
use super::session_bus::{PATIENT, SHORT, SessionBus, store_at};
use crate::error::Error;
use crate::mutex::locked;
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::Limits;
use crate::secret_store::{Prompt, SecretStore, StoreState};

/// A quick provider and a user who never answers.
const NO_ANSWER: Limits = Limits { asked: Duration::from_millis(300), ..PATIENT };

async fn read(store: &SecretStore, item: &str) -> Option<String> {
    store.read(item, Prompt::Never).await.unwrap().map(|value| value.to_string())
}

/// Waits for something that happens in another task.
async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_a_bus_or_a_provider_each_call_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_at(&folder.path().join("nowhere"), PATIENT);
    assert!(matches!(store.state().await, Err(Fault::NoBus)));
    assert!(matches!(store.read("acme", Prompt::Allowed).await, Err(Fault::NoBus)));
    assert!(matches!(store.write("acme", "Acme", "value", Prompt::Allowed).await, Err(Fault::NoBus)));
    assert!(matches!(store.remove("acme", Prompt::Allowed).await, Err(Fault::NoBus)));
    let bus = or_skip!(SessionBus::start());
    assert!(matches!(bus.store(PATIENT).state().await, Err(Fault::NoProvider)));
}

#[tokio::test]
async fn a_provider_that_knows_only_plain_values_keeps_one_item_with_its_label() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script::default()).await;
    let store = bus.store(PATIENT);
    assert_eq!(store.state().await.unwrap(), StoreState::Unlocked);
    for value in ["first", "second"] {
        store.write("acme", "AWS session of Acme", value, Prompt::Never).await.unwrap();
        assert_eq!(read(&store, "acme").await.as_deref(), Some(value));
    }
    assert_eq!(mock.values(), ["second"]);
    let item: Stored = locked(&mock.script).items.values().next().unwrap().clone();
    assert_eq!((item.label.as_str(), item.attributes), ("AWS session of Acme", stored("acme", b"", 0).attributes));
    let opened = locked(&mock.script).calls.iter().filter(|call| **call == "OpenSession").count();
    assert_eq!(opened, 2, "the connection is kept; the first call asks for encryption");
}

#[tokio::test]
async fn without_a_default_collection_nothing_is_created_and_nobody_is_asked() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { has_no_default: true, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    assert!(matches!(store.state().await, Err(Fault::NoCollection)));
    assert!(matches!(store.write("acme", "Acme", "value", Prompt::Allowed).await, Err(Fault::NoCollection)));
    assert_eq!(locked(&mock.script).shown, 0);
}

#[tokio::test]
async fn a_locked_store_asks_only_if_that_is_allowed() {
    let bus = or_skip!(SessionBus::start());
    let script = Script { is_locked: true, items: [(1, stored("acme", b"value", 1))].into(), ..Script::default() };
    let mock = Mock::start(&bus, script).await;
    let store = bus.store(PATIENT);
    assert_eq!(store.state().await.unwrap(), StoreState::Locked);
    assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Locked)));
    assert!(matches!(store.write("acme", "Acme", "x", Prompt::Never).await, Err(Fault::Locked)));
    assert!(matches!(store.remove("acme", Prompt::Never).await, Err(Fault::Locked)));
    assert_eq!(locked(&mock.script).shown, 0);
    assert_eq!(store.read("acme", Prompt::Allowed).await.unwrap().unwrap().as_str(), "value");
    assert_eq!(mock.prompts(), (1, 0));
    assert_eq!(read(&store, "acme").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn an_item_that_is_locked_for_itself_asks_only_if_that_is_allowed() {
    let bus = or_skip!(SessionBus::start());
    let script = Script { asks_for_items: true, items: [(1, stored("acme", b"value", 1))].into(), ..Script::default() };
    let mock = Mock::start(&bus, script).await;
    let store = bus.store(PATIENT);
    assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Locked)));
    assert_eq!(mock.prompts(), (0, 0));
    assert_eq!(store.read("acme", Prompt::Allowed).await.unwrap().unwrap().as_str(), "value");
    assert_eq!(mock.prompts(), (1, 0));
}

#[tokio::test]
async fn an_answer_that_unlocks_nothing_is_no_reason_to_go_on() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::YesToNothing, ..Script::default() }).await;
    assert!(matches!(bus.store(PATIENT).read("acme", Prompt::Allowed).await, Err(Fault::Locked)));
    assert_eq!(mock.prompts(), (1, 0));
}

#[tokio::test]
async fn a_prompt_that_the_user_closes_is_a_fault_and_nothing_is_asked_again() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::Dismissed, ..Script::default() }).await;
    assert!(matches!(bus.store(PATIENT).read("acme", Prompt::Allowed).await, Err(Fault::Dismissed)));
    assert_eq!(locked(&mock.script).shown, 1);
}

#[tokio::test]
async fn a_prompt_that_nobody_answers_ends_in_time_and_is_closed() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::Never, ..Script::default() }).await;
    let store = bus.store(NO_ANSWER);
    assert!(matches!(store.read("acme", Prompt::Allowed).await, Err(Fault::Unanswered { .. })));
    until(|| locked(&mock.script).dismissed == 1).await;
    assert_eq!(store.state().await.unwrap(), StoreState::Locked, "the store can be used again");
}

#[tokio::test]
async fn a_prompt_is_closed_when_the_user_gives_up_and_others_do_not_wait_for_it() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::Never, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    let asking = tokio::spawn({
        let store = store.clone();
        async move { store.read("acme", Prompt::Allowed).await }
    });
    until(|| locked(&mock.script).shown == 1).await;
    assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Locked)));
    asking.abort();
    until(|| locked(&mock.script).dismissed == 1).await;
}

#[tokio::test]
async fn a_provider_that_ends_while_a_prompt_is_open_is_a_fault_at_once() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::ProviderEnds, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    store.state().await.unwrap();
    let fault = store.read("acme", Prompt::Allowed).await.unwrap_err();
    assert!(matches!(fault, Fault::Lost), "{fault:?}");
    assert_eq!(locked(&mock.script).shown, 1, "a fault is not a reason to ask again");
}

#[tokio::test]
async fn a_bus_that_ends_while_a_prompt_is_open_is_a_fault_at_once() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { is_locked: true, answer: Answer::Never, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    let asking = tokio::spawn({
        let store = store.clone();
        async move { store.read("acme", Prompt::Allowed).await.map(drop) }
    });
    until(|| locked(&mock.script).shown == 1).await;
    drop(bus);
    let fault = asking.await.unwrap().unwrap_err();
    assert!(matches!(fault, Fault::Lost), "{fault:?}");
    assert!(matches!(store.state().await, Err(Fault::NoBus)));
}

#[tokio::test]
async fn an_item_that_is_created_with_a_prompt_needs_leave_to_ask() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { asks_before_create: true, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    assert!(matches!(store.write("acme", "Acme", "value", Prompt::Never).await, Err(Fault::Locked)));
    until(|| locked(&mock.script).dismissed == 1).await;
    assert_eq!(locked(&mock.script).shown, 0);
    store.write("acme", "Acme", "value", Prompt::Allowed).await.unwrap();
    assert_eq!(locked(&mock.script).shown, 1);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_given_up_at_each_step() {
    for method in ["OpenSession", "ReadAlias", "Locked", "SearchItems", "GetSecret", "CreateItem"] {
        let bus = or_skip!(SessionBus::start());
        let mock = Mock::start(&bus, Script { items: [(1, stored("acme", b"value", 1))].into(), ..Script::default() }).await;
        locked(&mock.script).silent_at = Some(method);
        let store = bus.store(SHORT);
        let fault = match method {
            "CreateItem" => store.write("acme", "Acme", "x", Prompt::Never).await.unwrap_err(),
            _ => store.read("acme", Prompt::Never).await.unwrap_err(),
        };
        assert!(matches!(fault, Fault::TimedOut { .. }), "{method}: {fault:?}");
    }
}

#[tokio::test]
async fn a_provider_that_ends_in_the_middle_is_a_fault_and_is_found_again_once_it_runs() {
    for method in ["OpenSession", "ReadAlias", "Locked", "SearchItems", "GetSecret"] {
        let bus = or_skip!(SessionBus::start());
        let items = [(1, stored("acme", b"value", 1))].into();
        let mock = Mock::start(&bus, Script { ends_at: Some(method), items, ..Script::default() }).await;
        let store = bus.store(PATIENT);
        let fault = store.read("acme", Prompt::Never).await.unwrap_err();
        assert!(matches!(fault, Fault::Lost), "{method}: {fault:?}");
        mock.run(&bus).await;
        assert_eq!(read(&store, "acme").await.as_deref(), Some("value"), "{method}");
        // Between two calls, too, and the user sees nothing of it.
        mock.end().await;
        mock.run(&bus).await;
        assert_eq!(read(&store, "acme").await.as_deref(), Some("value"), "{method}");
    }
}

#[tokio::test]
async fn an_error_of_the_provider_is_named_and_its_text_is_not() {
    for method in ["OpenSession", "ReadAlias", "Locked", "SearchItems", "GetSecret"] {
        let bus = or_skip!(SessionBus::start());
        let items = [(1, stored("acme", b"value", 1))].into();
        let _mock = Mock::start(&bus, Script { fails_at: Some((method, "Failed")), items, ..Script::default() }).await;
        let error = Error::from(bus.store(PATIENT).read("acme", Prompt::Never).await.unwrap_err());
        let text = format!("{error} {error:?}");
        assert!(text.contains("(org.freedesktop.DBus.Error.Failed)") && !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn of_two_items_of_one_name_the_newest_counts_and_a_write_leaves_one() {
    let bus = or_skip!(SessionBus::start());
    let items = [(1, stored("acme", b"old", 10)), (2, stored("acme", b"new", 30)), (3, stored("acme", b"older", 20))].into();
    let mock = Mock::start(&bus, Script { never_replaces: true, items, ..Script::default() }).await;
    let store = bus.store(PATIENT);
    assert_eq!(read(&store, "acme").await.as_deref(), Some("new"));
    store.write("acme", "Acme", "written", Prompt::Never).await.unwrap();
    assert_eq!(mock.values(), ["written"]);
    // Also if the clock has gone back since.
    locked(&mock.script).items.values_mut().for_each(|item| item.modified = 2000);
    store.write("acme", "Acme", "again", Prompt::Never).await.unwrap();
    assert_eq!(mock.values(), ["again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_writers_at_once_leave_one_item_even_if_the_provider_replaces_none() {
    let bus = or_skip!(SessionBus::start());
    let mock = Mock::start(&bus, Script { never_replaces: true, ..Script::default() }).await;
    write_twenty_at_once(&bus).await;
    // The next writer is alone.
    bus.store(PATIENT).write("acme", "Acme", "last", Prompt::Never).await.unwrap();
    assert_eq!(mock.values(), ["last"]);
}

#[tokio::test]
async fn items_of_other_programs_and_sessions_are_neither_read_nor_changed() {
    for finds_too_much in [false, true] {
        let bus = or_skip!(SessionBus::start());
        let mut of_another_program = stored("acme", b"theirs", 99);
        of_another_program.attributes.insert("application".to_owned(), "Another".to_owned());
        let mut of_another_version = stored("acme", b"later", 99);
        of_another_version.attributes.insert("version".to_owned(), "2".to_owned());
        let items = [(1, of_another_program), (2, of_another_version), (3, stored("beta", b"beta", 99))].into();
        let mock = Mock::start(&bus, Script { finds_too_much, items, ..Script::default() }).await;
        let store = bus.store(PATIENT);
        assert_eq!(read(&store, "acme").await, None);
        assert!(!store.remove("acme", Prompt::Never).await.unwrap());
        store.set_aside("acme").await.unwrap();
        store.write("acme", "Acme", "mine", Prompt::Never).await.unwrap();
        assert_eq!(mock.values(), ["theirs", "later", "beta", "mine"]);
        assert!(store.remove("acme", Prompt::Never).await.unwrap());
        assert_eq!(mock.values(), ["theirs", "later", "beta"]);
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_set_aside_and_reported_once() {
    for value in [&b""[..], b"\xff\xfe\x00", "\u{fffd}abc".as_bytes(), b"two\nlines", b"nul\0", &vec![b'x'; 200_000]] {
        let bus = or_skip!(SessionBus::start());
        let mock = Mock::start(&bus, Script { items: [(1, stored("acme", value, 1))].into(), ..Script::default() }).await;
        let store = bus.store(PATIENT);
        assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Unreadable)));
        assert_eq!(read(&store, "acme").await, None);
        assert_eq!(locked(&mock.script).items.len(), 1, "it is still there for somebody who knows what it is");
        store.write("acme", "Acme", "value", Prompt::Never).await.unwrap();
        assert_eq!(read(&store, "acme").await.as_deref(), Some("value"));
    }
}

#[tokio::test]
async fn what_cannot_be_set_aside_is_removed() {
    let bus = or_skip!(SessionBus::start());
    let script = Script { fails_at: Some(("Attributes", "Failed")), items: [(1, stored("acme", b"\xff", 1))].into(), ..Script::default() };
    let mock = Mock::start(&bus, script).await;
    let store = bus.store(PATIENT);
    assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Unreadable)));
    assert_eq!(read(&store, "acme").await, None);
    assert!(mock.values().is_empty());
}

#[tokio::test]
async fn a_provider_that_changes_the_value_does_not_keep_it() {
    let changes: [fn(Vec<u8>) -> Vec<u8>; 3] =
        [|value| value[..value.len() / 2].to_vec(), |value| String::from_utf8_lossy(&value).to_uppercase().into_bytes(), |_| Vec::new()];
    for change in changes {
        let bus = or_skip!(SessionBus::start());
        let _mock = Mock::start(&bus, Script { changes_value: Some(change), ..Script::default() }).await;
        assert!(matches!(bus.store(PATIENT).write("acme", "Acme", "value", Prompt::Never).await, Err(Fault::NotKept)));
    }
}

#[tokio::test]
async fn only_one_line_of_ascii_is_written() {
    let store = store_at(Path::new("/nowhere"), PATIENT);
    for value in ["", "zürich", "two\nlines", "nul\0", &"x".repeat(200_000)] {
        assert!(matches!(store.write("acme", "Acme", value, Prompt::Never).await, Err(Fault::Failed { .. })));
    }
}

/// A socket that reads what comes and answers with these bytes.
fn fake_bus(folder: &Path, answers: Vec<&'static [u8]>) -> SecretStore {
    let path = folder.join(format!("bus{}", answers.len()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 1024];
            for answer in &answers {
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer).await;
            }
            // Without a last answer, the connection stays open.
            if answers.last().is_some_and(|last| last.is_empty()) {
                std::future::pending::<()>().await;
            }
        }
    });
    store_at(&path, SHORT)
}

#[tokio::test]
async fn a_bus_of_another_user_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let fault = fake_bus(folder.path(), vec![b"REJECTED EXTERNAL\r\n"]).state().await.unwrap_err();
    assert!(matches!(fault, Fault::Refused), "{fault:?}");
}

#[tokio::test]
async fn a_socket_that_is_no_bus_is_given_up() {
    const OK: &[u8] = b"OK 0123456789abcdef\r\n";
    let folder = tempfile::tempdir().unwrap();
    let fault = fake_bus(folder.path(), vec![b""]).state().await.unwrap_err();
    assert!(matches!(fault, Fault::TimedOut { .. }), "{fault:?}");
    let garbage: [&[u8]; 6] = [
        b"nonsense nonsense nonsense",
        b"l\x02\x01\x01\xff\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff",
        b"l\x02\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\x04",
        b"l\x02\x01\x07\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"x\x02\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"l\x02\x01\x01\0\0\0\0\x01\0\0\0\x08\0\0\0\x08\x01g\0\xff\xff\xff\xff",
    ];
    for bytes in garbage {
        let fault = fake_bus(folder.path(), vec![OK, bytes]).state().await.unwrap_err();
        assert!(matches!(fault, Fault::NoBus), "{bytes:?}: {fault:?}");
    }
    let endless: &'static [u8] = Box::leak(vec![b'A'; 100_000].into_boxed_slice());
    let fault = fake_bus(folder.path(), vec![endless]).state().await.unwrap_err();
    assert!(matches!(fault, Fault::NoBus | Fault::Refused), "{fault:?}");
}

#[test]
fn the_futures_of_the_store_can_be_spawned() {
    fn spawned(_: &(impl Future + Send)) {}
    let store = store_at(Path::new("/nowhere"), PATIENT);
    spawned(&store.state());
    spawned(&store.read("acme", Prompt::Allowed));
    spawned(&store.write("acme", "Acme", "value", Prompt::Allowed));
    spawned(&store.remove("acme", Prompt::Allowed));
    spawned(&store.set_aside("acme"));
}

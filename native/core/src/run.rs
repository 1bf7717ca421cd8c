//! One run of one operation: the caller pulls its events and may cancel it from any thread.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error};
use crate::protocol::{Event, Failed, Level, Note};

/// The work that is left when all that needs no network is done.
pub(crate) type NetworkWork = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The part of an operation that runs on the caller's thread; it gives back what needs the network, if anything does.
pub(crate) type LocalWork = Box<dyn FnOnce(&Outlet) -> Option<NetworkWork> + Send>;

/// Where an operation puts its events, and where it sees that it was cancelled.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    cancel: CancellationToken,
    verbose: bool,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    local_work: Option<LocalWork>,
    /// Whether somebody has taken the work and has not finished it.
    running: bool,
}

impl Outlet {
    pub(crate) fn send(&self, event: Event) {
        self.0.lock().events.push_back(event);
        self.0.arrived.notify_all();
    }

    /// Whether anybody reads what is said by [`Self::verbose`]; a text that takes work need not be made where not.
    pub(crate) fn is_verbose(&self) -> bool {
        self.0.verbose
    }

    pub(crate) fn verbose(&self, text: impl AsRef<str>) {
        if self.is_verbose() {
            self.note(Level::Verbose, text.as_ref());
        }
    }

    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.note(Level::Warning, text.as_ref());
    }

    fn note(&self, level: Level, text: &str) {
        self.send(Event::Note(Note { level, text: crate::error::without_controls(text) }));
    }

    pub(crate) fn fail(&self, error: &Error, terminating: bool) {
        self.send(Event::Failed(Failed::new(error, terminating)));
    }

    pub(crate) fn cancel_token(&self) -> &CancellationToken {
        &self.0.cancel
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self) {
        self.lock().running = false;
        self.arrived.notify_all();
    }
}

/// A run that was started; dropping it cancels it.
pub struct Run {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

impl Run {
    pub(crate) fn new(work: LocalWork, verbose: bool) -> Self {
        let queue = Queue { local_work: Some(work), ..Queue::default() };
        Self { shared: Arc::new(Shared { queue: Mutex::new(queue), arrived: Condvar::new(), cancel: CancellationToken::new(), verbose }) }
    }

    /// Waits for the next event; `None` is the end, and stays so.
    ///
    /// The first call does on the caller's thread what needs no network. Any number of threads may call, each event goes to one of them.
    #[must_use]
    pub fn next(&self) -> Option<Event> {
        let mut queue = self.shared.lock();
        loop {
            if let Some(event) = queue.events.pop_front() {
                return Some(event);
            }
            if let Some(work) = queue.local_work.take() {
                queue.running = true;
                drop(queue);
                self.begin(work);
                queue = self.shared.lock();
            } else if queue.running {
                queue = self.shared.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            } else {
                return None;
            }
        }
    }

    /// Asks the run to end soon; what was fetched is still written. Any thread may call, any number of times.
    pub fn cancel(&self) {
        self.shared.cancel.cancel();
    }

    fn begin(&self, work: LocalWork) {
        let outlet = Outlet(Arc::clone(&self.shared));
        match std::panic::catch_unwind(AssertUnwindSafe(|| work(&outlet))) {
            Ok(None) => self.shared.finish(),
            Ok(Some(network_work)) => match runtime() {
                Ok(runtime) => {
                    runtime.spawn(async move {
                        if AssertUnwindSafe(network_work).catch_unwind().await.is_err() {
                            outlet.fail(&panicked(), true);
                        }
                        outlet.0.finish();
                    });
                }
                Err(fault) => {
                    outlet.fail(&Error::new(Code::InternalError, format!("The threads for the network could not be started: {fault}.")), true);
                    self.shared.finish();
                }
            },
            Err(_) => {
                outlet.fail(&panicked(), true);
                self.shared.finish();
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The one runtime of the process: made at the first network call and never dropped, since a drop may block or panic inside a host.
///
/// # Errors
/// Why there is none, as a sentence's part: its threads could not be started, or they are those of the process that this one was forked from.
fn runtime() -> Result<&'static Runtime, String> {
    static RUNTIME: LazyLock<(u32, std::io::Result<Runtime>)> = LazyLock::new(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("aws-sso").enable_all().build();
        (std::process::id(), runtime)
    });
    let (process, runtime) = &*RUNTIME;
    if *process != std::process::id() {
        return Err("this process was forked from one that had used the network".to_owned());
    }
    runtime.as_ref().map_err(std::string::ToString::to_string)
}

thread_local! {
    static LAST_PANIC: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// Makes panics of this library silent and remembers the last one of each thread, for [`panicked`] to tell.
pub fn keep_panics_quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("a panic without text");
            let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
            LAST_PANIC.with(|last| last.replace(Some(format!("{message}, at {place}"))));
        }));
    });
}

/// The error for a panic that this thread has just caught.
#[must_use]
pub fn panicked() -> Error {
    let what = LAST_PANIC.with(std::cell::RefCell::take).unwrap_or_else(|| "an unknown fault".to_owned());
    Error::new(Code::InternalError, format!("This module has a fault: {what}.")).with_action("Please report it with this message.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(work: impl FnOnce(&Outlet) -> Option<NetworkWork> + Send + 'static) -> Run {
        Run::new(Box::new(work), true)
    }

    fn texts(run: &Run) -> Vec<String> {
        std::iter::from_fn(|| run.next())
            .map(|event| match event {
                Event::Note(note) => note.text,
                Event::Failed(failed) => format!("{:?}", failed.code),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn events_come_in_order_and_the_end_stays_the_end() {
        let run = started(|outlet| {
            outlet.verbose("one");
            let outlet = outlet.clone();
            Some(Box::pin(async move {
                tokio::task::yield_now().await;
                outlet.verbose("two");
            }))
        });
        assert_eq!(texts(&run), ["one", "two"]);
        assert!(run.next().is_none());
    }

    #[test]
    fn a_panic_on_either_thread_is_an_event_and_then_the_end() {
        for on_network in [false, true] {
            let run = started(move |_| {
                assert!(on_network, "on the caller's thread");
                Some(Box::pin(async { panic!("on a worker") }))
            });
            assert_eq!(texts(&run), ["InternalError"]);
        }
    }

    #[test]
    fn work_without_network_runs_on_the_thread_that_pulls() {
        let run = started(|outlet| {
            outlet.verbose(format!("{:?}", std::thread::current().id()));
            None
        });
        assert_eq!(texts(&run), [format!("{:?}", std::thread::current().id())]);
    }

    #[test]
    fn cancelling_from_another_thread_ends_a_wait() {
        let run = Arc::new(started(|outlet| {
            let cancel = outlet.cancel_token().clone();
            Some(Box::pin(async move { cancel.cancelled().await }))
        }));
        let other = Arc::clone(&run);
        let canceller = std::thread::spawn(move || other.cancel());
        assert!(run.next().is_none());
        assert!(canceller.join().is_ok());
    }

    #[test]
    fn notes_that_nobody_reads_are_not_made_and_warnings_are() {
        let work = |outlet: &Outlet| {
            outlet.verbose("a note");
            outlet.warn("a warning");
            None
        };
        assert_eq!(texts(&Run::new(Box::new(work), false)), ["a warning"]);
        assert_eq!(texts(&started(work)), ["a note", "a warning"]);
    }
}

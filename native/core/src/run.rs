//! One run of one operation; the caller pulls its events, and may cancel it from any thread.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, PoisonError};

use futures_util::FutureExt as _;
use tokio::runtime::Runtime;

use crate::context::Context;
use crate::error::{Code, Error};
use crate::operations::begin;
use crate::outlet::{Channel, LocalWork, Outlet, Warned};
use crate::patience::WaitLimit;
use crate::protocol::{Event, Operation};
use crate::session::memory::Memory;
use crate::world::World;

/// Starts an operation with the memory of this process; nothing happens before the first event is pulled.
#[must_use]
pub fn run(operation: Operation, world: World) -> Run {
    run_with(operation, world, Memory::of_this_process())
}

/// Starts an operation with the caller's own memory, as if in another process.
#[must_use]
pub fn run_with(operation: Operation, world: World, memory: Arc<Memory>) -> Run {
    let (verbose, warned) = (world.verbose, Arc::clone(&memory.warned));
    let work = Box::new(move |outlet: &Outlet| {
        let wait_limit = WaitLimit::new(operation.time_limit(), outlet.cancel_token().clone());
        let context = Context { world: Arc::new(World { wait_limit, ..world }), memory, outlet: outlet.clone() };
        begin(operation, &context).unwrap_or_else(|error| {
            outlet.fail(&error, true);
            None
        })
    });
    Run::new(work, verbose, warned)
}

/// A started run; dropping it cancels it.
pub struct Run {
    channel: Arc<Channel>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

impl Run {
    pub(crate) fn new(work: LocalWork, verbose: bool, warned: Arc<Warned>) -> Self {
        Self { channel: Arc::new(Channel::new(work, verbose, warned)) }
    }

    /// Waits for the next event; returns `None` at the end and in every later call.
    ///
    /// The first call does the work that needs no network, on the caller's thread. Any number of threads may call; each event goes to one of them.
    #[must_use]
    pub fn next(&self) -> Option<Event> {
        let mut queue = self.channel.queue();
        loop {
            if let Some(event) = queue.events.pop_front() {
                return Some(event);
            }
            if let Some(work) = queue.local_work.take() {
                queue.running = true;
                drop(queue);
                self.start(work);
                queue = self.channel.queue();
            } else if queue.running {
                queue = self.channel.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            } else {
                return None;
            }
        }
    }

    /// Asks the run to end soon; it still writes what was fetched. Any thread may call this, any number of times.
    pub fn cancel(&self) {
        self.channel.cancel.cancel();
    }

    fn start(&self, work: LocalWork) {
        let outlet = Outlet(Arc::clone(&self.channel));
        match std::panic::catch_unwind(AssertUnwindSafe(|| work(&outlet))) {
            Ok(None) => finish(&self.channel),
            Ok(Some(network_work)) => match runtime() {
                Ok(runtime) => {
                    runtime.spawn(async move {
                        if AssertUnwindSafe(network_work).catch_unwind().await.is_err() {
                            outlet.fail(&panicked(), true);
                        }
                        finish(&outlet.0);
                    });
                }
                Err(fault) => {
                    outlet.fail(&Error::new(Code::InternalError, format!("The network threads could not be started: {fault}.")), true);
                    finish(&self.channel);
                }
            },
            Err(_) => {
                outlet.fail(&panicked(), true);
                finish(&self.channel);
            }
        }
    }
}

fn finish(channel: &Channel) {
    channel.queue().running = false;
    channel.arrived.notify_all();
}

impl Drop for Run {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The process's only runtime, created at the first network call and never dropped, because dropping it may block or panic inside a host.
///
/// # Errors
/// Why there is no runtime, as part of a sentence: its threads could not be started, or they belong to the process that this one was forked from.
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

/// Silences the panics of this library and remembers the last one of each thread for [`panicked`].
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

/// Returns the error for a panic that this thread has just caught.
#[must_use]
pub fn panicked() -> Error {
    let what = LAST_PANIC.with(std::cell::RefCell::take).unwrap_or_else(|| "an unknown fault".to_owned());
    Error::new(Code::InternalError, format!("The module failed unexpectedly: {what}.")).with_action("Report this message as a bug.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlet::NetworkWork;

    fn started(work: impl FnOnce(&Outlet) -> Option<NetworkWork> + Send + 'static) -> Run {
        Run::new(Box::new(work), true, Arc::default())
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
    fn events_come_in_order_and_nothing_follows_the_end() {
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
    fn a_panic_on_either_thread_is_reported_and_ends_the_run() {
        for on_network in [false, true] {
            let run = started(move |_| {
                assert!(on_network, "on the caller's thread");
                Some(Box::pin(async { panic!("on a worker") }))
            });
            assert_eq!(texts(&run), ["InternalError"]);
        }
    }

    #[test]
    fn work_without_network_runs_on_the_thread_that_pulls_events() {
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
    fn notes_are_sent_only_if_verbose_and_warnings_always() {
        let work = |outlet: &Outlet| {
            outlet.verbose("a note");
            outlet.warn("a warning");
            None
        };
        assert_eq!(texts(&Run::new(Box::new(work), false, Arc::default())), ["a warning"]);
        assert_eq!(texts(&started(work)), ["a note", "a warning"]);
    }
}

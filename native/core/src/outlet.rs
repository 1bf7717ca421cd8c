//! Where an operation sends its events, and where it sees that it was canceled.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::mutex::locked;
use crate::protocol::{Event, Failed, Level, Note};
use crate::text::without_controls;

/// The work that remains after everything that needs no network.
pub(crate) type NetworkWork = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The part of an operation that runs on the caller's thread; it returns the part that needs the network, if there is one.
pub(crate) type LocalWork = Box<dyn FnOnce(&Outlet) -> Option<NetworkWork> + Send>;

/// The way from an operation to its caller.
#[derive(Clone)]
pub(crate) struct Outlet(pub(crate) Arc<Channel>);

/// What a run and its operation share.
pub(crate) struct Channel {
    queue: Mutex<Queue>,
    pub(crate) arrived: Condvar,
    pub(crate) cancel: CancellationToken,
    audience: Audience,
    warned: Arc<Warned>,
}

/// Who takes the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// A caller who reads the notes for `-Verbose`.
    Verbose,
    /// A caller.
    Usual,
    /// Nobody: the work goes on after the run that started it.
    Nobody,
}

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) events: VecDeque<Event>,
    pub(crate) local_work: Option<LocalWork>,
    /// Whether the work was taken and is not finished.
    pub(crate) running: bool,
}

/// The topic of a warning that is given once for each name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// A profile, or a sentence about the AWS config file.
    ConfigFile,
    /// A folder that every user can write to.
    OpenFolder,
    /// A profile whose name some AWS tools misread.
    MisreadName,
    /// A profile in the AWS config file whose name not every AWS tool finds.
    ExportedName,
    /// A profile whose keys never last as long as required.
    ShortKeys,
    /// A region or an output format of a profile.
    OtherSetting,
    /// A region of an environment given for one run.
    Region,
    /// A variable with an unusable proxy.
    Proxy,
    /// The machine's clock.
    Clock,
}

/// The warnings that this process has already given.
#[derive(Debug, Default)]
pub(crate) struct Warned(Mutex<HashSet<(Topic, String)>>);

impl Channel {
    pub(crate) fn new(work: LocalWork, verbose: bool, warned: Arc<Warned>) -> Self {
        let queue = Queue { local_work: Some(work), ..Queue::default() };
        Self::of(queue, if verbose { Audience::Verbose } else { Audience::Usual }, warned)
    }

    fn of(queue: Queue, audience: Audience, warned: Arc<Warned>) -> Self {
        Self { queue: Mutex::new(queue), arrived: Condvar::new(), cancel: CancellationToken::new(), audience, warned }
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        locked(&self.queue)
    }
}

impl Outlet {
    /// An outlet for work that goes on after its run: what it sends is dropped, and no warning counts as given.
    pub(crate) fn unheard() -> Self {
        Self(Arc::new(Channel::of(Queue::default(), Audience::Nobody, Arc::default())))
    }

    /// An outlet for work of this process itself, which looks at the events later with [`Self::heard`]. No warning counts as given.
    pub(crate) fn overheard() -> Self {
        Self(Arc::new(Channel::of(Queue::default(), Audience::Usual, Arc::default())))
    }

    /// Takes the events that were sent until now.
    pub(crate) fn heard(&self) -> VecDeque<Event> {
        std::mem::take(&mut self.0.queue().events)
    }

    pub(crate) fn send(&self, event: Event) {
        if self.0.audience == Audience::Nobody {
            return;
        }
        self.0.queue().events.push_back(event);
        self.0.arrived.notify_all();
    }

    /// Whether anybody reads the notes of [`Self::verbose`]; if not, an expensive text need not be built.
    pub(crate) fn is_verbose(&self) -> bool {
        self.0.audience == Audience::Verbose
    }

    pub(crate) fn verbose(&self, text: impl AsRef<str>) {
        if self.is_verbose() {
            self.note(Level::Verbose, text.as_ref());
        }
    }

    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.note(Level::Warning, text.as_ref());
    }

    pub(crate) fn warn_all(&self, texts: impl IntoIterator<Item = String>) {
        texts.into_iter().for_each(|text| self.warn(text));
    }

    /// Reports the result of a run to every user, as its closing line does.
    pub(crate) fn inform(&self, text: impl AsRef<str>) {
        self.note(Level::Information, text.as_ref());
    }

    /// Whether this process warns about `name` for the first time; records that it has.
    pub(crate) fn is_first_warning(&self, topic: Topic, name: &str) -> bool {
        locked(&self.0.warned.0).insert((topic, name.to_owned()))
    }

    fn note(&self, level: Level, text: &str) {
        self.send(Event::Note(Note { level, text: without_controls(text) }));
    }

    pub(crate) fn fail(&self, error: &Error, terminating: bool) {
        self.send(Event::Failed(Failed::new(error, terminating)));
    }

    pub(crate) fn cancel_token(&self) -> &CancellationToken {
        &self.0.cancel
    }
}

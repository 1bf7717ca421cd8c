//! The program that provides the Secret Service: a session with it, calls with a time limit, and its prompts.

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};
use zvariant::{OwnedObjectPath, OwnedValue, Type, Value};

use super::address::Socket;
use super::bus::{BUS, Bus, CallFault, Message, Method, Values};
use super::transport::{ENCRYPTED, KeyExchange, PLAIN, Transport};
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::{Limits, Prompt};

/// The name that a provider has on the bus.
const NAME: &str = "org.freedesktop.secrets";

/// Where the service itself is.
pub(super) const SERVICE: &str = "/org/freedesktop/secrets";

const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const PROMPT_INTERFACE: &str = "org.freedesktop.Secret.Prompt";

/// The path that stands for none.
pub(super) const NO_PATH: &str = "/";

/// The errors of the bus for a name that nobody has, and for a program that cannot be started.
const NOBODY: [&str; 3] = ["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.Spawn."];

/// The errors for a provider that ended, or that began again and does not know the session.
const GONE: [&str; 3] = ["org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected", "org.freedesktop.Secret.Error.NoSession"];

/// A session with the provider.
pub(super) struct Provider {
    /// `None` after a prompt was given up: its answer may still come.
    bus: Option<Bus>,
    /// The provider's own name on the bus. Calls to it never reach a program that took its place.
    name: String,
    pub(super) session: OwnedObjectPath,
    pub(super) transport: Transport,
    limits: Limits,
    /// Whether the user has been asked in this session's current work.
    pub(super) has_asked: bool,
}

impl Provider {
    /// Connects to the first bus that can be reached, and opens a session with its provider, which the bus starts if it must.
    pub(super) async fn connect(sockets: &[Socket], limits: Limits) -> Result<Self, Fault> {
        let mut bus = connect(sockets, limits).await?;
        let exchange = KeyExchange::new().ok_or(Fault::Failed { step: "no random numbers", error: None })?;
        let asked = open_session(&mut bus, limits, ENCRYPTED, exchange.public().into()).await;
        let (answer, is_encrypted) = match asked {
            // It does not know this transport.
            Err(Fault::Failed { .. }) => (open_session(&mut bus, limits, PLAIN, "".into()).await?, false),
            asked => (asked?, true),
        };
        let (output, session): (OwnedValue, OwnedObjectPath) = answer.values().map_err(|fault| fault_of("OpenSession", fault))?;
        let transport = if is_encrypted {
            let number = Vec::<u8>::try_from(output).ok().and_then(|number| exchange.transport(&number));
            number.ok_or(Fault::Failed { step: "OpenSession", error: None })?
        } else {
            Transport::Plain
        };
        Ok(Self { bus: Some(bus), name: answer.sender.clone(), session, transport, limits, has_asked: false })
    }

    /// Whether another call can be made.
    pub(super) fn is_usable(&self) -> bool {
        self.bus.is_some()
    }

    /// Whether work failed only because this session had ended. Work that has asked the user is not done again.
    pub(super) fn is_over<T>(&self, outcome: &Result<T, Fault>) -> bool {
        matches!(outcome, Err(Fault::Lost)) && !self.has_asked
    }

    /// Calls a method of an object of the provider. Nobody is asked in it.
    pub(super) async fn call<T: Serialize + Type>(&mut self, path: &str, interface: &str, member: &'static str, values: &T) -> Result<Message, Fault> {
        let Self { bus: Some(bus), name, limits, .. } = self else { return Err(Fault::Lost) };
        call(bus, *limits, &Method { destination: name, path, interface, member }, Values::of(values)).await
    }

    /// Reads a property of an object.
    pub(super) async fn property(&mut self, path: &str, interface: &str, name: &'static str) -> Result<OwnedValue, Fault> {
        let answer = self.call(path, "org.freedesktop.DBus.Properties", "Get", &(interface, name)).await?;
        answer.values().map_err(|fault| fault_of(name, fault))
    }

    /// Whether a collection or an item is locked.
    pub(super) async fn is_locked(&mut self, path: &OwnedObjectPath, interface: &'static str) -> Result<bool, Fault> {
        let value = self.property(path, interface, "Locked").await?;
        bool::try_from(value).map_err(|_| fault_of("Locked", CallFault::OtherTypes))
    }

    /// Unlocks a collection or an item, which may ask the user.
    pub(super) async fn unlock(&mut self, path: &OwnedObjectPath, prompt: Prompt) -> Result<(), Fault> {
        if prompt == Prompt::Never {
            return Err(Fault::Locked);
        }
        let answer = self.call(SERVICE, SERVICE_INTERFACE, "Unlock", &[path].as_slice()).await?;
        let (unlocked, question): (Vec<OwnedObjectPath>, OwnedObjectPath) = answer.values().map_err(|fault| fault_of("Unlock", fault))?;
        if question.as_str() != NO_PATH {
            return self.ask(&question, prompt).await.map(drop);
        }
        if unlocked.contains(path) { Ok(()) } else { Err(Fault::Locked) }
    }

    /// The path of the default collection.
    pub(super) async fn default_collection(&mut self) -> Result<OwnedObjectPath, Fault> {
        let answer = self.call(SERVICE, SERVICE_INTERFACE, "ReadAlias", &"default").await?;
        let path: OwnedObjectPath = answer.values().map_err(|fault| fault_of("ReadAlias", fault))?;
        if path.as_str() == NO_PATH { Err(Fault::NoCollection) } else { Ok(path) }
    }

    /// Shows a prompt, waits for the answer, and returns it. If this is dropped or ends in another way, the prompt is closed.
    pub(super) async fn ask(&mut self, question: &OwnedObjectPath, prompt: Prompt) -> Result<OwnedValue, Fault> {
        let asked = self.limits.asked;
        let mut open = OpenPrompt { provider: self, path: Some(question.clone()) };
        if prompt == Prompt::Never {
            return Err(Fault::Locked);
        }
        open.provider.has_asked = true;
        open.provider.listen(question).await?;
        let shown = open.provider.call(question, PROMPT_INTERFACE, "Prompt", &"").await;
        shown?;
        let end = Instant::now() + asked;
        let answered = timeout_at(end, open.provider.answer_to(question)).await;
        let answered = answered.map_err(|_| Fault::Unanswered { seconds: asked.as_secs() })?;
        // A prompt that was answered, or whose bus is gone, cannot be closed.
        open.path = None;
        let (is_dismissed, result): (bool, OwnedValue) = answered?.values().map_err(|fault| fault_of("Prompt", fault))?;
        if is_dismissed { Err(Fault::Dismissed) } else { Ok(result) }
    }

    /// Has the bus send the answer to a prompt, and word of the provider's end.
    async fn listen(&mut self, question: &OwnedObjectPath) -> Result<(), Fault> {
        let Self { bus: Some(bus), name, limits, .. } = self else { return Err(Fault::Lost) };
        let rules = [
            format!("type='signal',sender='{name}',interface='{PROMPT_INTERFACE}',member='Completed',path='{question}'"),
            format!("type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{name}'"),
        ];
        for rule in rules {
            let method = Method { destination: BUS, path: "/org/freedesktop/DBus", interface: BUS, member: "AddMatch" };
            call(bus, *limits, &method, Values::of(&rule.as_str())).await?;
        }
        Ok(())
    }

    /// Waits for the answer to a prompt.
    async fn answer_to(&mut self, question: &OwnedObjectPath) -> Result<Message, Fault> {
        let Self { bus: Some(bus), name, .. } = self else { return Err(Fault::Lost) };
        loop {
            let signal = bus.signal().await.map_err(|fault| fault_of("Prompt", fault))?;
            if signal.sender == *name && signal.member == "Completed" && signal.interface == PROMPT_INTERFACE && signal.path == question.as_str() {
                return Ok(signal);
            }
            if signal.sender == BUS && signal.member == "NameOwnerChanged" {
                let (changed, _, owner): (String, String, String) = signal.values().map_err(|fault| fault_of("Prompt", fault))?;
                if changed == *name && owner.is_empty() {
                    return Err(Fault::Lost);
                }
            }
        }
    }
}

/// A prompt that may be open; closed on drop.
struct OpenPrompt<'a> {
    provider: &'a mut Provider,
    path: Option<OwnedObjectPath>,
}

impl Drop for OpenPrompt<'_> {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        let (Some(mut bus), Ok(runtime)) = (self.provider.bus.take(), Handle::try_current()) else { return };
        let (name, limits) = (self.provider.name.clone(), self.provider.limits);
        // If it cannot be closed, the end of the connection closes it.
        runtime.spawn(async move {
            let _ = call(&mut bus, limits, &Method { destination: &name, path: &path, interface: PROMPT_INTERFACE, member: "Dismiss" }, Values::of(&())).await;
        });
    }
}

async fn connect(sockets: &[Socket], limits: Limits) -> Result<Bus, Fault> {
    let mut first = None;
    for socket in sockets {
        let fault = match timeout(limits.quiet, Bus::connect(socket)).await {
            Ok(Ok(bus)) => return Ok(bus),
            Ok(Err(CallFault::Refused)) => Fault::Refused,
            Ok(Err(_)) => Fault::NoBus,
            Err(_) => timed_out(limits),
        };
        first.get_or_insert(fault);
    }
    Err(first.unwrap_or(Fault::NoBus))
}

async fn open_session(bus: &mut Bus, limits: Limits, transport: &str, input: Value<'_>) -> Result<Message, Fault> {
    let method = Method { destination: NAME, path: SERVICE, interface: SERVICE_INTERFACE, member: "OpenSession" };
    call(bus, limits, &method, Values::of(&(transport, input))).await
}

async fn call(bus: &mut Bus, limits: Limits, method: &Method<'_>, values: Result<Values, CallFault>) -> Result<Message, Fault> {
    let values = values.map_err(|fault| fault_of(method.member, fault))?;
    let answer = timeout(limits.quiet, bus.call(method, values)).await.map_err(|_| timed_out(limits))?;
    let is_to_a_program_by_its_own_name = method.destination.starts_with(':');
    answer.map_err(|fault| match fault_of(method.member, fault) {
        Fault::NoProvider if is_to_a_program_by_its_own_name => Fault::Lost,
        fault => fault,
    })
}

fn timed_out(limits: Limits) -> Fault {
    Fault::TimedOut { seconds: limits.quiet.as_secs() }
}

/// What a call that failed means.
pub(super) fn fault_of(step: &'static str, fault: CallFault) -> Fault {
    match fault {
        CallFault::Lost | CallFault::Refused => Fault::Lost,
        CallFault::OtherTypes => Fault::Failed { step, error: Some("an unexpected type".to_owned()) },
        CallFault::Error(name) if NOBODY.iter().any(|start| name.starts_with(start)) => Fault::NoProvider,
        CallFault::Error(name) if GONE.contains(&name.as_str()) => Fault::Lost,
        CallFault::Error(name) if name == "org.freedesktop.Secret.Error.IsLocked" => Fault::Locked,
        CallFault::Error(name) => Fault::Failed { step, error: Some(name).filter(|name| is_name(name)) },
    }
}

/// Whether a text has the form of an error's name, and so no value of a user.
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

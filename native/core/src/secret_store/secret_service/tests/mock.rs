//! A Secret Service that a test scripts. Another implementation of D-Bus serves it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, ObjectServer, fdo, interface};

use super::session_bus::SessionBus;
use crate::mutex::locked;

const COLLECTION: &str = "/org/freedesktop/secrets/collection/main";
const QUESTION: &str = "/org/freedesktop/secrets/prompt/p1";

/// What becomes of a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Answer {
    #[default]
    Yes,
    /// The prompt is answered, and nothing is unlocked.
    YesToNothing,
    Dismissed,
    Never,
    /// The provider ends while the prompt is open.
    ProviderEnds,
}

/// What a provider has and does.
#[derive(Default)]
pub(super) struct Script {
    pub(super) has_no_default: bool,
    pub(super) is_locked: bool,
    pub(super) answer: Answer,
    /// Whether it asks about each item, as `KeePassXC` can.
    pub(super) asks_for_items: bool,
    /// Whether it asks before it creates an item.
    pub(super) asks_before_create: bool,
    /// Whether it ignores that an item is to be replaced.
    pub(super) never_replaces: bool,
    /// Whether it finds items by any of the attributes.
    pub(super) finds_too_much: bool,
    /// What it makes of a value that it gets.
    pub(super) changes_value: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// The method that it never answers.
    pub(super) silent_at: Option<&'static str>,
    /// The method in which it ends.
    pub(super) ends_at: Option<&'static str>,
    /// The method that it answers with this error.
    pub(super) fails_at: Option<(&'static str, &'static str)>,
    pub(super) items: BTreeMap<u32, Stored>,
    /// The number of the item that was created last.
    pub(super) last: u32,
    pub(super) shown: usize,
    pub(super) dismissed: usize,
    pub(super) calls: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) attributes: HashMap<String, String>,
    pub(super) label: String,
    pub(super) value: Vec<u8>,
    pub(super) modified: u64,
}

/// An item of this module as it is stored.
pub(super) fn stored(item: &str, value: &[u8], modified: u64) -> Stored {
    let attributes = [("application", "Set-AwsCliSsoCredentials"), ("sso_session", item), ("version", "1")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Stored { attributes, label: "An item".to_owned(), value: value.to_vec(), modified }
}

/// A provider on a bus.
#[derive(Clone)]
pub(super) struct Mock {
    pub(super) script: Arc<Mutex<Script>>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Mock {
    /// Starts a provider that does this.
    pub(super) async fn start(bus: &SessionBus, script: Script) -> Self {
        let mock = Self { script: Arc::new(Mutex::new(script)), connection: Arc::default() };
        mock.run(bus).await;
        mock
    }

    /// Starts it again with what it has.
    pub(super) async fn run(&self, bus: &SessionBus) {
        let address = format!("unix:path={}", bus.socket().display());
        let numbers: Vec<u32> = locked(&self.script).items.keys().copied().collect();
        let mut builder = zbus::connection::Builder::address(address.as_str())
            .unwrap()
            .serve_at("/org/freedesktop/secrets", Service(self.clone()))
            .unwrap()
            .serve_at(COLLECTION, Collection(self.clone()))
            .unwrap()
            .serve_at(QUESTION, Question(self.clone()))
            .unwrap();
        for number in numbers {
            builder = builder.serve_at(path_of(number), Item(self.clone(), number)).unwrap();
        }
        let connection = builder.name("org.freedesktop.secrets").unwrap().build().await.unwrap();
        *locked(&self.connection) = Some(connection);
    }

    /// Ends it as a crash does.
    pub(super) async fn end(&self) {
        let connection = locked(&self.connection).take();
        if let Some(connection) = connection {
            connection.close().await.unwrap();
        }
    }

    pub(super) fn values(&self) -> Vec<String> {
        locked(&self.script).items.values().map(|item| String::from_utf8_lossy(&item.value).into_owned()).collect()
    }

    /// How many prompts were shown, and closed from here.
    pub(super) fn prompts(&self) -> (usize, usize) {
        let script = locked(&self.script);
        (script.shown, script.dismissed)
    }

    async fn step(&self, method: &'static str) -> fdo::Result<()> {
        let (is_silent, ends, error) = {
            let mut script = locked(&self.script);
            script.calls.push(method);
            let error = script.fails_at.filter(|(at, _)| *at == method).map(|(_, error)| error);
            (script.silent_at == Some(method), script.ends_at.take_if(|at| *at == method).is_some(), error)
        };
        if ends {
            self.end().await;
        }
        if is_silent || ends {
            std::future::pending::<()>().await;
        }
        match error {
            None => Ok(()),
            Some("Failed") => Err(fdo::Error::Failed("the text of this error has the value s3cret".to_owned())),
            Some(_) => Err(fdo::Error::NotSupported("no".to_owned())),
        }
    }

    /// The path of a prompt, or that of none.
    fn question(&self, is_asked: bool) -> OwnedObjectPath {
        let _ = self;
        ObjectPath::from_static_str_unchecked(if is_asked { QUESTION } else { "/" }).into()
    }
}

fn path_of(number: u32) -> OwnedObjectPath {
    ObjectPath::try_from(format!("{COLLECTION}/{number}")).unwrap().into()
}

struct Service(Mock);

#[interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    async fn open_session(&self, algorithm: &str, input: Value<'_>) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        drop(input);
        self.0.step("OpenSession").await?;
        if algorithm != "plain" {
            return Err(fdo::Error::NotSupported("only plain".to_owned()));
        }
        Ok((Value::from("").try_into().unwrap(), ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/session/s1").into()))
    }

    async fn read_alias(&self, name: &str) -> fdo::Result<OwnedObjectPath> {
        self.0.step("ReadAlias").await?;
        assert_eq!(name, "default");
        let path = if locked(&self.0.script).has_no_default { "/" } else { COLLECTION };
        Ok(ObjectPath::from_static_str_unchecked(path).into())
    }

    async fn unlock(&self, objects: Vec<OwnedObjectPath>) -> fdo::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)> {
        self.0.step("Unlock").await?;
        assert_eq!(objects.len(), 1);
        Ok((Vec::new(), self.0.question(true)))
    }
}

struct Collection(Mock);

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    async fn search_items(&self, attributes: HashMap<String, String>) -> fdo::Result<Vec<OwnedObjectPath>> {
        self.0.step("SearchItems").await?;
        let script = locked(&self.0.script);
        let matches = |item: &Stored| {
            let mut same = attributes.iter().map(|(name, value)| item.attributes.get(name) == Some(value));
            if script.finds_too_much { same.any(|is_same| is_same) } else { same.all(|is_same| is_same) }
        };
        Ok(script.items.iter().filter(|(_, item)| matches(item)).map(|(number, _)| path_of(*number)).collect())
    }

    async fn create_item(
        &self,
        properties: HashMap<String, OwnedValue>,
        secret: (OwnedObjectPath, Vec<u8>, Vec<u8>, String),
        replace: bool,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        self.0.step("CreateItem").await?;
        let text = |name: &str| properties[&format!("org.freedesktop.Secret.Item.{name}")].try_clone().unwrap();
        let attributes = HashMap::<String, String>::try_from(text("Attributes")).unwrap();
        let (number, is_asked) = {
            let mut script = locked(&self.0.script);
            let same = script.items.iter().find(|(_, item)| replace && !script.never_replaces && item.attributes == attributes).map(|(number, _)| *number);
            let last = script.items.keys().max().copied().unwrap_or_default().max(script.last);
            let number = same.unwrap_or(last + 1);
            script.last = number.max(last);
            let value = script.changes_value.map_or(secret.2.clone(), |change| change(secret.2));
            let item = Stored { attributes, label: String::try_from(text("Label")).unwrap(), value, modified: 1000 };
            script.items.insert(number, item);
            (number, script.asks_before_create)
        };
        let _ = server.at(path_of(number), Item(self.0.clone(), number)).await;
        Ok(if is_asked { (ObjectPath::from_static_str_unchecked("/").into(), self.0.question(true)) } else { (path_of(number), self.0.question(false)) })
    }

    #[zbus(property)]
    async fn locked(&self) -> fdo::Result<bool> {
        self.0.step("Locked").await?;
        Ok(locked(&self.0.script).is_locked)
    }
}

/// An error by its whole name.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop")]
enum Fault {
    #[zbus(error)]
    Bus(zbus::Error),
    #[zbus(name = "Secret.Error.IsLocked")]
    IsLocked(String),
    #[zbus(name = "Secret.Error.NoSuchObject")]
    NoSuchObject(String),
    #[zbus(name = "DBus.Error.Failed")]
    Failed(String),
}

impl From<fdo::Error> for Fault {
    fn from(fault: fdo::Error) -> Self {
        match fault {
            fdo::Error::UnknownObject(text) => Self::NoSuchObject(text),
            fault => Self::Failed(fault.to_string()),
        }
    }
}

struct Item(Mock, u32);

impl Item {
    fn stored(&self) -> fdo::Result<Stored> {
        locked(&self.0.script).items.get(&self.1).cloned().ok_or_else(|| fdo::Error::UnknownObject("removed".to_owned()))
    }
}

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    async fn get_secret(&self, session: OwnedObjectPath) -> Result<((OwnedObjectPath, Vec<u8>, Vec<u8>, String),), Fault> {
        self.0.step("GetSecret").await?;
        if locked(&self.0.script).asks_for_items {
            return Err(Fault::IsLocked("ask".to_owned()));
        }
        Ok(((session, Vec::new(), self.stored()?.value, "text/plain".to_owned()),))
    }

    async fn delete(&self, #[zbus(object_server)] server: &ObjectServer) -> Result<OwnedObjectPath, Fault> {
        self.0.step("Delete").await?;
        locked(&self.0.script).items.remove(&self.1).ok_or_else(|| fdo::Error::UnknownObject("removed".to_owned()))?;
        let (server, path) = (server.clone(), path_of(self.1));
        tokio::spawn(async move { server.remove::<Self, _>(path).await });
        Ok(self.0.question(false))
    }

    #[zbus(property)]
    fn attributes(&self) -> fdo::Result<HashMap<String, String>> {
        Ok(self.stored()?.attributes)
    }

    #[zbus(property)]
    async fn set_attributes(&self, attributes: HashMap<String, String>) -> zbus::Result<()> {
        self.0.step("Attributes").await?;
        locked(&self.0.script).items.get_mut(&self.1).unwrap().attributes = attributes;
        Ok(())
    }

    #[zbus(property)]
    fn label(&self) -> fdo::Result<String> {
        Ok(self.stored()?.label)
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        locked(&self.0.script).is_locked
    }

    #[zbus(property)]
    fn modified(&self) -> fdo::Result<u64> {
        Ok(self.stored()?.modified)
    }
}

struct Question(Mock);

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Question {
    async fn prompt(&self, window: &str, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> fdo::Result<()> {
        self.0.step("Prompt").await?;
        assert_eq!(window, "");
        let (answer, is_create) = {
            let mut script = locked(&self.0.script);
            script.shown += 1;
            if script.answer == Answer::Yes {
                script.is_locked = false;
                script.asks_for_items = false;
            }
            (script.answer, script.asks_before_create)
        };
        let newest = locked(&self.0.script).items.keys().max().copied().map(path_of);
        let collection: OwnedObjectPath = ObjectPath::from_static_str_unchecked(COLLECTION).into();
        let result = if is_create { Value::from(newest.unwrap_or(collection)) } else { Value::from(vec![collection]) };
        match answer {
            Answer::Yes | Answer::YesToNothing => Self::completed(&emitter, false, result).await?,
            Answer::Dismissed => Self::completed(&emitter, true, Value::from("")).await?,
            Answer::Never => {}
            Answer::ProviderEnds => {
                let mock = self.0.clone();
                tokio::spawn(async move { mock.end().await });
            }
        }
        Ok(())
    }

    async fn dismiss(&self) -> fdo::Result<()> {
        self.0.step("Dismiss").await?;
        locked(&self.0.script).dismissed += 1;
        Ok(())
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}

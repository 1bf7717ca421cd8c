//! The items of this module in the default collection.

use std::collections::HashMap;

use zeroize::Zeroizing;
use zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::bus::{CallFault, Message};
use super::provider::{NO_PATH, Provider, fault_of};
use super::transport::Sent;
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::{APPLICATION, NewItem, Prompt, StoreState, value_of};

const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";
const PROPERTIES_INTERFACE: &str = "org.freedesktop.DBus.Properties";

/// The version of what an item has.
const VERSION: &str = "1";

/// The version of an item that was set aside.
const SET_ASIDE: &str = "unreadable";

/// How many items of one name are looked at.
const MOST_ITEMS: usize = 64;

/// How often an item is written if it is gone before it can be read back: another program that writes it may have taken it for an old one.
const WRITES: usize = 5;

/// The errors for an item that another program removed in the meantime.
const REMOVED: [&str; 4] = [
    "org.freedesktop.Secret.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownMethod",
    "org.freedesktop.DBus.Error.UnknownInterface",
];

/// A secret as the interface has it: session, parameters, value, and type of content.
type Secret<'a> = (ObjectPath<'a>, &'a [u8], &'a [u8], &'a str);

/// An item by its path, and when it was changed last.
struct Found {
    path: OwnedObjectPath,
    modified: u64,
    is_locked: bool,
}

/// The attributes by which an item is found. They are stored in clear.
fn attributes<'a>(item: &'a str, version: &'a str) -> HashMap<&'static str, &'a str> {
    HashMap::from([("application", APPLICATION), ("sso_session", item), ("version", version)])
}

impl Provider {
    /// Whether the default collection is there, and locked.
    pub(super) async fn state(&mut self) -> Result<StoreState, Fault> {
        let collection = self.default_collection().await?;
        let is_locked = self.is_locked(&collection, COLLECTION_INTERFACE).await?;
        Ok(if is_locked { StoreState::Locked } else { StoreState::Unlocked })
    }

    /// The value of an item.
    pub(super) async fn read(&mut self, item: &str, prompt: Prompt) -> Result<Option<Zeroizing<String>>, Fault> {
        let collection = self.unlocked_collection(prompt).await?;
        let Some(newest) = self.find(&collection, item, VERSION).await?.into_iter().next() else { return Ok(None) };
        let Some(bytes) = self.value_of(&newest, prompt).await? else { return Ok(None) };
        if let Some(text) = value_of(&bytes) {
            return Ok(Some(text));
        }
        self.put_aside(&collection, item).await?;
        Err(Fault::Unreadable)
    }

    /// Writes an item in place of all of its name, and reads it back.
    pub(super) async fn write(&mut self, new: &NewItem<'_>, prompt: Prompt) -> Result<(), Fault> {
        let collection = self.unlocked_collection(prompt).await?;
        for _ in 0..WRITES {
            let before = self.find(&collection, new.item, VERSION).await?;
            let created = self.create(&collection, new, prompt).await?;
            let mut found = self.find(&collection, new.item, VERSION).await?;
            // A provider may not have replaced the items before. Of those that other programs wrote at the same time, all of them keep the same one.
            let is_old = |item: &Found| item.path != created && before.iter().any(|old| old.path == item.path);
            found.sort_by_key(is_old);
            let mut found = found.into_iter();
            let Some(newest) = found.next() else { continue };
            for other in found {
                self.delete(&other, prompt).await?;
            }
            if let Some(kept) = self.value_of(&newest, prompt).await? {
                return if kept.as_slice() == new.value.as_bytes() { Ok(()) } else { Err(Fault::NotKept) };
            }
        }
        Err(Fault::NotKept)
    }

    /// Removes all items of a name.
    pub(super) async fn remove(&mut self, item: &str, prompt: Prompt) -> Result<bool, Fault> {
        let collection = self.unlocked_collection(prompt).await?;
        let mut has_removed = false;
        for found in self.find(&collection, item, VERSION).await? {
            has_removed |= self.delete(&found, prompt).await?;
        }
        Ok(has_removed)
    }

    /// Gives the items of a name another version, under which nobody looks for them.
    pub(super) async fn set_aside(&mut self, item: &str) -> Result<(), Fault> {
        let collection = self.unlocked_collection(Prompt::Never).await?;
        self.put_aside(&collection, item).await
    }

    async fn put_aside(&mut self, collection: &OwnedObjectPath, item: &str) -> Result<(), Fault> {
        // Only the last one is kept.
        for old in self.find(collection, item, SET_ASIDE).await? {
            self.delete(&old, Prompt::Never).await?;
        }
        for (index, found) in self.find(collection, item, VERSION).await?.into_iter().enumerate() {
            let value = Value::from(attributes(item, SET_ASIDE));
            let changed = self.call(&found.path, PROPERTIES_INTERFACE, "Set", &(ITEM_INTERFACE, "Attributes", value)).await;
            // One that cannot be kept must not be found again.
            if index > 0 || changed.is_err() {
                self.delete(&found, Prompt::Never).await?;
            }
        }
        Ok(())
    }

    async fn unlocked_collection(&mut self, prompt: Prompt) -> Result<OwnedObjectPath, Fault> {
        let collection = self.default_collection().await?;
        if self.is_locked(&collection, COLLECTION_INTERFACE).await? {
            self.unlock(&collection, prompt).await?;
            // Not every answer to a prompt unlocks what it was about.
            if self.is_locked(&collection, COLLECTION_INTERFACE).await? {
                return Err(Fault::Locked);
            }
        }
        Ok(collection)
    }

    /// The items of this module with a name, the newest first. Some providers also find items that have only some of the attributes.
    async fn find(&mut self, collection: &OwnedObjectPath, item: &str, version: &str) -> Result<Vec<Found>, Fault> {
        let wanted = attributes(item, version);
        let answer = self.call(collection, COLLECTION_INTERFACE, "SearchItems", &wanted).await?;
        let paths: Vec<OwnedObjectPath> = answer.values().map_err(|fault| fault_of("SearchItems", fault))?;
        let mut found = Vec::new();
        for path in paths.into_iter().take(MOST_ITEMS) {
            let Some(properties) = or_removed(self.call(&path, PROPERTIES_INTERFACE, "GetAll", &ITEM_INTERFACE).await)? else { continue };
            let mut properties: HashMap<String, OwnedValue> = properties.values().map_err(|fault| fault_of("GetAll", fault))?;
            let mut take = |name| properties.remove(name);
            // An item that does not say what it is, is another one, or is just being removed.
            let stored = take("Attributes").and_then(|value| HashMap::<String, String>::try_from(value).ok()).unwrap_or_default();
            let is_locked = take("Locked").and_then(|value| bool::try_from(value).ok()).unwrap_or_default();
            // Without a time, it counts as the oldest.
            let modified = take("Modified").and_then(|value| u64::try_from(value).ok()).unwrap_or_default();
            if wanted.iter().all(|(name, value)| stored.get(*name).is_some_and(|stored| stored == value)) {
                found.push(Found { path, modified, is_locked });
            }
        }
        // All programs take the same one of two that are as new.
        found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| b.path.as_str().cmp(a.path.as_str())));
        Ok(found)
    }

    /// The bytes of an item's value; `None` if another program has removed the item.
    async fn value_of(&mut self, item: &Found, prompt: Prompt) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        if item.is_locked {
            self.unlock(&item.path, prompt).await?;
        }
        let answer = match self.secret_of(&item.path).await {
            // `KeePassXC` lets the user decide about each item.
            Err(Fault::Locked) => {
                self.unlock(&item.path, prompt).await?;
                self.secret_of(&item.path).await
            }
            answer => answer,
        };
        let Some(answer) = or_removed(answer)? else { return Ok(None) };
        let body = answer.body();
        let (_, parameters, value, _): Secret<'_> = answer.values_in(&body).map_err(|fault| fault_of("GetSecret", fault))?;
        let value = self.transport.unwrap(parameters, value);
        value.map(Some).ok_or(Fault::Failed { step: "GetSecret", error: None })
    }

    async fn secret_of(&mut self, item: &OwnedObjectPath) -> Result<Message, Fault> {
        let session = self.session.clone();
        self.call(item, ITEM_INTERFACE, "GetSecret", &session).await
    }

    /// Creates an item, or changes the one that is there. Returns its path.
    async fn create(&mut self, collection: &OwnedObjectPath, new: &NewItem<'_>, prompt: Prompt) -> Result<OwnedObjectPath, Fault> {
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from(new.label)),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes(new.item, VERSION))),
        ]);
        let sent = self.transport.wrap(new.value.as_bytes());
        let Sent { parameters, value } = sent.ok_or(Fault::Failed { step: "no random numbers", error: None })?;
        let session = self.session.clone();
        let secret: Secret<'_> = (session.as_ref(), &parameters, &value, "text/plain");
        let answer = self.call(collection, COLLECTION_INTERFACE, "CreateItem", &(properties, secret, true)).await?;
        let (path, question): (OwnedObjectPath, OwnedObjectPath) = answer.values().map_err(|fault| fault_of("CreateItem", fault))?;
        if question.as_str() == NO_PATH {
            return Ok(path);
        }
        let result = self.ask(&question, prompt).await?;
        OwnedObjectPath::try_from(result).map_err(|_| other_types("CreateItem"))
    }

    /// Removes an item. Returns whether it was there.
    async fn delete(&mut self, item: &Found, prompt: Prompt) -> Result<bool, Fault> {
        let Some(answer) = or_removed(self.call(&item.path, ITEM_INTERFACE, "Delete", &()).await)? else { return Ok(false) };
        let question: OwnedObjectPath = answer.values().map_err(|fault| fault_of("Delete", fault))?;
        if question.as_str() != NO_PATH {
            self.ask(&question, prompt).await?;
        }
        Ok(true)
    }
}

fn other_types(step: &'static str) -> Fault {
    fault_of(step, CallFault::OtherTypes)
}

/// `None` in place of the fault of an item that another program has removed.
fn or_removed<T>(outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match outcome {
        Err(Fault::Failed { error: Some(name), .. }) if REMOVED.contains(&name.as_str()) => Ok(None),
        outcome => outcome.map(Some),
    }
}

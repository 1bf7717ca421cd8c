//! A connection to the session bus: authentication, calls, and signals. The crate zvariant reads and writes the messages.
//!
//! The crate zbus would do this, too, for 1.1 MB of code.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use zeroize::Zeroizing;
use zvariant::serialized::{Context, Data};
use zvariant::{Endian, LE, ObjectPath, SerializeValue, Signature, Type, Value, to_bytes};

use super::address::Socket;

/// The longest message that is read, in bytes.
const LONGEST_MESSAGE: usize = 1024 * 1024;

/// The longest line of the authentication, in bytes.
const LONGEST_LINE: usize = 4096;

/// How many signals are kept while something else is waited for.
const MOST_SIGNALS: usize = 32;

/// The bytes of a message up to the length of its fields.
const PREFIX: usize = 16;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

/// The bus itself, as the destination of a call.
pub(super) const BUS: &str = "org.freedesktop.DBus";

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallFault {
    /// The connection ended, or what came is not D-Bus.
    Lost,
    /// The bus does not accept this user.
    Refused,
    /// The call was answered with the error of this name. Its text is not kept, because it may quote a value.
    Error(String),
    /// The answer has other types than the interface says.
    OtherTypes,
}

/// Any fault of the socket ends the connection.
impl From<std::io::Error> for CallFault {
    fn from(_: std::io::Error) -> Self {
        Self::Lost
    }
}

/// The values of a call as bytes. They are made before anything is awaited, so that there is one future for the calls of all types.
pub(super) struct Values {
    bytes: Data<'static, 'static>,
    types: &'static Signature,
}

impl Values {
    pub(super) fn of<T: Serialize + Type>(values: &T) -> Result<Self, CallFault> {
        let bytes = to_bytes(Context::new_dbus(LE, 0), values).map_err(|_| CallFault::OtherTypes)?;
        Ok(Self { bytes, types: T::SIGNATURE })
    }
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'static str,
}

/// The head of a message: byte order, kind, flags, version, length of the body, serial, and fields by number.
type Head<F> = (u8, u8, u8, u8, u32, u32, Vec<(u8, F)>);

/// A message that came.
pub(super) struct Message {
    bytes: Zeroizing<Vec<u8>>,
    body: usize,
    endian: Endian,
    kind: u8,
    reply_to: Option<u32>,
    pub(super) path: String,
    pub(super) interface: String,
    pub(super) member: String,
    pub(super) sender: String,
    error: String,
    signature: Signature,
}

impl Message {
    /// Reads the head of a whole message.
    fn read(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let endian = endian_of(&bytes)?;
        let data = Data::new(&bytes[..], Context::new_dbus(endian, 0));
        let ((_, kind, _, version, _, _, fields), length): (Head<Value<'_>>, usize) = data.deserialize().ok()?;
        if version != 1 {
            return None;
        }
        let (mut texts, mut reply_to, mut signature) = ([const { String::new() }; 8], None, Signature::Unit);
        for (number, value) in fields {
            match value {
                Value::U32(serial) if number == 5 => reply_to = Some(serial),
                Value::Signature(found) if number == 8 => signature = found,
                Value::ObjectPath(path) if number == 1 => path.as_str().clone_into(&mut texts[1]),
                Value::Str(text) if (2..=7).contains(&number) => text.as_str().clone_into(&mut texts[usize::from(number)]),
                _ => {}
            }
        }
        let [_, path, interface, member, error, _, _, sender] = texts;
        let body = length.next_multiple_of(8);
        drop(data);
        (body <= bytes.len()).then_some(Self { bytes, body, endian, kind, reply_to, path, interface, member, sender, error, signature })
    }

    /// The values in the body, if they have the types that are asked for.
    pub(super) fn values<T: Type + DeserializeOwned>(&self) -> Result<T, CallFault> {
        self.values_in(&self.body())
    }

    /// The body, for values that are to stay in the memory of the message.
    pub(super) fn body(&self) -> Data<'_, 'static> {
        // It starts at a multiple of 8, so its paddings are those of bytes of their own.
        Data::new(self.bytes.get(self.body..).unwrap_or_default(), Context::new_dbus(self.endian, 0))
    }

    /// The values in the [`Self::body`].
    pub(super) fn values_in<'a, T: Type + Deserialize<'a>>(&self, body: &'a Data<'_, '_>) -> Result<T, CallFault> {
        if *T::SIGNATURE != self.signature {
            return Err(CallFault::OtherTypes);
        }
        body.deserialize().map(|(values, _)| values).map_err(|_| CallFault::OtherTypes)
    }
}

/// A field of a message that is sent. Its number says what it means.
enum Field<'a> {
    Path(ObjectPath<'a>),
    Text(&'a str),
    TypesOfBody(BodyTypes),
}

impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => SerializeValue(path).serialize(serializer),
            Self::Text(text) => SerializeValue(text).serialize(serializer),
            Self::TypesOfBody(types) => SerializeValue(types).serialize(serializer),
        }
    }
}

/// The types of several values: those of a structure without its parentheses.
struct BodyTypes(&'static Signature);

impl Type for BodyTypes {
    const SIGNATURE: &'static Signature = &Signature::Signature;
}

impl Serialize for BodyTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_no_parens())
    }
}

fn endian_of(bytes: &[u8]) -> Option<Endian> {
    match bytes.first()? {
        b'l' => Some(Endian::Little),
        b'B' => Some(Endian::Big),
        _ => None,
    }
}

/// The length of the message that begins with these bytes; `None` if there is no such message, or it is too long.
fn length_of(prefix: &[u8]) -> Option<usize> {
    let number = |from: usize| {
        let bytes = prefix.get(from..from + 4)?.try_into().ok()?;
        let number = if endian_of(prefix)? == Endian::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(number).ok()
    };
    let (body, fields) = (number(4)?, number(12)?);
    PREFIX.checked_add(fields)?.checked_next_multiple_of(8)?.checked_add(body).filter(|length| *length <= LONGEST_MESSAGE)
}

/// A connection to the bus. One call after the other; to drop a future of a call leaves the connection usable unless it was just sending.
pub(super) struct Bus {
    stream: UnixStream,
    /// What was read of the next message, and how much of it.
    incoming: Zeroizing<Vec<u8>>,
    filled: usize,
    serial: u32,
    /// Whether a message may have been sent in part.
    is_sending: bool,
    signals: VecDeque<Message>,
}

impl Bus {
    /// Connects, authenticates as this process's user, and gets a name on the bus.
    pub(super) async fn connect(socket: &Socket) -> Result<Self, CallFault> {
        let mut stream = UnixStream::connect(socket).await?;
        authenticate(&mut stream).await?;
        let mut bus = Self { stream, incoming: Zeroizing::default(), filled: 0, serial: 0, is_sending: false, signals: VecDeque::new() };
        bus.call(&Method { destination: BUS, path: "/org/freedesktop/DBus", interface: BUS, member: "Hello" }, Values::of(&())?).await?;
        Ok(bus)
    }

    /// Calls a method and returns its answer.
    pub(super) async fn call(&mut self, method: &Method<'_>, values: Values) -> Result<Message, CallFault> {
        let serial = self.send(method, values).await?;
        loop {
            let message = self.receive().await?;
            if message.reply_to != Some(serial) {
                self.keep_signal(message);
            } else if message.kind == ERROR {
                return Err(CallFault::Error(message.error));
            } else if message.kind == METHOD_RETURN {
                return Ok(message);
            }
        }
    }

    /// Returns the next signal.
    pub(super) async fn signal(&mut self) -> Result<Message, CallFault> {
        loop {
            if let Some(signal) = self.signals.pop_front() {
                return Ok(signal);
            }
            let message = self.receive().await?;
            self.keep_signal(message);
        }
    }

    /// Keeps a signal for [`Self::signal`], and forgets anything else that nobody waits for.
    fn keep_signal(&mut self, message: Message) {
        if message.kind == SIGNAL && self.signals.len() < MOST_SIGNALS {
            self.signals.push_back(message);
        }
    }

    async fn send(&mut self, method: &Method<'_>, values: Values) -> Result<u32, CallFault> {
        if self.is_sending {
            return Err(CallFault::Lost);
        }
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        let message = message_of(method, &values, self.serial)?;
        drop(values);
        self.is_sending = true;
        self.stream.write_all(&message).await?;
        self.is_sending = false;
        Ok(self.serial)
    }

    /// Reads the next message. What was read of it stays if the future is dropped.
    async fn receive(&mut self) -> Result<Message, CallFault> {
        loop {
            let length = if self.filled < PREFIX { PREFIX } else { length_of(&self.incoming).ok_or(CallFault::Lost)? };
            if self.filled >= PREFIX && self.filled == length {
                self.filled = 0;
                return Message::read(std::mem::take(&mut self.incoming)).ok_or(CallFault::Lost);
            }
            if self.incoming.len() != length {
                let mut larger = Zeroizing::new(vec![0; length]);
                larger[..self.filled].copy_from_slice(&self.incoming[..self.filled]);
                self.incoming = larger;
            }
            match self.stream.read(&mut self.incoming[self.filled..]).await? {
                0 => return Err(CallFault::Lost),
                count => self.filled += count,
            }
        }
    }
}

/// The bytes of a call.
fn message_of(method: &Method<'_>, values: &Values, serial: u32) -> Result<Zeroizing<Vec<u8>>, CallFault> {
    let path = ObjectPath::try_from(method.path).map_err(|_| CallFault::OtherTypes)?;
    let texts = [(2, method.interface), (3, method.member), (6, method.destination)].map(|(number, text)| (number, Field::Text(text)));
    let types = (*values.types != Signature::Unit).then_some((8, Field::TypesOfBody(BodyTypes(values.types))));
    let fields = texts.into_iter().chain([(1, Field::Path(path))]).chain(types).collect();
    let body = values.bytes.bytes();
    let length = u32::try_from(body.len()).map_err(|_| CallFault::OtherTypes)?;
    let head: Head<Field<'_>> = (b'l', METHOD_CALL, 0, 1, length, serial, fields);
    let Values { bytes: head, .. } = Values::of(&head)?;
    let start = head.len().next_multiple_of(8);
    let mut message = Zeroizing::new(Vec::with_capacity(start + body.len()));
    message.extend_from_slice(&head);
    message.resize(start, 0);
    message.extend_from_slice(body);
    Ok(message)
}

/// Tells the bus which user this is; the system confirms it.
async fn authenticate(stream: &mut UnixStream) -> Result<(), CallFault> {
    let mut request = "\0AUTH EXTERNAL ".to_owned();
    // In hexadecimal digits, those of the user's number are 30 to 39.
    request.extend(rustix::process::geteuid().as_raw().to_string().chars().flat_map(|digit| ['3', digit]));
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        // Nothing follows the line before the next one is sent.
        let byte = stream.read_u8().await.map_err(|_| if line.is_empty() { CallFault::Refused } else { CallFault::Lost })?;
        line.push(byte);
        if line.len() > LONGEST_LINE {
            return Err(CallFault::Lost);
        }
    }
    if !line.starts_with(b"OK") {
        return Err(CallFault::Refused);
    }
    Ok(stream.write_all(b"BEGIN\r\n").await?)
}

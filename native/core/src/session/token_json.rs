//! The JSON of the AWS CLI's cache: objects that contain tokens, as Python writes them.

use std::io;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::{Zeroize as _, Zeroizing};

use crate::secret::SecretBytes;
use crate::text_encoding::decoded;

/// A JSON value that may be a token, wiped from memory on drop.
pub(super) struct SecretValue(pub(super) Value);

impl Drop for SecretValue {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A JSON object that contains tokens, wiped from memory on drop.
#[derive(Default)]
pub(super) struct SecretObject(pub(super) Map<String, Value>);

impl Drop for SecretObject {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

pub(super) fn wipe(value: &mut Value) {
    if let Value::String(text) = value {
        text.zeroize();
    }
}

pub(super) fn field(value: impl serde::Serialize) -> SecretValue {
    SecretValue(json!(value))
}

/// The JSON object in the bytes; white space around it is allowed, and any encoding in which an editor of Windows may have saved it.
pub(super) fn object_of(bytes: &[u8]) -> Option<SecretObject> {
    let text = Zeroizing::new(decoded(bytes).ok()?.into_owned());
    match serde_json::from_slice(&text) {
        Ok(Value::Object(object)) => Some(SecretObject(object)),
        _ => None,
    }
}

/// A field by name, without case, as in the SDK for Rust; null and an empty text count as missing.
pub(super) fn text_of(SecretObject(object): &SecretObject, name: &str) -> Option<String> {
    let value = object.get(name).or_else(|| object.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value))?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A time in any format that AWS tools write: `Z`, an offset, fractions of a second, or the old suffix `UTC`.
pub(super) fn time_of(object: &SecretObject, name: &str) -> Option<OffsetDateTime> {
    let text = text_of(object, name)?;
    let text = text.trim().strip_suffix("UTC").map_or_else(|| text.trim().to_owned(), |bare| format!("{bare}Z"));
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

/// The value as Python's `json.dumps` writes it: on one line, with a space after each comma and colon, only ASCII.
pub(super) fn python_json(value: &impl serde::Serialize) -> SecretBytes {
    let mut bytes = SecretBytes::with_capacity(4096);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, PythonFormatter);
    // Serializing a JSON value into memory cannot fail.
    let _ = serde::Serialize::serialize(value, &mut writer);
    bytes
}

struct PythonFormatter;

impl serde_json::ser::Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if (' '..='~').contains(&c) {
                write!(writer, "{c}")?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

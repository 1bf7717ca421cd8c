//! The types of `sso_core::protocol`, read from their source: names, types and comments, and what serde does with them.

use std::error::Error;
use std::path::Path;

use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type as RustType, Variant};

/// All types, in the order of the source.
pub(crate) struct Protocol {
    types: Vec<(String, Type)>,
}

/// A type as it is in the JSON.
pub(crate) enum Type {
    /// An object: a struct with its fields, or an enum with one of its variants.
    Object { comment: String, parts: Vec<Part>, is_choice: bool },
    /// A string that is one of these words.
    Words { comment: String, words: Vec<Word> },
}

/// One word of an enum.
#[derive(Clone)]
pub(crate) struct Word {
    pub(crate) name: String,
    pub(crate) comment: String,
}

/// One member of an object.
pub(crate) struct Part {
    /// Its name in the JSON.
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) kind: Kind,
    pub(crate) is_list: bool,
    /// Whether it may be absent, because there is no value.
    pub(crate) is_optional: bool,
    /// Whether it may be absent, because there is a default.
    pub(crate) has_default: bool,
}

/// What a member is, apart from being optional or a list.
#[derive(PartialEq)]
pub(crate) enum Kind {
    Text,
    Time,
    Secret,
    Flag,
    Long,
    Int,
    Map,
    Named(String),
}

impl Protocol {
    /// Reads the module from the folder of the crate's source.
    pub(crate) fn read(source: &Path) -> Result<Self, Box<dyn Error>> {
        let mut protocol = Self { types: Vec::new() };
        for file in [
            "error.rs",
            "protocol/request.rs",
            "protocol/terms.rs",
            "protocol/shared.rs",
            "protocol/event.rs",
            "protocol/export.rs",
            "protocol/rename.rs",
            "protocol/default_profile.rs",
            "protocol/endpoint.rs",
            "protocol/prompt.rs",
            "protocol/refresh.rs",
        ] {
            let items = syn::parse_file(&std::fs::read_to_string(source.join(file))?)?.items;
            protocol.types.extend(items.iter().filter_map(named).collect::<Vec<_>>());
        }
        protocol.spell_out();
        Ok(protocol)
    }

    /// The names of all types, in the order of the source.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn type_of(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|(other, _)| other == name).map(|(_, known)| known)
    }

    /// The members of an object; empty if the type is not an object.
    pub(crate) fn parts(&self, name: &str) -> &[Part] {
        if let Some(Type::Object { parts, .. }) = self.type_of(name) {
            parts
        } else {
            &[]
        }
    }

    /// The words of `Code` replace a variant that holds one, and the comment of an event's variant replaces a comment that refers to it.
    fn spell_out(&mut self) {
        let codes = if let Some(Type::Words { words, .. }) = self.type_of("Code") { words.clone() } else { Vec::new() };
        let events: Vec<_> = self.parts("Event").iter().map(|part| (part.kind.name().to_owned(), part.comment.clone())).collect();
        for (name, known) in &mut self.types {
            match known {
                Type::Words { words, .. } => {
                    if let Some(place) = words.iter().position(|word| word.name == "(Code)") {
                        words.splice(place..=place, codes.iter().cloned());
                    }
                }
                Type::Object { comment, .. } => {
                    let of_event = events.iter().find(|(event, _)| event == name);
                    if let (Some((_, of_event)), Some(rest)) = (of_event, comment.strip_prefix("See [`").and_then(|rest| Some(rest.split_once("`]")?.1))) {
                        *comment = of_event.trim_end_matches('.').to_owned() + rest;
                    }
                }
            }
        }
    }
}

impl Kind {
    /// The name of the type; empty if it is not in the protocol.
    pub(crate) fn name(&self) -> &str {
        if let Self::Named(name) = self {
            name
        } else {
            ""
        }
    }
}

fn named(item: &Item) -> Option<(String, Type)> {
    match item {
        Item::Struct(item) if is_on_the_wire(&item.attrs) => {
            let all_have_defaults = serde(&item.attrs).iter().any(|word| word == "default");
            let parts = item.fields.iter().map(|field| {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                let has_default = all_have_defaults || serde(&field.attrs).iter().any(|word| word.starts_with("default"));
                part(name, &field.attrs, &field.ty, has_default)
            });
            Some((item.ident.to_string(), Type::Object { comment: comment(&item.attrs), parts: parts.collect(), is_choice: false }))
        }
        Item::Enum(item) if is_on_the_wire(&item.attrs) => {
            let comment = comment(&item.attrs);
            let is_choice = serde(&item.attrs).iter().any(|word| word.starts_with("rename_all") && word.contains("snake_case"));
            let known = if is_choice {
                let parts =
                    item.variants.iter().filter_map(|variant| Some(part(snake_case(&variant.ident.to_string()), &variant.attrs, held(variant)?, false)));
                Type::Object { comment, parts: parts.collect(), is_choice }
            } else {
                Type::Words { comment, words: item.variants.iter().map(word).collect() }
            };
            Some((item.ident.to_string(), known))
        }
        _ => None,
    }
}

fn part(name: String, attributes: &[Attribute], written: &RustType, has_default: bool) -> Part {
    let (mut written, mut is_optional, mut is_list) = (written, false, false);
    while let Some((outer, inner)) = wrapped(written) {
        match outer.as_str() {
            "Option" => is_optional = true,
            "Vec" => is_list = true,
            _ => break,
        }
        written = inner;
    }
    Part { name, comment: comment(attributes), kind: kind(written), is_list, is_optional, has_default }
}

fn kind(written: &RustType) -> Kind {
    let RustType::Path(path) = written else { return Kind::Text };
    match path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default().as_str() {
        // C# has its own codes, so this one is text there.
        "String" | "PathBuf" | "Code" => Kind::Text,
        "Timestamp" => Kind::Time,
        "Secret" => Kind::Secret,
        "bool" => Kind::Flag,
        "u64" | "i64" => Kind::Long,
        "u32" => Kind::Int,
        "BTreeMap" => Kind::Map,
        name => Kind::Named(name.to_owned()),
    }
}

/// A generic type's name and its last argument.
fn wrapped(written: &RustType) -> Option<(String, &RustType)> {
    let RustType::Path(path) = written else { return None };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let Some(GenericArgument::Type(inner)) = arguments.args.last() else { return None };
    Some((segment.ident.to_string(), inner))
}

/// The type that a variant holds; `None` if it holds none, such as the variant for tests.
fn held(variant: &Variant) -> Option<&RustType> {
    if let Fields::Unnamed(fields) = &variant.fields {
        fields.unnamed.first().map(|field| &field.ty)
    } else {
        None
    }
}

fn word(variant: &Variant) -> Word {
    let name = if held(variant).is_some() { "(Code)".to_owned() } else { variant.ident.to_string() };
    Word { name, comment: comment(&variant.attrs) }
}

fn is_on_the_wire(attributes: &[Attribute]) -> bool {
    let mut is = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let _ = attribute.parse_nested_meta(|meta| {
            is |= meta.path.is_ident("Serialize") || meta.path.is_ident("Deserialize");
            Ok(())
        });
    }
    is
}

/// The words in `#[serde(…)]`.
fn serde(attributes: &[Attribute]) -> Vec<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("serde")).filter_map(|attribute| attribute.meta.require_list().ok());
    lists.flat_map(|list| list.tokens.to_string().split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>()).collect()
}

fn comment(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => {
                if let Lit::Str(text) = &literal.lit {
                    Some(text.value().trim().to_owned())
                } else {
                    None
                }
            }
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

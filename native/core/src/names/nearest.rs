//! Suggests names that the user may have meant, in a message that stays short however many names there are.

use strsim::damerau_levenshtein;

use crate::text::listed;

/// The most names in one message.
const MOST: usize = 5;

/// The length, in characters, after which the rest of a name is ignored, so that a comparison takes bounded time.
const LONGEST_COMPARED: usize = 64;

/// The length, in characters, below which a name is part of other words only by chance.
const SHORTEST_PART: usize = 3;

/// A sentence with the names nearest to `written`, or with some of the existing names if none is near; `None` if there are no names.
/// `kind` is the plural of what the names stand for.
pub(crate) fn hint(written: &str, names: &[&str], kind: &str) -> Option<String> {
    let mut near: Vec<_> = names.iter().filter_map(|name| Some((distance(written, name)?, *name))).collect();
    near.sort_by_key(|(distance, _)| *distance);
    if near.is_empty() {
        return (!names.is_empty()).then(|| format!("The {kind} are: {}.", listed(names, MOST)));
    }
    let names: Vec<_> = near.into_iter().take(MOST).map(|(_, name)| name).collect();
    Some(match names.as_slice() {
        [one] => format!("Did you mean {one}?"),
        [first @ .., last] => format!("Did you mean {} or {last}?", first.join(", ")),
        [] => String::new(),
    })
}

/// How far a name is from `written`: a few typing errors rank before one containing the other; `None` if the name is unrelated.
fn distance(written: &str, name: &str) -> Option<usize> {
    let [written, name] = [written, name].map(|text| text.chars().take(LONGEST_COMPARED).collect::<String>().to_lowercase());
    let edits = damerau_levenshtein(&written, &name);
    if edits * 3 <= written.chars().count().max(3) {
        return Some(edits);
    }
    let is_part = (!written.is_empty() && name.contains(&written)) || (name.chars().count() >= SHORTEST_PART && written.contains(&name));
    is_part.then_some(edits + LONGEST_COMPARED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_gets_at_most_five_suggestions() {
        let hint = |written, names: &[&str]| hint(written, names, "environments").unwrap_or_default();
        assert_eq!(hint("Acmee", &["Beta", "Acme"]), "Did you mean Acme?");
        assert_eq!(hint("amce", &["Beta", "Acme"]), "Did you mean Acme?");
        assert_eq!(hint("Acme", &["Acme-Prod", "Beta", "Acme-Dev"]), "Did you mean Acme-Dev or Acme-Prod?");
        assert_eq!(hint("Acme", &["Acme1", "Acme2", "Acme3", "Acme4", "Acme5", "Acme6"]), "Did you mean Acme1, Acme2, Acme3, Acme4 or Acme5?");
    }

    #[test]
    fn an_unrelated_name_gets_some_of_the_existing_names_and_the_count_of_the_rest() {
        let hint = |written, names: &[&str]| hint(written, names, "environments");
        assert_eq!(hint("Nowhere", &["Acme", "Beta"]).as_deref(), Some("The environments are: Acme, Beta."));
        assert_eq!(hint("Nowhere", &["A", "B", "C", "D", "E", "F", "G"]).as_deref(), Some("The environments are: A, B, C, D, E and 2 more."));
        assert_eq!(hint("Nowhere", &[]), None);
    }
}

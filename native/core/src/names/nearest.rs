//! The names that a user may have meant, for a message that stays short however many names there are.

use strsim::damerau_levenshtein;

use crate::text::listed;

/// The most names that a message has.
const MOST: usize = 5;

/// Longer names are compared by their beginning only, so that a comparison is bounded.
const LONGEST_COMPARED: usize = 64;

/// Shorter names are inside other words by chance.
const SHORTEST_PART: usize = 3;

/// A sentence with the names nearest to `written`, or with some of those that there are where none is near; `None` where there are no names.
/// `kind` is what the names are of, in the plural.
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

/// How far a name is from what was written: few typing errors first, then one inside the other; `None` where it is something else.
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
    fn a_mistyped_name_gets_the_nearest_names_at_most_five() {
        let hint = |written, names: &[&str]| hint(written, names, "environments").unwrap_or_default();
        assert_eq!(hint("Acmee", &["Beta", "Acme"]), "Did you mean Acme?");
        assert_eq!(hint("amce", &["Beta", "Acme"]), "Did you mean Acme?");
        assert_eq!(hint("Acme", &["Acme-Prod", "Beta", "Acme-Dev"]), "Did you mean Acme-Dev or Acme-Prod?");
        assert_eq!(hint("Acme", &["Acme1", "Acme2", "Acme3", "Acme4", "Acme5", "Acme6"]), "Did you mean Acme1, Acme2, Acme3, Acme4 or Acme5?");
    }

    #[test]
    fn a_name_like_no_other_gets_some_of_those_that_there_are_and_their_count() {
        let hint = |written, names: &[&str]| hint(written, names, "environments");
        assert_eq!(hint("Nowhere", &["Acme", "Beta"]).as_deref(), Some("The environments are: Acme, Beta."));
        assert_eq!(hint("Nowhere", &["A", "B", "C", "D", "E", "F", "G"]).as_deref(), Some("The environments are: A, B, C, D, E and 2 more."));
        assert_eq!(hint("Nowhere", &[]), None);
    }
}

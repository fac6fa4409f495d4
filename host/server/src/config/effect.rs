//! Choices that the configuration understands and this version does not act on yet.
//!
//! Owns the list, so that no operator believes in a policy that nothing carries out. Whoever makes one work strikes it
//! from here.

use super::reader::Table;

/// A key of `[[shops]]`, the word it concerns (any, if none), and what happens instead.
const NOT_IN_EFFECT: &[(&str, Option<&str>, &str)] = &[("api", None, "it is checked and not called")];

/// Warns of every such choice that a shop makes.
pub(super) fn warn(shop: &mut Table<'_>) {
    for (key, word, instead) in NOT_IN_EFFECT {
        if let Some(value) = shop.optional(key)
            && (word.is_none() || value.raw().as_str() == *word)
        {
            let choice = word.map(|word| format!("\"{word}\" ")).unwrap_or_default();
            value.warn(format!("{choice}is not in effect in this version: {instead}"), None);
        }
    }
}

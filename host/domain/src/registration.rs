//! What a learner is called whom Bursar registers in an LMS by their address.
//!
//! Owns usernames and names made of addresses. A username is public in an LMS (forums, certificates), so it never gives an
//! address away. Whether a learner is registered at all is the shop's policy.

use crate::names::{Email, Username};

/// The shortest and longest username that the LMS's form takes, in characters (`docs/lms.md`).
pub const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=30;

/// How much of a local part is taken: with a suffix it still fits into [`USERNAME_LENGTH`].
const STEM_MAX: usize = 24;

/// Suffixes are below this, so that they have five digits at most.
const SUFFIXES: u32 = 100_000;

/// The username and the name of an address of which nothing can be used.
const NOBODY: (&str, &str) = ("learner", "Learner");

/// A username for the owner of an address: the local part without its tag (`+…`), of which letters and digits of ASCII
/// stay and everything between them becomes one `_`; at most 24 characters. Where that leaves fewer than two
/// characters, `learner`. With a suffix, for names that are taken: `_` and up to five digits of it.
///
/// | address | suffix | username |
/// |---|---|---|
/// | `Ada.Lovelace+shop@example.org` | – | `Ada_Lovelace` |
/// | `Ada.Lovelace+shop@example.org` | 417 | `Ada_Lovelace_417` |
/// | `é@example.org` | – | `learner` |
///
/// Nothing of the domain is in it. The LMS takes every one of these, unless somebody has it already. There is one for
/// every address; a test says so.
#[must_use]
pub fn username(email: &Email, suffix: Option<u32>) -> Option<Username> {
    let stem: String = words(email, |letter| letter.is_ascii_alphanumeric()).join("_");
    let stem: String = stem.chars().take(STEM_MAX).collect();
    let stem = stem.trim_end_matches('_');
    let stem = if stem.len() < *USERNAME_LENGTH.start() { NOBODY.0 } else { stem };
    let text = match suffix {
        None => stem.to_owned(),
        Some(suffix) => format!("{stem}_{}", suffix % SUFFIXES),
    };
    Username::parse(&text).ok()
}

/// The full name of somebody of whom only the address is known: the words of its local part. The owner can change it.
#[must_use]
pub fn full_name(email: &Email) -> String {
    let name = words(email, char::is_alphanumeric).join(" ");
    if name.is_empty() { NOBODY.1.to_owned() } else { name }
}

/// Would the LMS's form take this username? One that the LMS proposes may be of another form than its own form takes.
#[must_use]
pub fn can_be_registered(username: &Username) -> bool {
    let text = username.as_str();
    USERNAME_LENGTH.contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// The words of the local part, its tag left out.
fn words(email: &Email, is_letter: impl Fn(char) -> bool) -> Vec<&str> {
    let local = email.as_str().split_once('@').map_or("", |(local, _)| local);
    let untagged = local.split_once('+').map_or(local, |(name, _)| name);
    untagged.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(email: &str) -> String {
        username(&Email::parse(email).unwrap(), None).unwrap().to_string()
    }

    #[test]
    fn a_username_is_the_local_part_in_the_letters_of_the_lms() {
        assert_eq!(named("Ada.Lovelace+shop@example.org"), "Ada_Lovelace");
        assert_eq!(named("..ada--l.@example.org"), "ada_l");
        assert_eq!(named("é@example.org"), "learner");
        assert_eq!(named("x@example.org"), "learner");
        assert_eq!(named("+tag@example.org"), "learner");
        assert_eq!(named("a-very-long-name-that-no-form-takes@example.org"), "a_very_long_name_that_no");
    }

    #[test]
    fn a_name_is_the_words_of_the_local_part() {
        let named = |email| full_name(&Email::parse(email).unwrap());
        assert_eq!(named("ada.lovelace+shop@example.org"), "ada lovelace");
        assert_eq!(named("zoë@example.org"), "zoë");
        assert_eq!(named("a://b@example.org"), "a b");
        assert_eq!(named("+@example.org"), "Learner");
    }

    #[test]
    fn what_the_lms_proposes_is_used_only_if_its_form_takes_it() {
        for (text, takes) in [("ada_1", true), ("a-b", true), ("a", false), ("ada.l", false), ("añ1", false)] {
            assert_eq!(can_be_registered(&Username::parse(text).unwrap()), takes, "{text}");
        }
        assert!(!can_be_registered(&Username::parse(&"x".repeat(31)).unwrap()));
    }

    proptest! {
        #[test]
        fn every_username_made_of_an_address_can_be_registered_and_gives_no_address_away(
            local in "[a-zA-Z0-9._+é/!#-]{1,60}", domain in "[a-z0-9]{1,20}\\.[a-z]{2,6}",
            suffix in proptest::option::of(any::<u32>())
        ) {
            let email = Email::parse(&format!("{local}@{domain}")).unwrap();
            let username = username(&email, suffix).unwrap();
            prop_assert!(can_be_registered(&username), "{}", username.as_str());
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            prop_assert!(!letters(username.as_str()).contains(&letters(email.as_str())) || username.as_str().starts_with("learner"));
            prop_assert!(!full_name(&email).is_empty());
            prop_assert!(!full_name(&email).contains("://") && !full_name(&email).contains(['<', '>']));
        }

        #[test]
        fn of_any_address_at_all_a_username_can_be_made(text in ".{1,80}@[a-z]{1,9}\\.[a-z]{2,3}", suffix in any::<u32>()) {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(username(&email, None).is_some_and(|name| can_be_registered(&name)));
                prop_assert!(username(&email, Some(suffix)).is_some_and(|name| can_be_registered(&name)));
            }
        }
    }
}

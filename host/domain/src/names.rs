//! Text that has rules: names of shops, LMSs and adapters, e-mail addresses, usernames, course runs and modes.
//!
//! Owns their parsing; whoever holds one of these types holds a value that was checked. Nothing here looks anything up.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that breaks the rules of what it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct Malformed {
    /// What it was meant to be: `e-mail address`, `course run`.
    pub what: &'static str,
    /// What is wrong. Never holds the text itself, which may be personal.
    pub problem: &'static str,
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

macro_rules! visible_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )*};
}

/// Personal text shows its kind only, so that a stray `{:?}` puts nobody's address into a log.
macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}

/// Longest name of a shop, an LMS or an adapter, in bytes: it stands in URLs, file names and metric labels.
pub const NAME_MAX: usize = 64;

fn name(what: &'static str, text: &str) -> Result<String, Malformed> {
    let malformed = |problem| Malformed { what, problem };
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(malformed("must begin with a lower-case letter"));
    }
    if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err(malformed("may hold lower-case letters, digits and hyphens only"));
    }
    if text.len() > NAME_MAX {
        return Err(malformed("is longer than 64 characters"));
    }
    Ok(text.to_owned())
}

text_type! {
    /// The name of a shop, as in `/webhooks/{shop}`. It never changes: orders are known by it.
    ShopName
}
text_type! {
    /// The name of an LMS in the configuration.
    LmsName
}
text_type! {
    /// The name of an adapter: what its own description says, not its file's name.
    AdapterName
}
visible_debug!(ShopName, LmsName, AdapterName, CourseRun, Mode);
hidden_debug!(Email, Username);

impl ShopName {
    /// Checks a shop's name.
    ///
    /// # Errors
    /// When it is not lower-case letters, digits and hyphens, beginning with a letter, at most [`NAME_MAX`] long.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        name("shop name", text).map(Self)
    }
}

impl LmsName {
    /// Checks an LMS's name; the rules of [`ShopName::parse`].
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        name("LMS name", text).map(Self)
    }
}

impl AdapterName {
    /// Checks an adapter's name; the rules of [`ShopName::parse`].
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        name("adapter name", text).map(Self)
    }
}

/// Longest e-mail address that the LMS stores, in characters (Django's `EmailField`).
pub const EMAIL_MAX: usize = 254;

text_type! {
    /// An e-mail address as somebody wrote it, blanks around it removed.
    Email
}

impl Email {
    /// Checks an address. Not RFC 5322 in full: what the LMS would store, and nothing that could be read as two
    /// addresses or break out of a list.
    ///
    /// # Errors
    /// When it is blank, over-long, or not `local@domain`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "e-mail address", problem };
        let text = text.trim();
        if text.is_empty() {
            return Err(malformed("is blank"));
        }
        if text.chars().count() > EMAIL_MAX {
            return Err(malformed("is longer than 254 characters"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"' | '\\'))
        {
            return Err(malformed("holds a character that no address has"));
        }
        let Some((local, domain)) = text.split_once('@') else { return Err(malformed("has no @")) };
        if local.is_empty() || domain.is_empty() {
            return Err(malformed("has nothing on one side of the @"));
        }
        if domain.contains('@') {
            return Err(malformed("has more than one @"));
        }
        if domain.starts_with(['.', '-'])
            || domain.ends_with(['.', '-'])
            || domain.contains("..")
            || !domain.contains('.')
        {
            return Err(malformed("has no proper domain"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address in the form that two spellings of one address share. The LMS compares without regard to case
    /// (`docs/lms.md`).
    #[must_use]
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Longest username that the LMS stores, in characters.
pub const USERNAME_MAX: usize = 150;

text_type! {
    /// An LMS username.
    Username
}

impl Username {
    /// Checks a username by the LMS's rule: word characters and `.@+-`. A comma would make a list of it.
    ///
    /// # Errors
    /// When it is blank, over-long or holds another character.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "username", problem };
        let text = text.trim();
        if text.is_empty() {
            return Err(malformed("is blank"));
        }
        if text.chars().count() > USERNAME_MAX {
            return Err(malformed("is longer than 150 characters"));
        }
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '+' | '-')) {
            return Err(malformed("holds a character that no username has"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The username in the form that two spellings of one username share: look-ups in the LMS ignore case.
    #[must_use]
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Longest course run key that the LMS stores, in characters.
pub const COURSE_RUN_MAX: usize = 255;

text_type! {
    /// The key of a course run: `course-v1:Org+Course+Run`, or the older `Org/Course/Run`.
    CourseRun
}

impl CourseRun {
    /// Checks the key of a course run.
    ///
    /// # Errors
    /// When it has neither form.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "course run", problem };
        let text = text.trim();
        if text.chars().count() > COURSE_RUN_MAX {
            return Err(malformed("is longer than 255 characters"));
        }
        let (rest, separator) = match text.strip_prefix("course-v1:") {
            Some(rest) => (rest, '+'),
            None => (text, '/'),
        };
        let part_is_sound = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '~' | '.' | ':'))
        };
        if rest.split(separator).count() != 3 || !rest.split(separator).all(part_is_sound) {
            return Err(malformed("must look like course-v1:Org+Course+Run"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Longest mode slug that the LMS stores, in characters.
pub const MODE_MAX: usize = 100;

text_type! {
    /// An enrollment mode's slug: `audit`, `verified`, …
    Mode
}

impl Mode {
    /// Checks a mode's slug. Upper-case letters are taken as lower-case, which every mode of the LMS is.
    ///
    /// # Errors
    /// When it is blank, over-long or holds anything but letters, digits and hyphens.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |problem| Malformed { what: "mode", problem };
        let text = text.trim();
        if text.is_empty() {
            return Err(malformed("is blank"));
        }
        if text.len() > MODE_MAX {
            return Err(malformed("is longer than 100 characters"));
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(malformed("may hold letters, digits and hyphens only"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blank_and_malformed_addresses_are_refused() {
        for text in [
            "",
            "  ",
            "ada",
            "ada@",
            "@example.org",
            "a b@example.org",
            "a@b@example.org",
            "a@example",
            "a,b@example.org",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?} passed");
        }
    }

    #[test]
    fn an_address_keeps_its_spelling_and_knows_its_twin() {
        let email = Email::parse("  Carol.Case@Example.com ").unwrap();
        assert_eq!(email.as_str(), "Carol.Case@Example.com");
        assert_eq!(email.normalized(), "carol.case@example.com");
    }

    #[test]
    fn an_address_never_shows_in_debug_output() {
        let shown = format!("{:?}", Email::parse("ada@example.org").unwrap());
        assert_eq!(shown, "Email(***)");
    }

    #[test]
    fn course_runs_of_both_forms_are_understood_and_others_refused() {
        for text in ["course-v1:DemoX+CS101+2026", "DemoX/CS101/2026"] {
            assert_eq!(CourseRun::parse(text).unwrap().as_str(), text);
        }
        for text in
            ["", "CS101", "course-v1:DemoX+CS101", "course-v1:DemoX+CS101+2026+x", "course-v1:Demo X+CS101+2026"]
        {
            assert!(CourseRun::parse(text).is_err(), "{text:?} passed");
        }
    }

    #[test]
    fn names_fit_into_urls() {
        assert!(ShopName::parse("campus-2").is_ok());
        for text in ["", "Campus", "2nd", "a/b", "a b", &"x".repeat(65)] {
            assert!(ShopName::parse(text).is_err(), "{text:?} passed");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in ".{0,300}") {
            if let Ok(email) = Email::parse(&text) { prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email); }
            if let Ok(run) = CourseRun::parse(&text) { prop_assert_eq!(CourseRun::parse(run.as_str()).unwrap(), run); }
            if let Ok(mode) = Mode::parse(&text) { prop_assert_eq!(Mode::parse(mode.as_str()).unwrap(), mode); }
            if let Ok(name) = Username::parse(&text) { prop_assert_eq!(Username::parse(name.as_str()).unwrap(), name); }
        }
    }
}

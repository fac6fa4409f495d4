//! Owns what counts as a course run key; must never know which runs exist.

use std::fmt;

/// The key of a course run, for example `course-v1:Acme+SAIL101+2027_T1`. Only a parseable text becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CourseKey {
    text: String,
    org: String,
    number: String,
}

/// The text is not a course key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a course key")]
pub(crate) struct InvalidCourseKey;

/// How a key starts in the present format.
const RUN_PREFIX: &str = "course-v1:";
/// How the key of a content library starts; the LMS counts libraries as courses when it parses a key.
const LIBRARY_PREFIX: &str = "library-v1:";

impl CourseKey {
    /// Reads a key: the present format, a library, or the old `org/number/run`.
    ///
    /// # Errors
    /// When `text` is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidCourseKey> {
        let parts: Vec<&str> = if let Some(rest) = text.strip_prefix(RUN_PREFIX) {
            sized(rest.split('+').collect(), 3, is_key_letter)?
        } else if let Some(rest) = text.strip_prefix(LIBRARY_PREFIX) {
            sized(rest.split('+').collect(), 2, is_key_letter)?
        } else {
            sized(text.split('/').collect(), 3, is_old_key_letter)?
        };
        let mut parts = parts.into_iter().map(str::to_owned);
        let (Some(org), Some(number)) = (parts.next(), parts.next()) else { return Err(InvalidCourseKey) };
        Ok(Self { text: text.to_owned(), org, number })
    }

    /// The key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both are the same for the database, which ignores case.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.text == other.text || super::fold(&self.text) == super::fold(&other.text)
    }

    /// The organisation that runs the course.
    pub(crate) fn org(&self) -> &str {
        &self.org
    }

    /// The catalogue number.
    pub(crate) fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Display for CourseKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

fn sized(parts: Vec<&str>, count: usize, allowed: fn(char) -> bool) -> Result<Vec<&str>, InvalidCourseKey> {
    let well_formed = parts.len() == count && parts.iter().all(|part| !part.is_empty() && part.chars().all(allowed));
    if well_formed { Ok(parts) } else { Err(InvalidCourseKey) }
}

fn is_key_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '~' | '.' | ':')
}

fn is_old_key_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_its_prefix_and_three_parts() {
        assert_eq!(CourseKey::parse("course-v1:DemoX+CS101+2026").unwrap().number(), "CS101");
        assert!(CourseKey::parse("edX/DemoX/2014").is_ok());
        for bad in
            ["nope", "course-v1:DemoX+CS101", "course-v1:DemoX CS101 2026", "course-v1:a+b+c+d", "a+b+c", "", "//"]
        {
            assert_eq!(CourseKey::parse(bad), Err(InvalidCourseKey), "{bad}");
        }
    }
}

//! Text as it travels: what is escaped in paths, queries and forms, moments as the LMS writes them, and foreign words
//! made fit for a log.
//!
//! Owns no meaning.

use bursar_domain::{CourseRun, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986's unreserved characters stay; all others are escaped, `+` above all: in a query it is a blank, and the LMS
/// then finds the course run malformed (`docs/lms.md`).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a path `:`, `+` and `/` of a course run stand for themselves.
const PATH: &AsciiSet = &VALUE.remove(b':').remove(b'+').remove(b'/');

/// Longest quotation of the LMS's own words in an error, in characters; more is cut.
const QUOTE_MAX: usize = 200;

/// `name=value&…`, for a query or a form.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, VALUE));
        text.push('=');
        text.extend(utf8_percent_encode(value, VALUE));
    }
    text
}

/// How long a value is once escaped, in bytes.
pub(crate) fn escaped_len(value: &str) -> usize {
    utf8_percent_encode(value, VALUE).map(str::len).sum()
}

/// Escapes a part of a path.
pub(crate) fn path_part(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// A course run as a part of a path; `None` for one that the rules of URLs would shorten (`Org/../Run`), which no LMS has.
pub(crate) fn run_in_path(run: &CourseRun) -> Option<String> {
    let shortened = run.as_str().split('/').any(|part| part == "." || part == "..");
    (!shortened).then(|| path_part(run.as_str()))
}

/// Are these one run? The LMS's database ignores case, and answers show the spelling that it stores.
pub(crate) fn same_run(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// A moment as the LMS writes it (RFC 3339); `None` if it is none.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|moment| Timestamp::from_millis(moment.as_millisecond()))
}

/// The LMS's words made fit for an error: one line, not long, without words that look like an e-mail address or contain
/// one of `strike`.
pub(crate) fn quote(text: &str, strike: &[&str]) -> String {
    let personal = |word: &str| {
        let word = word.to_lowercase();
        word.contains('@') || strike.iter().any(|secret| !secret.is_empty() && word.contains(&secret.to_lowercase()))
    };
    let words: Vec<&str> = text.split_whitespace().map(|word| if personal(word) { "…" } else { word }).collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).take(QUOTE_MAX).collect();
    if line.is_empty() { "(no words)".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_escaped_in_queries_and_stays_in_paths() {
        assert_eq!(pairs([("course_id", "course-v1:A+B+1")]), "course_id=course-v1%3AA%2BB%2B1");
        assert_eq!(path_part("course-v1:A+B+1"), "course-v1:A+B+1");
    }

    #[test]
    fn a_course_run_cannot_climb_out_of_its_path() {
        assert_eq!(run_in_path(&CourseRun::parse("Org/../Run").unwrap()), None);
        assert_eq!(run_in_path(&CourseRun::parse("Org/C/Run").unwrap()).unwrap(), "Org/C/Run");
    }

    #[test]
    fn quoted_words_name_nobody() {
        assert_eq!(quote("no seat for 'Ada_L'\n of ada@example.org, sorry", &["ada_l"]), "no seat for … of … sorry");
        assert_eq!(quote(&"x".repeat(500), &[]).len(), QUOTE_MAX);
    }
}

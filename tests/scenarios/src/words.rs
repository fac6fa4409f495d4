//! Short words for long things: people, course runs, lengths of time.

use std::time::Duration;

use crate::Result;

/// `CS101` is `course-v1:Demo+CS101+2026`; a whole key is itself.
#[must_use]
pub fn run(word: &str) -> String {
    if word.contains(':') { word.to_owned() } else { format!("course-v1:Demo+{word}+2026") }
}

/// The other way round.
#[must_use]
pub fn short_run(run: &str) -> &str {
    run.strip_prefix("course-v1:Demo+").and_then(|rest| rest.strip_suffix("+2026")).unwrap_or(run)
}

/// `ada` is `ada@example.org`; an address is itself, and so is what stands in quotes. `blank` is nothing at all.
#[must_use]
pub fn address(who: &str) -> String {
    if let Some(quoted) = who.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        quoted.to_owned()
    } else if who == "blank" {
        String::new()
    } else if who.contains('@') {
        who.to_owned()
    } else {
        format!("{who}@example.org")
    }
}

/// `sku:BIO`, where no kind of id is named.
#[must_use]
pub fn product(word: &str) -> String {
    if word.contains(':') { word.to_owned() } else { format!("sku:{word}") }
}

/// `20 minutes`.
pub fn duration(text: &str) -> Result<Duration> {
    let wrong = || format!("{text:?} is no length of time; write \"20 minutes\" or \"3 days\"");
    let (number, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number * seconds))
}

/// What stands before and after a word that must be there.
pub fn around<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    text.split_once(&format!(" {word} ")).map(|(before, after)| (before.trim(), after.trim()))
}

/// One word and nothing else.
pub fn one(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(format!("{text:?} must be one word"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_stand_for_long_things() {
        assert_eq!(run("CS101"), "course-v1:Demo+CS101+2026");
        assert_eq!(short_run("course-v1:Demo+CS101+2026"), "CS101");
        assert_eq!(
            (address("ada"), address("\"x\""), address("blank")),
            ("ada@example.org".into(), "x".into(), String::new())
        );
        assert_eq!(duration("3 days"), Ok(Duration::from_secs(259_200)));
        assert!(duration("3 fortnights").is_err());
        assert!(duration("soon").is_err());
    }
}

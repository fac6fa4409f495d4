//! Text from a guest, made fit to be kept and shown.
//!
//! Owns cutting and cleaning. Ids are never cut here: two of them might become one.

/// The text without control characters, cut after `max` bytes at the end of a character. Line breaks become blanks.
pub(crate) fn words(text: &str, max: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(max));
    for character in text.chars() {
        let character = match character {
            '\n' | '\r' | '\t' => ' ',
            other if other.is_control() || is_invisible(other) => '\u{fffd}',
            other => other,
        };
        if cleaned.len() + character.len_utf8() > max {
            break;
        }
        cleaned.push(character);
    }
    cleaned
}

/// Is it text that a terminal shows and does nothing else with? Line ends and tabs are.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_invisible(c))
}

/// Marks that turn the direction of what stands beside them: a log line could be made to read as another one.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Is it a word for programs: lower-case letters, digits and hyphens, beginning with a letter?
pub(crate) fn is_code(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_the_end_of_a_character() {
        assert_eq!(words("äöü", 3), "ä");
        assert_eq!(words("plain", 5), "plain");
    }

    #[test]
    fn control_characters_cannot_forge_a_line() {
        assert_eq!(words("a\nb\u{1b}[31mc\u{202e}d", 64), "a b\u{fffd}[31mc\u{fffd}d");
    }
}

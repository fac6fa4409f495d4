//! Owns reading JSON the way Python's `json` module does, down to the wording and position of its complaints; must
//! never be more lenient than that module.

use serde_json::{Map, Number, Value};

/// Deepest nesting that is read; the interpreter gives up in the same region.
const MAX_DEPTH: usize = 500;

/// Reads one JSON document.
///
/// # Errors
/// The text Python's `JSONDecodeError` would print.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            return Err(format!(
                "'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {}",
                if error.error_len().is_none() { "unexpected end of data" } else { "invalid start byte" }
            ));
        }
    };
    let reader = Reader { letters: text.chars().collect() };
    if reader.letters.first() == Some(&'\u{feff}') {
        return Err(reader.complaint(&Complaint("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0)));
    }
    reader.document().map_err(|complaint| match complaint {
        Fault::Syntax(complaint) => reader.complaint(&complaint),
        Fault::Constant(name) => format!("Out of range float values are not JSON compliant: '{name}'"),
    })
}

/// A message and the index of the character it is about.
struct Complaint(&'static str, usize);

enum Fault {
    Syntax(Complaint),
    Constant(&'static str),
}

type Read<T> = Result<(T, usize), Fault>;

fn syntax<T>(message: &'static str, at: usize) -> Result<T, Fault> {
    Err(Fault::Syntax(Complaint(message, at)))
}

struct Reader {
    letters: Vec<char>,
}

impl Reader {
    fn complaint(&self, Complaint(message, at): &Complaint) -> String {
        let before = self.letters.get(..*at).unwrap_or(&self.letters);
        let line = 1 + before.iter().filter(|letter| **letter == '\n').count();
        let column = match before.iter().rposition(|letter| *letter == '\n') {
            Some(newline) => at - newline,
            None => at + 1,
        };
        format!("{message}: line {line} column {column} (char {at})")
    }

    fn at(&self, index: usize) -> Option<char> {
        self.letters.get(index).copied()
    }

    fn skip_blanks(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(' ' | '\t' | '\n' | '\r')) {
            index += 1;
        }
        index
    }

    fn document(&self) -> Result<Value, Fault> {
        let (value, end) = self.value(self.skip_blanks(0), 0)?;
        let end = self.skip_blanks(end);
        if end == self.letters.len() { Ok(value) } else { syntax("Extra data", end) }
    }

    fn starts_with(&self, index: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(offset, letter)| self.at(index + offset) == Some(letter))
    }

    fn value(&self, index: usize, depth: usize) -> Read<Value> {
        if depth > MAX_DEPTH {
            return syntax("Expecting value", index);
        }
        match self.at(index) {
            Some('"') => self.string(index + 1).map(|(text, end)| (Value::String(text), end)),
            Some('{') => self.object(index + 1, depth),
            Some('[') => self.array(index + 1, depth),
            _ => {
                for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
                {
                    if self.starts_with(index, word) {
                        return Ok((value, index + word.len()));
                    }
                }
                for constant in ["NaN", "Infinity", "-Infinity"] {
                    if self.starts_with(index, constant) {
                        return Err(Fault::Constant(constant));
                    }
                }
                self.number(index)
            }
        }
    }

    fn digits(&self, mut index: usize) -> usize {
        while self.at(index).is_some_and(|letter| letter.is_ascii_digit()) {
            index += 1;
        }
        index
    }

    fn number(&self, start: usize) -> Read<Value> {
        let mut end = if self.at(start) == Some('-') { start + 1 } else { start };
        end = match self.at(end) {
            Some('0') => end + 1,
            Some('1'..='9') => self.digits(end),
            _ => return syntax("Expecting value", start),
        };
        if self.at(end) == Some('.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
        }
        if matches!(self.at(end), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some('+' | '-')));
            let digits = end + 1 + sign;
            if self.digits(digits) > digits {
                end = self.digits(digits);
            }
        }
        let text: String = self.letters.get(start..end).unwrap_or_default().iter().collect();
        let number = text.parse::<Number>().unwrap_or_else(|_| Number::from(0));
        Ok((Value::Number(number), end))
    }

    fn string(&self, start: usize) -> Read<String> {
        let opening = start - 1;
        let mut out = String::new();
        let mut index = start;
        loop {
            match self.at(index) {
                None => return syntax("Unterminated string starting at", opening),
                Some('"') => return Ok((out, index + 1)),
                Some('\\') => {
                    let (letter, next) = self.escape(index, opening)?;
                    out.push(letter);
                    index = next;
                }
                Some(letter) if u32::from(letter) < 0x20 => return syntax("Invalid control character at", index),
                Some(letter) => {
                    out.push(letter);
                    index += 1;
                }
            }
        }
    }

    fn escape(&self, backslash: usize, opening: usize) -> Read<char> {
        let plain = match self.at(backslash + 1) {
            None => return syntax("Unterminated string starting at", opening),
            Some('u') => return self.unicode_escape(backslash),
            Some(letter @ ('"' | '\\' | '/')) => letter,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(_) => return syntax("Invalid \\escape", backslash),
        };
        Ok((plain, backslash + 2))
    }

    fn unicode_escape(&self, backslash: usize) -> Read<char> {
        let Some(high) = self.hex(backslash + 2) else {
            return syntax("Invalid \\uXXXX escape", backslash + 1);
        };
        let after = backslash + 6;
        if (0xd800..0xdc00).contains(&high)
            && self.starts_with(after, "\\u")
            && let Some(low) = self.hex(after + 2).filter(|low| (0xdc00..0xe000).contains(low))
        {
            let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok((char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), after + 6));
        }
        // Python keeps a lone surrogate; Rust strings cannot hold one.
        Ok((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), after))
    }

    fn hex(&self, index: usize) -> Option<u32> {
        let digits: String = self.letters.get(index..index + 4)?.iter().collect();
        if digits.chars().all(|digit| digit.is_ascii_hexdigit()) { u32::from_str_radix(&digits, 16).ok() } else { None }
    }

    fn object(&self, start: usize, depth: usize) -> Read<Value> {
        let mut members = Map::new();
        let mut index = self.skip_blanks(start);
        if self.at(index) == Some('}') {
            return Ok((Value::Object(members), index + 1));
        }
        loop {
            if self.at(index) != Some('"') {
                return syntax("Expecting property name enclosed in double quotes", index);
            }
            let (key, after_key) = self.string(index + 1)?;
            index = self.skip_blanks(after_key);
            if self.at(index) != Some(':') {
                return syntax("Expecting ':' delimiter", index);
            }
            let (value, after_value) = self.value(self.skip_blanks(index + 1), depth + 1)?;
            members.insert(key, value);
            index = self.skip_blanks(after_value);
            match self.at(index) {
                Some('}') => return Ok((Value::Object(members), index + 1)),
                Some(',') => index = self.skip_blanks(index + 1),
                _ => return syntax("Expecting ',' delimiter", index),
            }
        }
    }

    fn array(&self, start: usize, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        let mut index = self.skip_blanks(start);
        if self.at(index) == Some(']') {
            return Ok((Value::Array(items), index + 1));
        }
        loop {
            let (value, after) = self.value(index, depth + 1)?;
            items.push(value);
            index = self.skip_blanks(after);
            match self.at(index) {
                Some(']') => return Ok((Value::Array(items), index + 1)),
                Some(',') => index = self.skip_blanks(index + 1),
                _ => return syntax("Expecting ',' delimiter", index),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn complaints_carry_the_wording_and_position_of_python() {
        assert_eq!(complaint("{\"user\": "), "Expecting value: line 1 column 10 (char 9)");
        assert_eq!(complaint("{"), "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)");
        assert_eq!(complaint("{\"a\" 1}"), "Expecting ':' delimiter: line 1 column 6 (char 5)");
        assert_eq!(complaint("{\"a\": 1\n \"b\": 2}"), "Expecting ',' delimiter: line 2 column 2 (char 9)");
        assert_eq!(complaint("{\"a\": \"x"), "Unterminated string starting at: line 1 column 7 (char 6)");
        assert_eq!(complaint("{} x"), "Extra data: line 1 column 4 (char 3)");
        assert_eq!(complaint("[1,]"), "Expecting value: line 1 column 4 (char 3)");
        assert_eq!(complaint("[NaN]"), "Out of range float values are not JSON compliant: 'NaN'");
    }

    #[test]
    fn a_document_reads_as_the_same_values_serde_reads() {
        let text = r#" {"a": [1, -2.5e3, true, null, "x\u00e9\ud83d\ude00\n"], "b": {"c": ""}, "a2": 0} "#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}

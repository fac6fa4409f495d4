//! How one text of bytes holds several: the separator that no JSON, header or TOML may hold as it is.

use std::borrow::Cow;

/// Stands between two parts: the record separator of ASCII.
pub const SEPARATOR: u8 = 0x1e;

/// The parts of an input, one after the other; empty ones once they have run out.
#[derive(Debug)]
pub(crate) struct Parts<'a>(Option<&'a [u8]>);

impl<'a> Parts<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(Some(bytes))
    }

    pub(crate) fn next(&mut self) -> &'a [u8] {
        let Some(rest) = self.0 else { return &[] };
        match rest.iter().position(|byte| *byte == SEPARATOR) {
            Some(end) => {
                self.0 = Some(&rest[end + 1..]);
                &rest[..end]
            }
            None => {
                self.0 = None;
                rest
            }
        }
    }

    /// The next part, as text.
    pub(crate) fn text(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.next())
    }

    /// Everything that is left, separators included.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0.unwrap_or_default()
    }
}

/// Does the text hold the part?
pub(crate) fn holds(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// The text with a part replaced wherever it stands.
pub(crate) fn replaced(text: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        match rest.strip_prefix(part) {
            Some(after) => {
                out.extend_from_slice(by);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

//! The few colours there are. None of them says anything that the text does not say.

/// A look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Headings.
    Bold,
    /// What failed, is missing, or must be looked at.
    Red,
    /// What is as it should be, or was added.
    Green,
    /// What should be mended.
    Yellow,
    /// What to do.
    Cyan,
}

impl Style {
    /// The text in this look, if colours are wanted.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        if !colour {
            return text.to_owned();
        }
        let code = match self {
            Self::Bold => "1",
            Self::Red => "1;31",
            Self::Green => "32",
            Self::Yellow => "1;33",
            Self::Cyan => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

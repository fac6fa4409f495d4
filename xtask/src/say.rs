//! The two streams: data to standard output, words to standard error.
//!
//! Nothing else in the crate writes to them. A reader that has gone is no reason to stop.

use std::io::{self, Write as _};

/// Tells the developer something.
pub fn words(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints what was asked for.
pub fn data(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

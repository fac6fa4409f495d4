//! Does nothing wrong, but its file is written again and again while it serves (`tests/end-to-end/src/hostile.rs`).

use hostile_guests::Hostile;

/// The guest.
#[derive(Debug)]
pub struct NeverStaysTheSame;

impl Hostile for NeverStaysTheSame {}

hostile_guests::guest!(NeverStaysTheSame);

//! The log of the run.

use crate::testing::during;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

pub fn log(level: Level, message: &str) {
    during(|run| run.logs.push((level, message.to_owned())));
}

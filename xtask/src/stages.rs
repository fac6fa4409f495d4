//! Stages: what is being done, how long it has taken, and which of them failed.

use std::time::{Duration, Instant};

use crate::say;
use crate::tool::Result;

/// The stages of one command.
#[derive(Debug)]
pub struct Stages {
    started: Instant,
    ended: Vec<Ended>,
}

#[derive(Debug)]
struct Ended {
    name: String,
    took: Duration,
    passed: bool,
}

impl Stages {
    /// Begins; the time runs from here.
    #[must_use]
    pub fn begin() -> Self {
        Self { started: Instant::now(), ended: Vec::new() }
    }

    /// Does one stage under its heading.
    ///
    /// # Errors
    ///
    /// When the stage fails.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        say::words(&format!("\n== {name} (after {})", in_words(self.started.elapsed())));
        let began = Instant::now();
        let result = work();
        self.ended.push(Ended { name: name.to_owned(), took: began.elapsed(), passed: result.is_ok() });
        result
    }

    /// What was done, a line each, and the sum.
    #[must_use]
    pub fn summary(&self) -> String {
        let width = self.ended.iter().map(|stage| stage.name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for Ended { name, took, passed } in &self.ended {
            let verdict = if *passed { "passed" } else { "FAILED" };
            text.push_str(&format!("  {name:width$}  {verdict}  {:>8}\n", in_words(*took)));
        }
        let total = "all of it";
        text.push_str(&format!("  {total:width$}          {:>8}", in_words(self.started.elapsed())));
        text
    }
}

/// As people say it: `850 ms`, `4.2 s`, `12 min 05 s`.
#[must_use]
pub fn in_words(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {:02} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_stage_is_marked_in_the_summary() {
        let mut stages = Stages::begin();
        stages.run("one", || Ok(())).unwrap();
        stages.run("the other", || Err::<(), _>("no".into())).unwrap_err();
        let summary = stages.summary();
        let lines: Vec<_> = summary.lines().collect();
        assert!(lines[0].contains("one") && lines[0].contains("passed"), "{summary}");
        assert!(lines[1].contains("the other") && lines[1].contains("FAILED"), "{summary}");
    }

    #[test]
    fn durations_are_told_in_the_unit_that_people_would_choose() {
        let told = |milliseconds| in_words(Duration::from_millis(milliseconds));
        assert_eq!([told(850), told(4_250), told(725_000)], ["850 ms", "4.2 s", "12 min 05 s"]);
    }
}

//! What a process writes on standard error, line by line, while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::wait::until_some;

/// How many of the last lines are shown when a test fails.
const SHOWN: usize = 25;

/// The log of a process.
#[derive(Debug)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    /// Reads until the process closes its end.
    #[must_use]
    pub fn read(from: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        Self { lines, reader: Some(reader) }
    }

    /// Everything so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The lines so far that are JSON.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The events so far with this message.
    #[must_use]
    pub fn events_of(&self, message: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["message"] == message);
        events
    }

    /// The first event with this message for which `is_it` holds, waited for.
    pub fn wait_for(&self, message: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        until_some(&format!("the log says {message:?}"), || self.events_of(message).into_iter().find(|e| is_it(e)))
    }

    /// The events with this message, when there are so many.
    #[must_use]
    pub fn wait_for_all(&self, message: &str, count: usize) -> Vec<Value> {
        let events = until_some(&format!("the log says {message:?} {count} times"), || {
            Some(self.events_of(message)).filter(|events| events.len() >= count)
        });
        assert_eq!(events.len(), count, "{events:?}");
        events
    }

    /// Waits until the process has closed its end, so that nothing more comes.
    pub fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }

    /// The last lines, for people.
    #[must_use]
    pub fn tail(&self) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }
}

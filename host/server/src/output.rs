//! Everything that is printed: data to standard output, words to standard error.
//!
//! Owns the two streams and how they look. Nothing else in the crate writes to them. Text from shops and learners never
//! reaches a terminal with its control characters.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use crate::cli::{CliError, error::Words};

pub mod human;
mod style;
pub mod table;

pub use self::{
    style::Style,
    table::{Cell, Column, Table},
};

/// Columns that a terminal is taken to have if it does not say.
const DEFAULT_WIDTH: usize = 80;

/// Where data and words go, and how they look there.
pub struct Output {
    json: bool,
    /// Columns of the terminal that data goes to; none if it goes elsewhere, where nothing is cut.
    width: Option<usize>,
    colour_data: bool,
    colour_words: bool,
    data: Mutex<Box<dyn Write + Send>>,
    words: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("json", &self.json).field("width", &self.width).finish_non_exhaustive()
    }
}

impl Output {
    /// The streams of this process.
    #[must_use]
    pub fn of_process(json: bool) -> Self {
        let (data, words) = (io::stdout(), io::stderr());
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        let width = data
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(&data).map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0)));
        Self {
            json,
            width,
            colour_data: colour && data.is_terminal(),
            colour_words: colour && words.is_terminal(),
            data: Mutex::new(Box::new(data)),
            words: Mutex::new(Box::new(words)),
        }
    }

    /// Other streams, without colour: for tests, and for commands inside commands.
    #[must_use]
    pub fn to(data: Box<dyn Write + Send>, words: Box<dyn Write + Send>, json: bool, width: Option<usize>) -> Self {
        Self { json, width, colour_data: false, colour_words: false, data: Mutex::new(data), words: Mutex::new(words) }
    }

    /// Is data to be printed for programs?
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a list: a table for people, one JSON object a line for programs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn list<T: Serialize>(&self, items: &[T], table: impl FnOnce(&[T]) -> Table) -> Result<(), CliError> {
        if self.json {
            return items.iter().try_for_each(|item| self.json(item));
        }
        if items.is_empty() {
            self.say("there are none");
            return Ok(());
        }
        self.table(&table(items))
    }

    /// Prints one thing: text for people, one JSON object for programs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn item<T: Serialize>(&self, item: &T, text: impl FnOnce(&T) -> String) -> Result<(), CliError> {
        if self.json { self.json(item) } else { self.text(&text(item)) }
    }

    /// Prints a table as part of something larger for people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table(&self, table: &Table) -> Result<(), CliError> {
        self.line(&table.render(self.width, self.colour_data))
    }

    /// Prints a heading, after an empty line, as part of something larger for people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn heading(&self, text: &str) -> Result<(), CliError> {
        self.line(&format!("\n{}", Style::Bold.paint(&human::printable(text), self.colour_data)))
    }

    /// Prints lines of data for people. Control characters other than line ends are shown as `�`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn text(&self, text: &str) -> Result<(), CliError> {
        self.line(&human::printable(text))
    }

    /// Prints a line of data for people that begins with a word in a look of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn marked(&self, style: Style, word: &str, rest: &str) -> Result<(), CliError> {
        let word = style.paint(&human::printable(word), self.colour_data);
        self.line(&format!("{word}{}", human::printable(rest)))
    }

    /// Writes bytes of data as they are.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut stream = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::OutputClosed,
            _ => CliError::failed(format!("cannot write to standard output: {error}")),
        })
    }

    /// Tells something to whoever runs the command.
    pub fn say(&self, text: &str) {
        self.tell(&human::printable(text));
    }

    /// Tells of something that should be mended, though it is no failure.
    pub fn warning(&self, message: &str, hint: Option<&str>) {
        self.labelled("warning", Style::Yellow, message, hint);
    }

    /// Tells why a command was not carried out.
    pub fn error(&self, error: &CliError) {
        for Words { message, hint } in error.words() {
            self.labelled("error", Style::Red, &message, hint.as_deref());
        }
    }

    fn line(&self, text: &str) -> Result<(), CliError> {
        self.raw(format!("{}\n", text.trim_end_matches('\n')).as_bytes())
    }

    fn json<T: Serialize>(&self, item: &T) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(item).map_err(|error| CliError::failed(format!("cannot print: {error}")))?;
        line.push(b'\n');
        self.raw(&line)
    }

    fn labelled(&self, label: &str, style: Style, message: &str, hint: Option<&str>) {
        let mut text =
            format!("{} {}", style.paint(&format!("{label}:"), self.colour_words), human::printable(message));
        if let Some(hint) = hint {
            let label = Style::Cyan.paint("hint:", self.colour_words);
            text.push_str(&format!("\n  {label} {}", human::printable(hint)));
        }
        self.tell(&text);
    }

    fn tell(&self, text: &str) {
        let mut stream = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nowhere left to say that words cannot be said.
        let _ = writeln!(stream, "{text}").and_then(|()| stream.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What was printed as data, and as words.
    fn printed(json: bool, print: impl FnOnce(&Output)) -> (String, String) {
        let (data, words) = (Captured::default(), Captured::default());
        print(&Output::to(Box::new(data.clone()), Box::new(words.clone()), json, None));
        let text = |stream: Captured| String::from_utf8(stream.0.lock().unwrap().clone()).unwrap();
        (text(data), text(words))
    }

    fn numbers(items: &[u32]) -> Table {
        let mut table = Table::new([Column::new("number").right()]);
        items.iter().for_each(|item| table.row([item.to_string()]));
        table
    }

    #[test]
    fn a_list_is_a_table_for_people_and_lines_of_json_for_programs() {
        let list = |output: &Output| output.list(&[1, 20], numbers).unwrap();
        assert_eq!(printed(false, list).0, "NUMBER\n     1\n    20\n");
        assert_eq!(printed(true, list).0, "1\n20\n");
    }

    #[test]
    fn an_empty_list_is_words_for_people_and_nothing_for_programs() {
        let list = |output: &Output| output.list(&[], numbers).unwrap();
        assert_eq!(printed(false, list), (String::new(), "there are none\n".to_owned()));
        assert_eq!(printed(true, list), (String::new(), String::new()));
    }

    #[test]
    fn an_error_is_told_with_its_hint_and_commands_no_terminal() {
        let error = CliError::failed("no order \u{1b}[2J").hint("look again");
        let (data, words) = printed(false, |output| output.error(&error));
        assert_eq!((data.as_str(), words.as_str()), ("", "error: no order �[2J\n  hint: look again\n"));
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let output = Output::to(Box::new(Gone), Box::new(io::sink()), false, None);
        assert_eq!(output.text("data").unwrap_err().exit_code(), 0);
    }
}

//! Reading a TOML document key by key, so that every fault is told at its own place and all of them at once.
//!
//! Owns types, unknown keys and suggestions; knows no key of Bursar's. A reader returns `None` where it has told a
//! problem; the caller carries on, and the configuration is refused in the end.

use std::{fmt::Display, net::SocketAddr, ops::Range, time::Duration};

use reqwest::Url;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{problem::Findings, secret::Secrets, units};

/// How alike two keys must be for one to be offered in place of the other.
const LIKENESS: f64 = 0.6;

/// What all readers of one document share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) findings: &'a Findings<'a>,
    pub(super) secrets: &'a Secrets<'a>,
}

/// A table being read. Every key asked for is a key that exists; [`Table::finish`] refuses the others.
#[derive(Debug)]
pub(super) struct Table<'a> {
    reader: Reader<'a>,
    entries: Option<&'a DeTable<'a>>,
    span: Range<usize>,
    path: String,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(super) fn root(reader: Reader<'a>, document: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            reader,
            entries: Some(document.get_ref()),
            span: document.span(),
            path: String::new(),
            asked: Vec::new(),
        }
    }

    /// The value of a key that may be missing.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Value<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.look_up(key)
    }

    /// What its key `name` says, whether or not it is well-formed.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.look_up("name")?.raw().as_str()
    }

    /// Notes a problem with its key `name`.
    pub(super) fn refuse_name(&self, message: impl Into<String>) {
        if let Some(name) = self.look_up("name") {
            name.refuse(message, None);
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, key: &'static str, example: &str) -> Option<Value<'a>> {
        let value = self.optional(key);
        if value.is_none() {
            let path = join(&self.path, key);
            self.reader.findings.refuse(&self.span, &path, "is missing", Some(format!("add `{key} = {example}`")));
        }
        value
    }

    /// The table under a key; an empty one if the key is missing.
    pub(super) fn table(&mut self, key: &'static str) -> Self {
        self.optional(key).and_then(|value| value.table()).unwrap_or_else(|| Self {
            reader: self.reader,
            entries: None,
            span: self.span.clone(),
            path: join(&self.path, key),
            asked: Vec::new(),
        })
    }

    /// The tables of an array `[[key]]`, each called by its own `name` where it has one.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.optional(key) else { return Vec::new() };
        let Some(items) = value.value.get_ref().as_array() else {
            value.refuse(format!("must be an array of tables: begin each with `[[{key}]]`"), None);
            return Vec::new();
        };
        let tables = items.iter().enumerate().filter_map(|(index, item)| {
            let name = item.get_ref().get("name").and_then(|name| name.get_ref().as_str());
            let place = name.map_or_else(|| (index + 1).to_string(), str::to_owned);
            Value { reader: self.reader, value: item, path: format!("{}[{place}]", value.path) }.table()
        });
        tables.collect()
    }

    /// Every entry of a table whose keys are free.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let (reader, path) = (self.reader, self.path.clone());
        self.entries.into_iter().flat_map(DeTable::iter).map(move |(name, value)| {
            let name = name.get_ref().as_ref();
            (name, Value { reader, value, path: join(&path, name) })
        })
    }

    /// Notes a problem with this table as a whole.
    pub(super) fn refuse(&self, message: impl Into<String>, hint: Option<String>) {
        self.reader.findings.refuse(&self.span, &self.path, message, hint);
    }

    fn look_up(&self, key: &str) -> Option<Value<'a>> {
        let (_, value) = self.entries?.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(Value { reader: self.reader, value, path: join(&self.path, key) })
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.entries.into_iter().flat_map(DeTable::iter) {
            let key = name.get_ref().as_ref();
            if !self.asked.contains(&key) {
                let hint = nearest(key, self.asked.iter().copied())
                    .map(|known| format!("did you mean `{known}`?"))
                    .unwrap_or_else(|| format!("known keys here: {}", self.asked.join(", ")));
                self.reader.findings.refuse(&name.span(), &join(&self.path, key), "unknown key", Some(hint));
            }
        }
    }
}

/// A value being read.
#[derive(Debug)]
pub(super) struct Value<'a> {
    reader: Reader<'a>,
    value: &'a Spanned<DeValue<'a>>,
    path: String,
}

impl<'a> Value<'a> {
    /// Notes a problem with this value.
    pub(super) fn refuse(&self, message: impl Into<String>, hint: Option<String>) {
        self.reader.findings.refuse(&self.value.span(), &self.path, message, hint);
    }

    /// Notes something that the operator should know about this value.
    pub(super) fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.reader.findings.warn(&self.value.span(), &self.path, message, hint);
    }

    /// What the document holds here.
    pub(super) fn raw(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    pub(super) fn reader(&self) -> Reader<'a> {
        self.reader
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.expect("a string", self.raw().as_str())
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.expect("true or false", self.raw().as_bool())
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        let entries = self.expect("a table", self.raw().as_table())?;
        let (reader, span, path) = (self.reader, self.value.span(), self.path.clone());
        Some(Table { reader, entries: Some(entries), span, path, asked: Vec::new() })
    }

    /// The values of an array.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let items = self.expect("an array", self.raw().as_array())?;
        Some(items.iter().map(|value| Value { reader: self.reader, value, path: self.path.clone() }).collect())
    }

    pub(super) fn integer(&self) -> Option<u64> {
        let number = self.raw().as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        self.expect("a whole number", number)
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, least: u64, most: u64) -> Option<u64> {
        let number = self.integer()?;
        self.within(number, least, most, &number.to_string(), &(least.to_string(), most.to_string()))
    }

    /// Text that a type of its own checks. The type's error never repeats the text.
    pub(super) fn parsed<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        parse(text).map_err(|error| self.refuse(format!("{text:?}: {error}"), None)).ok()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let nearest = nearest(text, choices.iter().map(|(word, _)| *word));
            let hint = nearest.map(|word| format!("did you mean \"{word}\"?"));
            self.refuse(format!("{text:?} is not one of {}", words.join(", ")), hint);
        }
        found
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        let text = self.text()?;
        let address = text.parse().ok();
        if address.is_none() {
            let hint = "write an IP address and a port: \"127.0.0.1:8080\", or \"0.0.0.0:8080\" for every interface";
            self.refuse(format!("{text:?} is not an address to listen on"), Some(hint.to_owned()));
        }
        address
    }

    /// A duration within bounds.
    pub(super) fn duration(&self, least: Duration, most: Duration) -> Option<Duration> {
        let text = self.text()?;
        let Some(duration) = units::parse_duration(text) else {
            let hint = "write a number and a unit: \"30s\", \"15m\", \"1h30m\", \"7d\"";
            self.refuse(format!("{text:?} is not a duration"), Some(hint.to_owned()));
            return None;
        };
        let bounds = (units::format_duration(least), units::format_duration(most));
        self.within(duration, least, most, text, &bounds)
    }

    /// A number of bytes within bounds.
    pub(super) fn size(&self, least: usize, most: usize) -> Option<usize> {
        let text = self.text()?;
        let Some(size) = units::parse_size(text) else {
            let hint = "write a number and a unit: \"4 MiB\", \"512 KiB\"";
            self.refuse(format!("{text:?} is not a size"), Some(hint.to_owned()));
            return None;
        };
        self.within(size, least, most, text, &(units::format_size(least), units::format_size(most)))
    }

    /// A SHA-256 in hexadecimal digits.
    pub(super) fn sha256(&self) -> Option<[u8; 32]> {
        let text = self.text()?;
        let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
        let mut sum = [0; 32];
        let mut pairs = digits.chunks(2);
        let read = digits.len() == 2 * sum.len()
            && digits.iter().all(u8::is_ascii_hexdigit)
            && sum.iter_mut().zip(&mut pairs).all(|(byte, pair)| {
                let parsed = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
                parsed.inspect(|parsed| *byte = *parsed).is_some()
            });
        if !read {
            let hint = "write the 64 digits that `bursar adapter inspect FILE` prints";
            self.refuse("is not a SHA-256", Some(hint.to_owned()));
            return None;
        }
        Some(sum)
    }

    /// The address of a web service: `http` or `https`, with no credentials, query or fragment in it.
    pub(super) fn url(&self) -> Option<Url> {
        let text = self.text()?;
        let refuse = |message: &str, hint: &str| self.refuse(message, Some(hint.to_owned()));
        let example = "write it as \"https://lms.example.org\"";
        let Ok(url) = Url::parse(text) else {
            refuse(&format!("{text:?} is not a URL"), example);
            return None;
        };
        if !matches!(url.scheme(), "http" | "https") {
            refuse(&format!("{text:?} is not a URL of a web service"), example);
            return None;
        }
        // Told without repeating the text: it holds a password.
        if !url.username().is_empty() || url.password().is_some() {
            refuse("holds credentials", "put them under their own keys as { env = \"…\" } or { file = \"…\" }");
            return None;
        }
        if url.query().is_some() || url.fragment().is_some() {
            refuse(&format!("{text:?} holds a query or a fragment"), "leave out what follows `?` or `#`");
            return None;
        }
        if url.scheme() == "http" && !is_local(&url) {
            self.warn("sends credentials without encryption", Some("use https".to_owned()));
        }
        Some(url)
    }

    fn within<T: PartialOrd>(&self, value: T, least: T, most: T, text: &str, bounds: &(String, String)) -> Option<T> {
        if value < least {
            self.refuse(format!("{text:?} is less than the least, {}", bounds.0), None);
            return None;
        }
        if value > most {
            self.refuse(format!("{text:?} is more than the most, {}", bounds.1), None);
            return None;
        }
        Some(value)
    }

    fn expect<T>(&self, what: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let kind = match self.raw() {
                DeValue::String(_) => "a string",
                DeValue::Integer(_) => "an integer",
                DeValue::Float(_) => "a float",
                DeValue::Boolean(_) => "a boolean",
                DeValue::Datetime(_) => "a date or time",
                DeValue::Array(_) => "an array",
                DeValue::Table(_) => "a table",
            };
            self.refuse(format!("must be {what}, not {kind}"), None);
        }
        found
    }
}

/// Is it on this machine by its name or address?
pub(super) fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
    })
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The candidate most like `text`, if it is like it at all.
pub(super) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .map(|candidate| (strsim::normalized_damerau_levenshtein(text, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

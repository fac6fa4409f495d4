//! What a real shop sent, and what a person who knows the shop would say of it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::places;

/// A recorded delivery.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The folder's name.
    pub folder: String,
    /// As it was sent, in order.
    pub headers: Vec<(String, String)>,
    /// As it was sent.
    pub body: Vec<u8>,
    /// What signs; none of a greeting, which nothing signs.
    pub secret: Option<String>,
    /// What must become of it.
    pub expected: Value,
}

/// Every delivery that was recorded, by folder.
#[must_use]
pub fn woocommerce() -> Vec<Recorded> {
    let mut folders: Vec<PathBuf> = fs::read_dir(places::project("tests/recorded/woocommerce"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.into_iter().map(read).collect()
}

/// The recorded delivery of this folder.
#[must_use]
pub fn delivery(folder: &str) -> Recorded {
    read(places::project("tests/recorded/woocommerce").join(folder))
}

fn read(path: PathBuf) -> Recorded {
    let json = |name: &str| -> Value { serde_json::from_slice(&fs::read(path.join(name)).unwrap()).unwrap() };
    let request = json("request.json");
    let headers = request["headers"].as_array().unwrap().iter();
    Recorded {
        folder: path.file_name().unwrap().to_string_lossy().into_owned(),
        headers: headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: fs::read(path.join("body.bin")).unwrap(),
        secret: request["secret"].as_str().map(str::to_owned),
        expected: json("expected.json"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

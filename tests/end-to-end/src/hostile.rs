//! The hostile guests: the table that says what becomes of each, and what each needs around it.
//!
//! Owns how a row of `tests/hostile/guests.toml` becomes a shop, its adapter's file and a request. Judges nothing: the tests and the
//! benchmark do.

pub mod made;
pub mod neighbours;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use self::neighbours::Neighbours;
use crate::places;
use crate::plan::{SECRET, Shop};
use crate::site::{Site, request};
use crate::woocommerce::hmac;

/// The table.
pub const TABLE: &str = "tests/hostile/guests.toml";

/// Holds the hexadecimal HMAC-SHA256 of a body.
const SIGNATURE: &str = "X-Signature";

/// How long a restless file stays as it is: not as long as it takes to be read.
const RESTLESS: Duration = Duration::from_millis(100);

/// Where a guest strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Where {
    /// When its file is loaded.
    Load,
    /// While a shop waits for its answer.
    Authenticate,
    /// When a delivery is handled.
    Handle,
}

/// What a guest's shop needs that others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Nothing has to be signed.
    Unsigned,
    /// Leave to ask the shop, which answers.
    Shop,
    /// Leave to ask the shop, which never answers.
    SilentShop,
    /// Leave to ask the shop, whose name leads to a private address.
    PrivateShop,
    /// Leave to ask the LMS.
    Lms,
    /// Leave to ask the LMS, which never answers.
    SilentLms,
    /// Leave to change the LMS.
    Changes,
    /// A body of three megabytes.
    LongBody,
    /// A body that names the private neighbour.
    NeighbourInBody,
    /// Its file is written again and again while it is asked.
    RestlessFile,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    pub name: String,
    /// What it does, in a sentence.
    pub does: String,
    #[serde(rename = "where")]
    pub place: Where,
    /// [`REFUSED`], [`HARMLESS`] or a code.
    pub ends: String,
    /// A part of what is said of it.
    pub says: Option<String>,
    /// What its shop is answered.
    pub answered: u16,
    #[serde(default)]
    pub needs: BTreeSet<Need>,
}

/// The end of a file that is not loaded.
pub const REFUSED: &str = "refused";

/// The end of an attempt that changed nothing.
pub const HARMLESS: &str = "harmless";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    guest: Vec<Guest>,
}

/// The rows of the table.
#[must_use]
pub fn guests() -> Vec<Guest> {
    let text = fs::read_to_string(places::project(TABLE)).unwrap();
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{TABLE}: {error}"));
    table.guest
}

/// The names of everything that is a guest: of the built ones their files, and those that are made when they are needed.
#[must_use]
pub fn known() -> BTreeSet<String> {
    let sources = fs::read_dir(places::project("tests/hostile/guests")).unwrap();
    let sources = sources.map(|entry| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_string_lossy().replace('_', "-")
    });
    sources.chain(made::NAMES.iter().map(ToString::to_string)).collect()
}

impl Guest {
    /// Puts the guest's file among the adapters of a site.
    pub fn settle(&self, site: &Site) {
        let file = site.path(&format!("adapters/{}.wasm", self.name));
        match made::made(&self.name) {
            Some(bytes) => fs::write(file, bytes).unwrap(),
            None => drop(fs::copy(self.component(), file).unwrap()),
        }
    }

    /// Writes the guest's file again and again until told to stop, if that is what the guest does: half of it, then something else,
    /// then all of it. What stands there at the end is the whole.
    pub fn be_restless(&self, site: &Site, stop: &AtomicBool) {
        if !self.needs.contains(&Need::RestlessFile) {
            return;
        }
        let (file, whole) = (site.path(&format!("adapters/{}.wasm", self.name)), fs::read(self.component()).unwrap());
        while !stop.load(Ordering::Relaxed) {
            for bytes in [made::half(&whole), b"something else".to_vec(), whole.clone()] {
                fs::write(&file, bytes).unwrap();
                thread::sleep(RESTLESS);
            }
        }
    }

    fn component(&self) -> PathBuf {
        places::adapter(&format!("hostile/{}.wasm", self.name))
    }

    /// The guest's own shop.
    #[must_use]
    pub fn shop(&self, neighbours: &Neighbours) -> Shop {
        let shop = Shop::new(&self.name).adapter(&self.name);
        let mut permissions = Vec::new();
        let shop = self.needs.iter().fold(shop, |shop, need| match need {
            Need::Unsigned => Shop { secrets: Vec::new(), ..shop.line("unsigned = true") },
            Need::Shop | Need::SilentShop | Need::PrivateShop => {
                permissions.push("\"shop\"");
                shop
            }
            Need::Lms | Need::SilentLms => {
                permissions.push("\"lms-read\"");
                if *need == Need::SilentLms { shop.of_lms(Neighbours::SILENT_LMS) } else { shop }
            }
            Need::Changes => {
                permissions.push("\"lms-write\"");
                shop
            }
            Need::LongBody | Need::NeighbourInBody | Need::RestlessFile => shop,
        });
        let shop = if permissions.is_empty() {
            shop
        } else {
            shop.line(&format!("permissions = [{}]", permissions.join(", ")))
        };
        let api = self.needs.iter().find_map(|need| match need {
            Need::Shop => Some(format!("url = \"http://{}/\"\nprivate_addresses = true", neighbours.shop.address)),
            Need::SilentShop => {
                Some(format!("url = \"http://{}/\"\nprivate_addresses = true", neighbours.silent.address))
            }
            Need::PrivateShop => Some(format!("url = \"http://localhost:{}/\"", neighbours.private.address.port())),
            _ => None,
        });
        match api {
            Some(api) => shop.line(&format!("[shops.api]\n{api}\nbearer = {{ env = \"TEST_API_KEY\" }}")),
            None => shop,
        }
    }

    /// The bytes of a request that the guest's shop sends.
    #[must_use]
    pub fn request(&self, neighbours: &Neighbours) -> Vec<u8> {
        let body = if self.needs.contains(&Need::LongBody) {
            vec![b'x'; 3 << 20]
        } else if self.needs.contains(&Need::NeighbourInBody) {
            neighbours.private.address.to_string().into_bytes()
        } else {
            b"{}".to_vec()
        };
        let headers = [
            ("Content-Type".to_owned(), "application/json".to_owned()),
            (SIGNATURE.to_owned(), hex::encode(hmac(&body, SECRET))),
        ];
        request(&self.name, &headers, &body)
    }
}

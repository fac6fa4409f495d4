//! Looks for the shop's secret in everything that it is given, and in memory that others may have left.

use std::arch::wasm32::memory_grow;
use std::ptr::read_volatile;

use hostile_guests::wasi::cli::{environment, stdin};
use hostile_guests::{Delivery, Hostile, Result, log, settings, tried};

/// Bytes of a page of memory.
const PAGE: usize = 64 << 10;

/// How many pages it asks for: most of what a run may have.
const PAGES: usize = 800;

/// How every secret of the tests begins, in two parts, so that the guest does not find it in itself.
const BEGINNING: [&str; 2] = ["a-secret_of", "-the-shop"];

/// The guest.
#[derive(Debug)]
pub struct LooksForSecrets;

impl Hostile for LooksForSecrets {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        let mut gained = Vec::new();
        let mut look = |place: &str, text: &str| {
            if text.contains(&BEGINNING.concat()) {
                gained.push(format!("the secret is in {place}"));
            }
        };
        let request = delivery.request();
        for (name, value) in request.headers() {
            look(&name, &String::from_utf8_lossy(&value));
        }
        look("the body", &String::from_utf8_lossy(request.body()));
        look("the address", &format!("{}?{}", request.path(), request.query()));
        look("the settings", &settings::read::<serde_json::Value>()?.to_string());
        look("the shop's name", &settings::shop_name());
        look("the environment", &format!("{:?}", environment::get_environment()));
        look("the arguments", &format!("{:?}", environment::get_arguments()));
        look("the input", &format!("{:?}", stdin::get_stdin().blocking_read(1 << 20)));
        match left_behind() {
            Some(bytes) if bytes > 0 => gained.push(format!("{bytes} bytes that somebody left in memory")),
            Some(_) => log::info("memory is clean"),
            None => gained.push("no memory, so it could not look".to_owned()),
        }
        tried(delivery, &gained)
    }
}

/// How many bytes of fresh memory are not zero.
fn left_behind() -> Option<usize> {
    let before = memory_grow(0, PAGES);
    if before == usize::MAX {
        return None;
    }
    let words = PAGES * PAGE / size_of::<u64>();
    let first = (before * PAGE) as *const u64;
    // The pages were just granted, and nothing else of the guest knows of them.
    Some((0..words).filter(|word| unsafe { read_volatile(first.add(*word)) } != 0).count())
}

hostile_guests::guest!(LooksForSecrets);

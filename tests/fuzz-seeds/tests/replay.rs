//! The seeds of the fuzz targets, and whatever was found by them, through the same functions: with any toolchain. And a number
//! of inputs made from them, always the same ones: a change that breaks a promise is often noticed without libFuzzer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::{fs, ops::Range, path::PathBuf};

use fastrand::Rng;
use fuzz_seeds::SEPARATOR;

/// All of them are small: a seed is read by people too.
const SEEDS_MAX: u64 = 300 << 10;

/// Where the random numbers begin. With another number other inputs are tried.
const RANDOM: u64 = 1;

/// Mistakes in one input.
const MISTAKES_MAX: usize = 4;

/// Longest input in bytes, as for libFuzzer.
const LONGEST: usize = 40 << 10;

/// Bytes that mean something to a reader of some kind.
const ODD: &[u8] = b"\0\t\r\n \"%+-./09:;=@Aa[\\]{}~\x1e\x7f\x80\xc3\xff";

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target)
}

fn replay(target: &str, mutations: usize) {
    let (_, run) = fuzz_seeds::TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no seeds");
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    // The name of what fails, which a panic within does not say.
    let holds = |bytes: &[u8]| std::panic::catch_unwind(|| run(bytes)).is_ok();
    for (path, bytes) in paths.iter().zip(&seeds) {
        assert!(holds(bytes), "{} fails", path.display());
    }
    let mut random = Rng::with_seed(RANDOM);
    for number in 0..mutations {
        let bytes = mutated(&seeds, &mut random);
        if !holds(&bytes) {
            let found = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{target}-{number}"));
            fs::write(&found, &bytes).unwrap();
            panic!("{target} fails with the bytes of {}", found.display());
        }
    }
}

/// A seed with some mistakes in it, the same ones for the same state of `random`.
fn mutated(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut bytes = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..=random.usize(..MISTAKES_MAX) {
        let place = piece(&bytes, random);
        match random.u8(..6) {
            0 => drop(bytes.drain(place)),
            1 => {
                let again = bytes[place.clone()].to_vec();
                bytes.splice(place.end..place.end, again);
            }
            2 => {
                // What stands in another seed, in place of this or beside it.
                let other = &seeds[random.usize(..seeds.len())];
                let taken = other[piece(other, random)].to_vec();
                let place = if random.bool() { place } else { place.start..place.start };
                bytes.splice(place, taken);
            }
            3 => {
                let mut parts: Vec<&[u8]> = bytes.split(|byte| *byte == SEPARATOR).collect();
                let other = &seeds[random.usize(..seeds.len())];
                let others: Vec<&[u8]> = other.split(|byte| *byte == SEPARATOR).collect();
                let (mine, theirs) = (random.usize(..parts.len()), random.usize(..others.len()));
                parts[mine] = others[theirs];
                bytes = parts.join(&SEPARATOR);
            }
            4 if !place.is_empty() => bytes[place.start] ^= 1 << random.u8(..8),
            _ if !place.is_empty() => bytes[place.start] = *random.choice(ODD).unwrap(),
            _ => {}
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// A piece of the bytes, more often a short one than a long one.
fn piece(bytes: &[u8], random: &mut Rng) -> Range<usize> {
    let start = random.usize(..=bytes.len());
    let longest = (bytes.len() - start) >> random.u32(..8);
    start..start + random.usize(..=longest)
}

macro_rules! replayed {
    ($($name:ident: $target:literal and $mutations:literal more,)*) => {
        $(#[test]
        fn $name() {
            replay($target, $mutations);
        })*

        /// A target without a test would be replayed by nobody.
        const REPLAYED: &[&str] = &[$($target),*];
    };
}

// So many more as take a second or two.
replayed! {
    components_are_described_truly_or_refused_in_words: "component" and 200 more,
    faults_of_a_configuration_have_their_place: "config" and 1_000 more,
    fixtures_are_written_as_they_were_read: "fixtures" and 5_000 more,
    only_the_right_hmac_is_taken: "hmac" and 10_000 more,
    public_keys_prove_only_what_they_signed: "keys" and 5_000 more,
    what_is_to_be_blanked_is_gone: "redact" and 10_000 more,
    no_request_is_answered_by_accident: "request" and 500 more,
    the_kits_schemes_believe_who_holds_the_secret: "schemes" and 10_000 more,
    the_kits_readers_agree_with_others: "values" and 10_000 more,
}

#[test]
fn every_target_is_replayed_and_its_seeds_are_small() {
    assert_eq!(fuzz_seeds::TARGETS.map(|(name, _)| name), *REPLAYED);
    let sizes = REPLAYED.iter().flat_map(|target| fs::read_dir(folder(target)).unwrap());
    let all: u64 = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(all <= SEEDS_MAX, "{all} bytes of seeds");
}

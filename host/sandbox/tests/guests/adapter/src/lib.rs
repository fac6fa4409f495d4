//! An adapter that does what it is told: the request's path says how `authenticate` behaves, the delivery's topic how
//! `handle` does, and a word in its data how `describe` does.

use std::hint::black_box;

#[cfg(not(feature = "everything"))]
mod bindings {
    wit_bindgen::generate!({ path: "../../../../../wit/0.1.0", world: "bursar:adapter/minimal", generate_all });
}
#[cfg(feature = "everything")]
mod bindings {
    wit_bindgen::generate!({ path: ["../../../../../wit/0.1.0", "wit"], world: "test:adapter/everything", generate_all });
}

mod handle;
#[cfg(feature = "everything")]
mod wasi;

use bindings::bursar::adapter::{
    incoming::{Delivery, Description, Request, Verdict},
    logging, orders, settings,
    signatures::{self, Hash, KeyForm, Part, Proof},
    types::{Problem, Remedy},
};
use bindings::exports::bursar::adapter::adapter::Guest;

struct Adapter;

bindings::export!(Adapter with_types_in bindings);

/// How `describe` behaves. The tests put another word in place of it into the compiled bytes.
static DESCRIBE: [u8; 16] = *b"describe:normal.";

pub(crate) fn problem(remedy: Remedy, code: &str) -> Problem {
    Problem { remedy, code: code.into(), message: "told to".into(), retry_after: Some(60) }
}

impl Guest for Adapter {
    fn describe() -> Description {
        let description = Description::new("test", "1.2.3");
        description.topic("accept", "what it says");
        description.secret("webhook", "signs requests");
        description.optional_secret("shared", "is sent along");
        description.optional_permission("lms-read", "learns what is there");
        description.key_set("keys", "nothing uses it");
        description.redact_header("authorization");
        description.redact_body("/card/number");
        description.document("query", "the query of the subscription", "subscription {\n\torder\n}\n");
        description.settings(
            r#"{"type":"object","properties":{"greeting":{"type":"string","default":"hello"}},"additionalProperties":false}"#,
        );
        match black_box(&DESCRIBE) {
            b"describe:panic.." => panic!("told to"),
            b"describe:spin..." => spin(),
            b"describe:schema." => {
                description.settings(r#"{"type":"object","properties":{"a":{"type":"string","pattern":".*"}}}"#);
            }
            b"describe:unsound" => return Description::new("Not A Name", "1.2.3"),
            _ => {}
        }
        description
    }

    fn authenticate(request: &Request) -> Result<Verdict, Problem> {
        let path = request.path();
        let (verb, argument) =
            path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        match verb {
            "hmac" => {
                check(request)?;
                let verdict = Verdict::accept(&request.header("x-topic")?);
                verdict.about("order-7");
                verdict.key("event-1");
                verdict.occurred_at(1_700_000_000_000);
                Ok(verdict)
            }
            "fail-then-accept" => {
                let _ = check(request);
                Ok(Verdict::accept("unproven"))
            }
            "standard" => {
                let signed = [
                    Part::Text(format!("{}.{}.", request.header("webhook-id")?, request.header("webhook-timestamp")?)),
                    Part::Body,
                ];
                let presented = request.header("webhook-signature")?;
                let presented = presented.strip_prefix("v1,").unwrap_or(&presented).to_owned();
                signatures::hmac("webhook", KeyForm::Base64, Hash::Sha256, &signed, &Proof::Base64(presented))?;
                Ok(Verdict::accept("standard"))
            }
            "shared" => {
                signatures::shared_key("shared", request.header("x-key")?.as_bytes())?;
                Ok(Verdict::accept("shared"))
            }
            "fresh" => {
                signatures::fresh(argument.parse().unwrap(), 300)?;
                Ok(Verdict::accept("fresh"))
            }
            "ed25519" => {
                let signed = [
                    Part::Text(format!("{}.{}.", request.header("svix-id")?, request.header("svix-timestamp")?)),
                    Part::Body,
                ];
                let presented = request.header("svix-signature")?;
                let presented = presented.strip_prefix("v1a,").unwrap_or(&presented).to_owned();
                signatures::ed25519("keys", &signed, &Proof::Base64(presented))?;
                Ok(Verdict::accept("ed25519"))
            }
            "jws" => {
                let algorithms: Vec<String> = argument.split(',').map(String::from).collect();
                signatures::detached_jws("keys", &algorithms, &request.header("saleor-signature")?)?;
                Ok(Verdict::accept("jws"))
            }
            "accept" => Ok(Verdict::accept("unproven")),
            "ignore" => Ok(Verdict::ignore("of no interest")),
            "respond" => Ok(Verdict::respond(argument.parse().unwrap(), "text/plain", b"pong")),
            "respond-html" => Ok(Verdict::respond(200, "text/html", b"pong")),
            "respond-long" => Ok(Verdict::respond(200, "text/plain", &[b'x'; 4097])),
            "answer" => {
                check(request)?;
                let verdict = Verdict::accept("answered");
                verdict.answer(202, "application/json", b"{}");
                Ok(verdict)
            }
            "problem" => Err(match argument {
                "none" => problem(Remedy::None, "told-so"),
                "later" => problem(Remedy::Later, "told-so"),
                "operator" => problem(Remedy::Operator, "told-so"),
                other => problem(Remedy::None, other),
            }),
            "long-problem" => Err(Problem {
                remedy: Remedy::None,
                code: "x".repeat(100),
                message: "line\nbreak ".repeat(100),
                retry_after: None,
            }),
            "header" => {
                request.header(argument)?;
                Ok(Verdict::ignore("found"))
            }
            "echo" => {
                logging::log(
                    logging::Level::Info,
                    &format!("{} {} {}", request.method(), request.query(), request.received_at()),
                );
                logging::log(
                    logging::Level::Info,
                    &format!("{} headers, {} bytes", request.headers().len(), request.body().len()),
                );
                logging::log(logging::Level::Debug, &format!("{} {}", settings::shop_name(), settings::json()));
                Ok(Verdict::ignore("told"))
            }
            "panic" => innermost_function(argument),
            "spin" => spin(),
            "grow" => grow(argument.parse().unwrap()),
            "recurse" => {
                logging::log(logging::Level::Info, &recurse(0).to_string());
                Ok(Verdict::ignore("never"))
            }
            "recurse-lean" => {
                logging::log(logging::Level::Info, &recurse_lean(0).to_string());
                Ok(Verdict::ignore("never"))
            }
            "log" => {
                for _ in 0..argument.parse::<u32>().unwrap() {
                    logging::log(logging::Level::Warning, "the same line again and again");
                }
                Ok(Verdict::ignore("logged"))
            }
            "giant-string" => {
                logging::log(logging::Level::Info, &"x".repeat(8 << 20));
                Ok(Verdict::ignore("never"))
            }
            "bodies" => {
                for _ in 0..argument.parse::<u32>().unwrap() {
                    black_box(request.body());
                }
                Ok(Verdict::ignore("read"))
            }
            "calls" => loop {
                black_box(request.received_at());
            },
            "checks" => {
                for _ in 0..1_000 {
                    let _ = check(request);
                }
                Ok(Verdict::ignore("never"))
            }
            "verdicts" => {
                let verdicts: Vec<_> = (0..1_000).map(|_| Verdict::ignore("one of many")).collect();
                Ok(verdicts.into_iter().next().unwrap())
            }
            "long-subject" => {
                let verdict = Verdict::accept("topic");
                verdict.about(&"x".repeat(256));
                Ok(verdict)
            }
            "remember" => {
                static mut SEEN: u32 = 0;
                // One thread and one call for each instance: nothing else can look at it meanwhile.
                let seen = unsafe {
                    SEEN += 1;
                    SEEN
                };
                Ok(Verdict::ignore(&format!("seen {seen}")))
            }
            "wrong-phase" => {
                logging::log(logging::Level::Info, &format!("{} known", orders::known("1").len()));
                Ok(Verdict::ignore("asked"))
            }
            "state-order" => {
                orders::Order::patch("1", &[1]);
                Ok(Verdict::ignore("never"))
            }
            #[cfg(feature = "everything")]
            "permissions" => {
                handle::permissions()?;
                Ok(Verdict::ignore("never"))
            }
            #[cfg(feature = "everything")]
            "wasi" => {
                wasi::call(argument);
                Ok(Verdict::ignore("called"))
            }
            _ => Err(problem(Remedy::None, "unknown-path")),
        }
    }

    fn handle(delivery: &Delivery) -> Result<(), Problem> {
        handle::handle(delivery)
    }
}

fn check(request: &Request) -> Result<(), Problem> {
    let presented = Proof::Base64(request.header("x-signature")?);
    signatures::hmac("webhook", KeyForm::Text, Hash::Sha256, &[Part::Body], &presented)
}

#[inline(never)]
fn innermost_function(text: &str) -> ! {
    panic!("told to: {text}")
}

pub(crate) fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

fn grow(megabytes: usize) -> Result<Verdict, Problem> {
    let mut kept = Vec::new();
    for _ in 0..megabytes {
        kept.push(vec![1_u8; 1 << 20]);
        black_box(&kept);
    }
    Ok(Verdict::ignore("grown"))
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if black_box(true) { recurse(depth + 1) + frame[7] } else { depth }
}

/// As [`recurse`], but without anything in linear memory, so that the engine's stack runs over first.
#[inline(never)]
fn recurse_lean(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { recurse_lean(depth + 1).wrapping_mul(3).rotate_left(5) ^ depth }
}

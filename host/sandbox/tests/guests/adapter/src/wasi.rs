//! Calls of WASI, as a language's runtime makes them.

use crate::bindings::{
    bursar::adapter::logging,
    wasi::{
        cli::{environment, exit, stderr, stdin, stdout},
        clocks::{monotonic_clock, wall_clock},
        filesystem::preopens,
        io::streams::{OutputStream, StreamError},
        random::random,
    },
};

fn log(message: &str) {
    logging::log(logging::Level::Info, message);
}

fn print(stream: &OutputStream, text: &str) {
    stream.blocking_write_and_flush(text.as_bytes()).unwrap();
}

pub(crate) fn call(what: &str) {
    let (what, argument) = what.split_once('/').unwrap_or((what, "0"));
    let number: u64 = argument.parse().unwrap();
    match what {
        "what-there-is" => {
            let input = stdin::get_stdin().blocking_read(1);
            log(&format!(
                "{} {} {:?} {} {}",
                environment::get_environment().len(),
                environment::get_arguments().len(),
                environment::initial_cwd(),
                preopens::get_directories().len(),
                matches!(input, Err(StreamError::Closed)),
            ));
        }
        "print" => {
            let (out, error) = (stdout::get_stdout(), stderr::get_stderr());
            print(&out, "fir");
            print(&out, "st\nsecond \x1b[31m");
            print(&error, "a warning\n");
            log("logged");
            print(&out, "\nunfinished");
        }
        "print-much" => {
            let out = stdout::get_stdout();
            for _ in 0..number {
                print(&out, "the same line again and again\n");
            }
        }
        "clocks" => {
            let now = wall_clock::now();
            log(&format!("{} {}", now.seconds, now.nanoseconds));
        }
        "sleep" => {
            let before = monotonic_clock::now();
            monotonic_clock::subscribe_duration(number * 1_000_000).block();
            log(&format!("{}", (monotonic_clock::now() - before) / 1_000_000));
        }
        "random" => {
            let bytes = random::get_random_bytes(number);
            log(&bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        "exit" => exit::exit(if number == 0 { Ok(()) } else { Err(()) }),
        "pollables" => {
            let mut kept = Vec::new();
            loop {
                kept.push(monotonic_clock::subscribe_duration(1));
            }
        }
        _ => panic!("told to do what it cannot"),
    }
}

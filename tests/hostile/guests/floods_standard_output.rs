//! Prints without end.

use hostile_guests::{Delivery, Hostile, Result, wasi::cli::stdout};

/// The guest.
#[derive(Debug)]
pub struct FloodsStandardOutput;

impl Hostile for FloodsStandardOutput {
    fn handle(_: &Delivery<'_>) -> Result<()> {
        let out = stdout::get_stdout();
        loop {
            let _ = out.blocking_write_and_flush(&b"again\n".repeat(600));
        }
    }
}

hostile_guests::guest!(FloodsStandardOutput);

//! The binary `bursar`: hands its arguments to the library.

fn main() {}

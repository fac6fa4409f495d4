//! Answers with a page of its own in place of what shops understand.

use hostile_guests::{Hostile, Request, Result, Verdict, proven};

/// The guest.
#[derive(Debug)]
pub struct AnswersWithAPage;

impl Hostile for AnswersWithAPage {
    fn authenticate(request: &Request<'_>) -> Result<Verdict> {
        proven(request)?;
        Ok(Verdict::respond(200, "text/html", b"<script>alert(1)</script>"))
    }
}

hostile_guests::guest!(AnswersWithAPage);

//! Cases that must fail do fail, and say why. A case that cannot fail shows nothing.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

use std::path::Path;

use scenarios::play;

/// What is said of a case of these steps.
fn said(steps: &str) -> String {
    let case = format!("title = \"A case\"\nwhy = \"It shows that cases can fail.\"\n{steps}");
    play::text_in(&case, Path::new("")).unwrap_err()
}

/// What is said of a case in which Ada buys a course, and of which this is expected.
fn said_of_a_purchase(then: &str) -> String {
    said(&format!("[[steps]]\ndo = \"order 42: ada buys BIO\"\nthen = {then}"))
}

#[test]
fn the_case_that_the_others_are_made_from_is_right() {
    let case = "title = \"A case\"\nwhy = \"w\"\n[[steps]]\ndo = \"order 42: ada buys BIO\"\nthen = \"ada in CS101 as verified\"";
    assert_eq!(play::text_in(case, Path::new("")), Ok(()));
}

#[test]
fn what_is_expected_and_not_so_is_told_in_words() {
    let said = said_of_a_purchase("\"ada in CS101 as audit\"");
    assert_eq!(
        said,
        "A case\nafter step 1 (order 42: ada buys BIO):\n  expected ada in CS101 as audit; the LMS has active as verified"
    );
}

#[test]
fn an_enrollment_that_nobody_mentions_is_a_failure() {
    assert!(said_of_a_purchase("\"delivery 1 done\"").contains("nobody expected ada in CS101"));
}

#[test]
fn a_review_that_nobody_mentions_is_a_failure() {
    let said = said("[[steps]]\ndo = \"order 42: ada buys NEW\"\nthen = \"no writes\"");
    assert!(said.contains("nobody expected the open review product-unmapped"), "{said}");
}

#[test]
fn calls_writes_grants_states_and_answers_are_judged() {
    for (then, complaint) in [
        ("[\"ada in CS101 as verified\", \"no writes\"]", "expected no writes; the host sent POST"),
        ("[\"ada in CS101 as verified\", \"calls enrollment_post: 2\"]", "there were 1"),
        ("[\"ada in CS101 as verified\", \"calls any: at most 1\"]", "there were"),
        ("[\"ada in CS101 as verified\", \"order 42 owes nothing\"]", "it owes CS101 verified"),
        ("[\"ada in CS101 as verified\", \"order 42 owes CS102 verified\"]", "it owes CS101 verified"),
        ("[\"ada in CS101 as verified\", \"delivery 1 rejected\"]", "it is done"),
        ("[\"ada in CS101 as verified\", \"answered 401\"]", "it was 200"),
        ("[\"ada in CS101 as verified\", \"ben may enroll in CS101\"]", "there is no such permission"),
    ] {
        let said = said_of_a_purchase(then);
        assert!(said.contains(complaint), "{then}: {said}");
    }
}

#[test]
fn what_a_command_prints_is_judged() {
    for (table, complaint) in [
        ("prints = [\"owed to ben\"]", "\"owed to ben\" is not in:"),
        ("never_prints = [\"owed to ada\"]", "\"owed to ada\" is in:"),
        ("fails = true", "it ended well"),
    ] {
        let then = format!("[\"ada in CS101 as verified\", {{ bursar = \"learner show ada\", {table} }}]");
        let said = said_of_a_purchase(&then);
        assert!(said.contains(complaint), "{table}: {said}");
    }
}

#[test]
fn what_is_still_to_be_written_when_a_case_ends_is_a_failure() {
    let said = said(
        "[[steps]]\ndo = [\"order 42: ada buys BIO\", \"order 42: refunded\"]\nthen = \"ada in CS101 as verified\"",
    );
    assert!(said.contains("a day later:"), "{said}");
    assert!(said.contains("inactive as verified"), "{said}");
    assert!(said.contains("expected no writes"), "{said}");
}

#[test]
fn what_changes_when_everything_is_sent_once_more_is_a_failure() {
    // WooCommerce tells of a bin by an id alone, so the same words again are another bin.
    let said = said(
        "[shops.campus]\nadapter = \"woocommerce\"\non_delete = \"revoke\"\n\
         [[steps]]\ndo = [\"order 42: ada buys BIO\", \"order 42: deleted\", \"wait 20 minutes\", \"order 42: not deleted\"]\n\
         then = \"ada in CS101 as verified\"",
    );
    assert!(said.contains("when every delivery had been sent once more:"), "{said}");
}

#[test]
fn a_fault_that_was_never_met_is_a_failure() {
    let said = said("[[steps]]\ndo = \"fault enrollment_post conflict once\"\nthen = \"no writes\"");
    assert!(said.contains("a fault switched on"), "{said}");
}

//! The table of ways round a refusal, row by row, and that no way is tried twice.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const EARLIER: Timestamp = Timestamp::from_millis(500);
const LATER: Timestamp = Timestamp::from_millis(2_000);

fn mode(slug: &str) -> Mode {
    Mode::parse(slug).unwrap()
}

fn run() -> RunFacts {
    RunFacts { modes: vec![(mode("audit"), None), (mode("verified"), None)], ..RunFacts::default() }
}

fn inactive(slug: &str) -> Seen {
    Seen::Inactive { mode: mode(slug) }
}

fn active(slug: &str) -> Seen {
    Seen::Active { mode: mode(slug) }
}

/// After a plain request for `verified`, bought at `sold_at`, was refused.
fn next(refused: Refused, seen: &Seen, run: &RunFacts, sold_at: i64, force: Force, has_api_key: bool) -> Next {
    let verified = mode("verified");
    let sold_at = Timestamp::from_millis(sold_at);
    let purchase = Purchase { mode: &verified, sold_at, force, has_api_key };
    after_refusal(Way::Plain, refused, seen, run, &purchase, NOW)
}

#[test]
fn a_closed_run_is_forced_for_whoever_paid_while_it_was_open() {
    let closed = RunFacts { closes: Some(EARLIER), ..run() };
    let asked = |sold_at, force| next(Refused::Enrollment, &Seen::Absent, &closed, sold_at, force, false);
    assert_eq!(asked(499, Force::IfPaidWhileOpen), Next::Try(Way::Force));
    assert_eq!(asked(500, Force::IfPaidWhileOpen), Next::GiveUp(Obstacle::Closed));
    assert_eq!(asked(600, Force::Always), Next::Try(Way::Force));
    assert_eq!(asked(499, Force::Never), Next::GiveUp(Obstacle::Closed));
}

#[test]
fn a_run_that_has_not_opened_is_waited_for() {
    let early = RunFacts { opens: Some(LATER), ..run() };
    let asked = |force| next(Refused::Enrollment, &Seen::Absent, &early, 1, force, false);
    assert_eq!(asked(Force::IfPaidWhileOpen), Next::WaitUntil(LATER));
    assert_eq!(asked(Force::Never), Next::WaitUntil(LATER));
    assert_eq!(asked(Force::Always), Next::Try(Way::Force));
}

#[test]
fn an_invitation_is_replaced_by_force_only_where_the_policy_says_always() {
    let invited = RunFacts { invitation_only: true, ..run() };
    let asked = |force| next(Refused::Enrollment, &Seen::Absent, &invited, 1, force, false);
    assert_eq!(asked(Force::IfPaidWhileOpen), Next::GiveUp(Obstacle::InvitationOnly));
    assert_eq!(asked(Force::Always), Next::Try(Way::Force));
}

#[test]
fn an_open_run_that_refuses_is_likely_full_and_force_does_not_help() {
    let asked = next(Refused::Enrollment, &Seen::Absent, &run(), 1, Force::Always, true);
    assert_eq!(asked, Next::GiveUp(Obstacle::LikelyFull));
}

#[test]
fn an_inactive_enrollment_in_an_expired_mode_is_activated_without_naming_it() {
    let expired = RunFacts { modes: vec![(mode("verified"), Some(EARLIER))], ..run() };
    let asked = next(Refused::Mode, &inactive("verified"), &expired, 999, Force::Never, false);
    assert_eq!(asked, Next::Try(Way::KeepMode));
}

#[test]
fn a_first_enrollment_into_an_expired_mode_needs_force() {
    let expired = RunFacts { modes: vec![(mode("verified"), Some(EARLIER))], ..run() };
    let asked = |sold_at| next(Refused::Mode, &Seen::Absent, &expired, sold_at, Force::IfPaidWhileOpen, true);
    assert_eq!(asked(400), Next::Try(Way::Force));
    assert_eq!(asked(600), Next::GiveUp(Obstacle::ModeExpired { mode: mode("verified") }));
}

#[test]
fn an_upgrade_after_the_deadline_needs_the_api_key() {
    let expired = RunFacts { modes: vec![(mode("audit"), None), (mode("verified"), Some(EARLIER))], ..run() };
    for seen in [active("audit"), inactive("audit")] {
        let asked = |sold_at, key| next(Refused::Mode, &seen, &expired, sold_at, Force::IfPaidWhileOpen, key);
        assert_eq!(asked(400, true), Next::Try(Way::ApiKey));
        assert_eq!(asked(400, false), Next::GiveUp(Obstacle::ModeExpired { mode: mode("verified") }));
        assert_eq!(asked(600, true), Next::GiveUp(Obstacle::ModeExpired { mode: mode("verified") }));
    }
}

#[test]
fn a_mode_that_the_run_never_had_is_named() {
    let without = RunFacts { modes: vec![(mode("audit"), None)], ..run() };
    let asked = next(Refused::Mode, &Seen::Absent, &without, 1, Force::Always, true);
    assert_eq!(asked, Next::GiveUp(Obstacle::ModeNotOffered { mode: mode("verified") }));
}

proptest! {
    #[test]
    fn after_a_second_refusal_there_is_no_third_way(
        tried in prop::sample::select(vec![Way::KeepMode, Way::Force, Way::ApiKey]),
        refused in prop::sample::select(vec![Refused::Mode, Refused::Enrollment]),
        opens in prop::option::of(0_i64..2_000), closes in prop::option::of(0_i64..2_000),
        invitation_only in any::<bool>(), has_api_key in any::<bool>(), sold_at in 0_i64..2_000,
        force in prop::sample::select(vec![Force::Never, Force::IfPaidWhileOpen, Force::Always]),
    ) {
        let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        let facts = RunFacts { opens: at(opens), closes: at(closes), invitation_only, ..run() };
        let verified = mode("verified");
        let purchase = Purchase { mode: &verified, sold_at: Timestamp::from_millis(sold_at), force, has_api_key };
        let next = after_refusal(tried, refused, &Seen::Absent, &facts, &purchase, NOW);
        prop_assert!(!matches!(next, Next::Try(_)), "{next:?}");
    }
}

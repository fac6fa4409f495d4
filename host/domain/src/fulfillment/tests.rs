//! The decision table, row by row, and what must hold whatever the rows say.

use proptest::prelude::*;

use super::*;

fn mode(slug: &str) -> Mode {
    Mode::parse(slug).unwrap()
}

fn ladder() -> ModeLadder {
    ModeLadder::new(["audit", "honor", "verified"].map(mode).to_vec())
}

fn active(slug: &str) -> Seen {
    Seen::Active { mode: mode(slug) }
}

fn inactive(slug: &str) -> Seen {
    Seen::Inactive { mode: mode(slug) }
}

fn grant(slug: &str, since: i64) -> LiveGrant {
    LiveGrant { mode: mode(slug), since: Timestamp::from_millis(since), earlier_sale: false }
}

fn history(baseline: Seen, given: &[&str]) -> History {
    History { baseline: Some(baseline), given: given.iter().copied().map(mode).collect(), satisfied_at: None }
}

fn decide_restore(grants: &[LiveGrant], history: &History, seen: &Seen) -> Action {
    decide(grants, history, seen, &ladder(), OnRevoke::Restore)
}

#[test]
fn a_learner_who_bought_and_is_not_there_is_enrolled() {
    let action = decide_restore(&[grant("verified", 1)], &History::default(), &Seen::Absent);
    assert_eq!(action, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
}

#[test]
fn of_two_purchases_the_better_mode_is_given() {
    let grants = [grant("audit", 1), grant("verified", 2)];
    let action = decide_restore(&grants, &History::default(), &Seen::Absent);
    assert_eq!(action, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
}

#[test]
fn what_is_right_already_is_left_alone() {
    let action = decide_restore(&[grant("verified", 1)], &History::default(), &active("verified"));
    assert_eq!(action, Action::Nothing { reason: Reason::AlreadyRight });
}

#[test]
fn less_is_upgraded_and_more_is_never_lowered_unless_we_gave_it() {
    let owed = [grant("honor", 1)];
    let upgrade = decide_restore(&owed, &History::default(), &active("audit"));
    assert_eq!(upgrade, Action::Enroll { mode: mode("honor"), reason: Reason::Upgraded { from: mode("audit") } });
    let theirs = decide_restore(&owed, &History::default(), &active("verified"));
    assert_eq!(theirs, Action::Nothing { reason: Reason::HasBetter { mode: mode("verified") } });
    let ours = decide_restore(&owed, &history(Seen::Absent, &["verified"]), &active("verified"));
    assert_eq!(ours, Action::Enroll { mode: mode("honor"), reason: Reason::LoweredToRemaining });
}

#[test]
fn a_mode_outside_the_ladder_is_never_changed() {
    let action = decide_restore(&[grant("verified", 1)], &History::default(), &active("masters"));
    assert_eq!(action, Action::Nothing { reason: Reason::ModeOutsideLadder { mode: mode("masters") } });
}

#[test]
fn what_was_sold_outside_the_ladder_is_given_to_whoever_has_nothing_and_else_a_person_is_asked() {
    let sold = [grant("masters", 1)];
    let absent = decide_restore(&sold, &History::default(), &Seen::Absent);
    assert_eq!(absent, Action::Enroll { mode: mode("masters"), reason: Reason::Bought });
    let has = decide_restore(&sold, &History::default(), &active("masters"));
    assert_eq!(has, Action::Nothing { reason: Reason::AlreadyRight });
    for seen in [inactive("masters"), active("audit")] {
        assert!(matches!(decide_restore(&sold, &History::default(), &seen), Action::Ask { .. }), "{seen:?}");
    }
}

#[test]
fn a_learner_who_left_is_not_dragged_back_until_they_buy_again() {
    let mut known = history(Seen::Absent, &["verified"]);
    known.satisfied_at = Some(Timestamp::from_millis(10));
    let left = decide_restore(&[grant("verified", 5)], &known, &inactive("verified"));
    assert_eq!(left, Action::Nothing { reason: Reason::Left });
    let bought_again = decide_restore(&[grant("verified", 5), grant("verified", 20)], &known, &inactive("verified"));
    assert_eq!(bought_again, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
}

#[test]
fn who_is_not_enrolled_any_more_of_what_was_sold_before_bursar_is_left_in_peace() {
    let earlier = LiveGrant { earlier_sale: true, ..grant("verified", 5) };
    let left = decide_restore(std::slice::from_ref(&earlier), &History::default(), &inactive("verified"));
    assert_eq!(left, Action::Nothing { reason: Reason::Left });
    let bought = decide_restore(&[earlier.clone(), grant("verified", 6)], &History::default(), &inactive("verified"));
    assert_eq!(bought, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
    let absent = decide_restore(&[earlier], &History::default(), &Seen::Absent);
    assert_eq!(absent, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
}

#[test]
fn an_enrollment_that_vanished_is_made_again() {
    let mut known = history(Seen::Absent, &["verified"]);
    known.satisfied_at = Some(Timestamp::from_millis(10));
    let lost = decide_restore(&[grant("verified", 5)], &known, &Seen::Absent);
    assert_eq!(lost, Action::Enroll { mode: mode("verified"), reason: Reason::Bought });
}

#[test]
fn when_nothing_is_left_the_learner_has_what_they_had_before() {
    let had_audit = decide_restore(&[], &history(active("audit"), &["verified"]), &active("verified"));
    assert_eq!(had_audit, Action::Enroll { mode: mode("audit"), reason: Reason::Restored });
    let had_nothing = decide_restore(&[], &history(Seen::Absent, &["verified"]), &active("verified"));
    assert_eq!(had_nothing, Action::Unenroll { mode: mode("verified"), reason: Reason::Restored });
}

#[test]
fn what_we_did_not_give_we_do_not_take() {
    let never_touched = decide_restore(&[], &history(active("verified"), &[]), &active("verified"));
    assert_eq!(never_touched, Action::Nothing { reason: Reason::NothingGiven });
    let changed_by_others = decide_restore(&[], &history(Seen::Absent, &["audit"]), &active("verified"));
    assert_eq!(changed_by_others, Action::Nothing { reason: Reason::NotOurs { mode: mode("verified") } });
}

#[test]
fn an_inactive_enrollment_is_never_switched_off_twice() {
    let action = decide_restore(&[], &history(Seen::Absent, &["verified"]), &inactive("verified"));
    assert_eq!(action, Action::Nothing { reason: Reason::AlreadyGone });
}

#[test]
fn each_policy_takes_in_its_own_way() {
    let known = history(active("honor"), &["verified"]);
    let decided = |policy| decide(&[], &known, &active("verified"), &ladder(), policy);
    assert_eq!(decided(OnRevoke::Keep), Action::Nothing { reason: Reason::Kept });
    assert_eq!(decided(OnRevoke::Downgrade), Action::Enroll { mode: mode("audit"), reason: Reason::Restored });
    assert_eq!(decided(OnRevoke::Unenroll), Action::Unenroll { mode: mode("verified"), reason: Reason::Restored });
    assert!(matches!(decided(OnRevoke::Review), Action::Ask { .. }));
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec!["audit", "honor", "verified", "masters"]).prop_map(mode)
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        Just(Seen::Absent),
        any_mode().prop_map(|mode| Seen::Inactive { mode }),
        any_mode().prop_map(|mode| Seen::Active { mode }),
    ]
}

fn any_policy() -> impl Strategy<Value = OnRevoke> {
    prop::sample::select(vec![
        OnRevoke::Restore,
        OnRevoke::Unenroll,
        OnRevoke::Downgrade,
        OnRevoke::Keep,
        OnRevoke::Review,
    ])
}

fn any_history() -> impl Strategy<Value = History> {
    (prop::option::of(any_seen()), prop::collection::vec(any_mode(), 0..3), prop::option::of(0_i64..30)).prop_map(
        |(baseline, given, satisfied)| History {
            // Nothing is given before the baseline is written down.
            given: if baseline.is_some() { given } else { Vec::new() },
            baseline,
            satisfied_at: satisfied.map(Timestamp::from_millis),
        },
    )
}

/// What the LMS says after the action was done there.
fn done(seen: &Seen, action: &Action) -> Seen {
    match action {
        Action::Enroll { mode, .. } => Seen::Active { mode: mode.clone() },
        Action::Unenroll { mode, .. } => Seen::Inactive { mode: mode.clone() },
        Action::Nothing { .. } | Action::Ask { .. } => seen.clone(),
    }
}

/// What we know afterwards.
fn remembered(history: &History, seen: &Seen, action: &Action) -> History {
    let mut after = history.clone();
    if let Action::Enroll { mode, .. } = action {
        after.baseline.get_or_insert_with(|| seen.clone());
        after.given.push(mode.clone());
        after.satisfied_at = Some(Timestamp::from_millis(1_000));
    }
    after
}

proptest! {
    #[test]
    fn what_was_done_causes_nothing_more(
        modes in prop::collection::vec((any_mode(), 0_i64..30), 0..4),
        history in any_history(), seen in any_seen(), policy in any_policy()
    ) {
        let grants: Vec<LiveGrant> =
            modes.into_iter().map(|(mode, since)| LiveGrant { mode, since: Timestamp::from_millis(since), earlier_sale: false }).collect();
        let first = decide(&grants, &history, &seen, &ladder(), policy);
        let after = remembered(&history, &seen, &first);
        let second = decide(&grants, &after, &done(&seen, &first), &ladder(), policy);
        prop_assert!(matches!(second, Action::Nothing { .. } | Action::Ask { .. }), "first {first:?}, then {second:?}");
    }

    #[test]
    fn a_mode_that_we_never_gave_is_never_lowered_or_taken(
        modes in prop::collection::vec(any_mode(), 0..3), history in any_history(), seen in any_seen(), policy in any_policy()
    ) {
        let grants: Vec<LiveGrant> =
            modes.into_iter().map(|mode| LiveGrant { mode, since: Timestamp::from_millis(1), earlier_sale: false }).collect();
        let Seen::Active { mode: has } = &seen else { return Ok(()) };
        prop_assume!(!history.given.contains(has));
        match decide(&grants, &history, &seen, &ladder(), policy) {
            Action::Enroll { mode, .. } => prop_assert!(ladder().rank(&mode) > ladder().rank(has)),
            Action::Unenroll { .. } => prop_assert!(false, "took what was not given"),
            Action::Nothing { .. } | Action::Ask { .. } => {}
        }
    }
}

//! Plays one cell of the matrix.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bursar_domain::{Clock as _, decision::Answer, reason::Concern};
use bursar_store::decisions::Person;
use openedx_simulator::{Fault, Received};
use serde::Deserialize;

use super::{
    Outcome,
    call::{Call, Story},
    fault::{Kind, Lasts},
    is_ours, outcome,
};
use crate::{
    Result,
    action::Action,
    case::{CAMPUS, Case, LmsWritten, ShopWritten, Written},
    expectation::Expectation,
    judge::{Expected, Found, complaints},
    play::{self, Play},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How long a lasting fault lasts.
const TROUBLE: Duration = HOUR.saturating_mul(2);

/// How long after the LMS is well again everything may take to come right: no pause is longer than five minutes, and two may
/// follow each other.
const PATIENCE: Duration = MINUTE.saturating_mul(20);

/// Time makes no smaller jumps than this while a cell waits. Far below the pauses that matter.
const STRIDE: Duration = Duration::from_secs(5);

/// After a name was refused for a day, it is tried again in this time.
const PATIENCE_OF_REGISTRATIONS: Duration = HOUR.saturating_mul(26);

/// How many requests a fault may strike while it lasts. With pauses that grow to five minutes it is some thirty tries of a
/// call, and a token that is refused is renewed once a try.
const STRUCK_MAX: usize = 80;

/// How many if the LMS itself says "in a minute", or, where it says nothing, for how long it counts calls.
const STRUCK_BY_THE_MINUTE_MAX: usize = 125;

/// How many requests there may be in all meanwhile. A try reads and writes.
const REQUESTS_MAX: usize = 260;

/// How many there may be if somebody without an account is looked for, too.
const REQUESTS_WHILE_LOOKING_MAX: usize = 700;

/// What an LMS in trouble may have people asked.
const IN_TROUBLE: [&str; 4] = ["lms-misconfigured", "enrollment-refused", "revoke", "registration-refused"];

/// What a case of this stage would have written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stage {
    lms: LmsWritten,
    shops: BTreeMap<String, ShopWritten>,
}

/// `enroll/server-error-after/once`.
#[must_use]
pub fn name(call: Call, kind: Kind, lasts: Lasts) -> String {
    format!("{}/{}/{}", call.name(), kind.name(), lasts.name())
}

/// Plays it.
pub fn play(call: Call, kind: Kind, lasts: Lasts) -> Result<()> {
    let story = call.story();
    let Stage { lms, mut shops } = toml::from_str(story.stage).map_err(|error| error.to_string())?;
    if shops.is_empty() {
        shops.insert(CAMPUS.to_owned(), ShopWritten::default());
    }
    let name = name(call, kind, lasts);
    let written =
        Written { title: name.clone(), why: name, lms, shops: shops.clone(), steps: Vec::new(), not_again: None };
    let case = Case { written, shops, steps: Vec::new() };
    play::on_stage(&case, Path::new(""), async |play| {
        let mut cell = Cell { call, kind, lasts, story, play };
        cell.whole().await
    })
}

struct Cell<'p, 'c> {
    call: Call,
    kind: Kind,
    lasts: Lasts,
    story: Story,
    play: &'p mut Play<'c>,
}

impl Cell<'_, '_> {
    async fn whole(&mut self) -> Result<()> {
        self.happen(self.story.before).await?;
        self.play.lms.take_requests();
        self.switch_on()?;
        self.happen(self.story.happens).await?;
        self.never_wrong("at once")?;
        if self.lasts == Lasts::UntilCleared {
            self.suffer().await?;
        }
        self.met()?;
        self.switch_off()?;
        let patience = match (self.call, self.kind, self.lasts) {
            (Call::Registration, Kind::Conflict, Lasts::UntilCleared) => PATIENCE_OF_REGISTRATIONS,
            _ => PATIENCE,
        };
        self.wait(patience).await?;
        match outcome(self.call, self.kind, self.lasts) {
            Outcome::Right => self.is_right("when the LMS was well again").await?,
            Outcome::Asked(code) => {
                self.is(self.story.untouched, &[code], "when the LMS was well again").await?;
                self.answer(code).await?;
                self.wait(PATIENCE).await?;
                self.is_right("after the answer").await?;
            }
            Outcome::Told(code) => {
                self.wait(DAY * 8).await?;
                self.is(self.story.untouched, &[code], "after a week").await?;
                return Ok(());
            }
            Outcome::Believed => {
                self.is(self.story.untouched, &[], "when the LMS was well again").await?;
                self.happen(&["gwen registers", "gwen confirms the address"]).await?;
                self.play.host.wait(HOUR, &self.play.lms).await?;
                self.is(&["gwen in CS101 as verified"], &[], "when she had registered").await?;
                return Ok(());
            }
        }
        self.play.lms.take_requests();
        // Just found right, under whatever name.
        let (enrollments, allowed) = (self.play.lms.enrollments(), self.play.lms.allowed());
        self.play.expected = Expected::unchanged(&Found { enrollments, allowed, ..Found::default() });
        self.play.end(true).await
    }

    async fn happen(&mut self, sentences: &[&str]) -> Result<()> {
        for sentence in sentences {
            let action = Action::parse(sentence, CAMPUS)?;
            self.play.happen(&action).await.map_err(|error| format!("{sentence}: {error}"))?;
        }
        Ok(())
    }

    fn switch_on(&self) -> Result<()> {
        match self.fault() {
            Some(fault) => self.play.lms.simulator.add_fault(fault),
            None => self.play.lms.simulator.unplug(),
        }
        Ok(())
    }

    fn switch_off(&self) -> Result<()> {
        self.play.lms.simulator.clear_faults();
        self.play.lms.simulator.plug_in().map_err(|error| error.to_string())
    }

    fn fault(&self) -> Option<Fault> {
        let kind = self.kind.of_simulator(self.lasts, self.call.gives())?;
        Some(self.call.struck(kind, self.lasts))
    }

    /// The fault goes on for hours: nothing goes wrong, the LMS is left in peace, and a person is told what they must mend.
    async fn suffer(&mut self) -> Result<()> {
        self.wait(TROUBLE).await?;
        let reviews = self.play.host.reviews().await?;
        let told = |code: &str| reviews.iter().any(|(known, _)| known == code);
        // What came right in spite of it needs nobody.
        let right =
            complaints(&Expected { reviews: Vec::new(), ..expected(self.story.right) }, &self.held()).is_empty();
        if is_ours(self.call, self.kind) && !right && !told("lms-misconfigured") {
            return Err(format!("nobody was told that the LMS needs mending; open are: {reviews:?}"));
        }
        // What is so in the end may be found out before.
        let in_the_end = |code: &str| self.story.right.iter().any(|sentence| sentence.ends_with(code));
        let codes = reviews.iter().map(|(code, _)| code.as_str());
        let unexpected: Vec<&str> = codes.filter(|code| !IN_TROUBLE.contains(code) && !in_the_end(code)).collect();
        if unexpected.is_empty() { Ok(()) } else { Err(format!("while it lasted people were asked {unexpected:?}")) }
    }

    /// Was the call struck at all, and seldom enough?
    fn met(&mut self) -> Result<()> {
        let requests = self.play.lms.take_requests();
        let struck = requests.iter().filter(|request| request.fault.is_some()).count();
        if struck == 0 && self.kind != Kind::Unplugged {
            return Err(format!("the fault was never met; the requests were:\n{}", shown(&requests)));
        }
        let looks =
            self.story.looks_for_somebody || (self.call, self.kind) == (Call::AccountByName, Kind::NotFoundEmpty);
        let most = if looks { REQUESTS_WHILE_LOOKING_MAX } else { REQUESTS_MAX };
        let struck_most = match (self.call, self.kind) {
            // A sound answer, after which somebody is looked for.
            (Call::AccountByName, Kind::NotFoundEmpty) => most,
            (_, Kind::TooMany | Kind::TooManyForAMinute) => STRUCK_BY_THE_MINUTE_MAX,
            _ => STRUCK_MAX,
        };
        if struck > struck_most || requests.len() > most {
            return Err(format!("{} requests, of which the fault struck {struck}, are too many", requests.len()));
        }
        Ok(())
    }

    async fn wait(&mut self, time: Duration) -> Result<()> {
        // What is due is dealt with at its time, however often that is; only looking for somebody is spared.
        let stride = if self.story.looks_for_somebody { time / 40 } else { STRIDE };
        let part = time / 4;
        for number in 1..=4 {
            self.play.host.wait_in_strides(part, stride, &self.play.lms).await?;
            self.never_wrong(&format!("after {number} of 4 parts of {time:?}"))?;
        }
        Ok(())
    }

    /// At every moment the LMS holds what it held before, or what it must hold in the end.
    fn never_wrong(&self, when: &str) -> Result<()> {
        let found = self.held();
        // Two learners are dealt with one after the other.
        let parts = self.story.right.iter().map(|sentence| [*sentence]).filter(|_| self.story.untouched.is_empty());
        let states = [self.story.untouched.to_vec(), self.story.right.to_vec()].into_iter();
        let mut states = states.chain(parts.map(Vec::from));
        let so = |state: &Vec<&str>| {
            let expected = Expected { reviews: Vec::new(), ..expected(state) };
            complaints(&expected, &found).is_empty()
        };
        if states.any(|state| so(&state)) { Ok(()) } else { Err(format!("{when} the LMS holds {found:?}")) }
    }

    fn held(&self) -> Found {
        let (enrollments, allowed) = (self.play.lms.enrollments(), self.play.lms.allowed());
        let mut held = Found { enrollments, allowed, ..Found::default() };
        self.forgive_the_name(&mut held);
        held
    }

    async fn is_right(&mut self, when: &str) -> Result<()> {
        self.is(self.story.right, &[], when).await
    }

    async fn is(&mut self, sentences: &[&str], reviews: &[&str], when: &str) -> Result<()> {
        let mut expected = expected(sentences);
        expected.reviews.extend(reviews.iter().map(|code| ((*code).to_owned(), None)));
        let mut found = self.play.found().await?;
        self.forgive_the_name(&mut found);
        let wrong = complaints(&expected, &found);
        if wrong.is_empty() {
            return Ok(());
        }
        let requests = self.play.lms.take_requests();
        Err(format!("{when}:\n  {}\nthe requests since then were:\n{}", wrong.join("\n  "), shown(&requests)))
    }

    /// Whoever is registered gets another username when the first one is said to be taken. The address is theirs.
    fn forgive_the_name(&self, found: &mut Found) {
        if self.call != Call::Registration {
            return;
        }
        let users = self.play.lms.simulator.snapshot().users;
        let Some(gwen) = users.into_iter().find(|user| user.email == "gwen@example.org") else { return };
        let rows = std::mem::take(&mut found.enrollments).into_iter();
        let called = |who: String| if who == gwen.username { "gwen".to_owned() } else { who };
        found.enrollments = rows.map(|((who, run), row)| ((called(who), run), row)).collect();
    }

    async fn answer(&self, code: &str) -> Result<()> {
        let store = self.play.host.store()?;
        let open = store.reviews(false).await.map_err(|error| error.to_string())?;
        let review = open.into_iter().find(|review| review.concern.code() == code).ok_or("the review is gone")?;
        let answer = if matches!(review.concern, Concern::Revoke { .. }) { Answer::Take } else { Answer::Again };
        let person = Person { name: "ida".to_owned(), why: "the LMS is well again".to_owned() };
        let policies = BTreeMap::from([(self.play.host.policy(CAMPUS)?.shop.clone(), self.play.host.policy(CAMPUS)?)]);
        let now = self.play.host.clock.now();
        store.answer_review(review.id, answer, person, policies, now).await.map_err(|error| error.to_string())?;
        self.play.host.settle().await
    }
}

fn expected(sentences: &[&str]) -> Expected {
    let read: Vec<Expectation> =
        sentences.iter().map(|text| Expectation::parse(text, CAMPUS).expect("the matrix is written by hand")).collect();
    let mut expected = Expected::default();
    expected.add(&read);
    expected
}

/// The last requests, for whoever has to find out what went wrong.
fn shown(requests: &[Received]) -> String {
    let from = requests.len().saturating_sub(SHOWN);
    let line = |request: &Received| {
        let fault = request.fault.as_deref().unwrap_or_default();
        format!("  {} {} {} {} {:?} {fault}", request.at, request.method, request.path, request.body, request.status)
    };
    requests[from..].iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many of them.
const SHOWN: usize = 25;

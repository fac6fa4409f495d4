//! Random lives of orders, against an oracle that is small enough to be seen to be right.
//!
//! `PROPTEST_CASES` sets how many lives are played; what failed once is kept in `proptest-regressions/properties.txt` and is
//! played first ever after.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::Path,
    time::Duration,
};

use bursar_domain::Clock as _;
use bursar_store::decisions::{OrderDecision, OrderPart, Person};
use openedx_simulator::{Endpoint, Received};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::FileFailurePersistence};
use scenarios::{
    Result,
    action::Action,
    case::{Case, LmsWritten, ShopWritten, Written},
    clock::CaseClock,
    judge::is_write,
    order::{Cause, Fact, Line, LineFact, Order, Payment, Sentence, Who},
    play::{self, Play},
    shop::{Message, Shops},
    words,
};

const SHOPS: [&str; 2] = ["campus", "library"];
const LEARNERS: [&str; 3] = ["ada", "ben", "cleo"];
const RUNS: [&str; 2] = ["CS101", "CS102"];
/// Product, course run, mode.
const SOLD: [(&str, &str, &str); 4] = [
    ("BIO", "CS101", "verified"),
    ("HON", "CS101", "honor"),
    ("CHEM", "CS102", "verified"),
    ("PRO", "CS102", "professional"),
];
/// From least to most, as the host has it by default.
const LADDER: [&str; 4] = ["audit", "honor", "verified", "professional"];
const CAUSES: [Cause; 4] = [Cause::Refunded, Cause::Cancelled, Cause::Disputed, Cause::Deleted];

/// How many lives are played where nobody says.
const LIVES: u32 = 24;
/// Longer than an LMS that was away is left alone, and than taking waits.
const LONG: Duration = Duration::from_secs(3_600);

fn config() -> ProptestConfig {
    let cases = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(LIVES);
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");
    ProptestConfig {
        cases,
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        ..ProptestConfig::default()
    }
}

// What happens.

/// A change of an order. Where there is no such line, or it may not be said any more, nothing is said.
#[derive(Debug, Clone)]
enum Step {
    Pay(bool),
    Undecided,
    Hold(usize, bool),
    LineRefunded(usize, bool),
    QuantityRefunded(usize),
    Gone(usize),
    Adds(usize, Option<usize>),
    For(usize),
}

/// An order from its beginning to its end.
#[derive(Debug, Clone)]
struct Life {
    shop: usize,
    buyer: usize,
    /// Product, learner, quantity.
    lines: Vec<(usize, Option<usize>, u32)>,
    paid: bool,
    steps: Vec<Step>,
}

/// What comes between deliveries.
#[derive(Debug, Clone)]
enum Between {
    Down,
    Back,
    Restart,
    Minutes(u64),
}

/// Everything that happens.
#[derive(Debug, Clone)]
struct Plan {
    /// By learner and run: mode, and whether it is active.
    baselines: Vec<Option<(usize, bool)>>,
    lives: Vec<Life>,
    /// How far each delivery is from its place.
    disorder: Vec<u8>,
    again: Vec<Index>,
    between: Vec<(Index, Between)>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(Step::Pay),
        1 => Just(Step::Undecided),
        4 => (0..CAUSES.len(), any::<bool>()).prop_map(|(cause, holds)| Step::Hold(cause, holds)),
        2 => (0..3_usize, any::<bool>()).prop_map(|(line, holds)| Step::LineRefunded(line, holds)),
        2 => (0..3_usize).prop_map(Step::QuantityRefunded),
        1 => (0..3_usize).prop_map(Step::Gone),
        2 => (0..SOLD.len(), learner()).prop_map(|(product, who)| Step::Adds(product, who)),
        2 => (0..LEARNERS.len()).prop_map(Step::For),
    ]
}

fn learner() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![3 => Just(None), 1 => (0..LEARNERS.len()).prop_map(Some)]
}

fn life() -> impl Strategy<Value = Life> {
    let lines = vec((0..SOLD.len(), learner(), 1..3_u32), 1..3);
    (0..SHOPS.len(), 0..LEARNERS.len(), lines, any::<bool>(), vec(step(), 0..6))
        .prop_map(|(shop, buyer, lines, paid, steps)| Life { shop, buyer, lines, paid, steps })
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        Just(Between::Down),
        Just(Between::Back),
        Just(Between::Restart),
        (1..60_u64).prop_map(Between::Minutes),
        (1..60_u64).prop_map(Between::Minutes),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let baseline = prop_oneof![1 => Just(None), 1 => (0..3_usize, any::<bool>()).prop_map(Some)];
    (
        vec(baseline, LEARNERS.len() * RUNS.len()),
        vec(life(), 1..5),
        vec(0..6_u8, 24),
        vec(any::<Index>(), 0..5),
        vec((any::<Index>(), between()), 0..6),
    )
        .prop_map(|(baselines, lives, disorder, again, between)| Plan {
            baselines,
            lives,
            disorder,
            again,
            between,
        })
}

// What is said of it.

fn address(learner: usize) -> String {
    words::address(LEARNERS[learner])
}

/// What a step says of an order that is like this.
fn facts(step: &Step, order: &Order) -> Vec<Fact> {
    let line = |number: usize| order.lines.get(number % order.lines.len());
    let about = |number: usize, fact: LineFact| line(number).map(|line| Fact::Line(line.id.clone(), fact));
    let fact = match *step {
        Step::Pay(paid) => Some(Fact::Payment(if paid { Payment::Paid } else { Payment::Unpaid })),
        Step::Undecided => Some(Fact::Payment(Payment::Undecided)),
        Step::Hold(cause, holds) => Some(Fact::Hold(CAUSES[cause], holds)),
        Step::LineRefunded(number, holds) => about(number, LineFact::Hold(Cause::Refunded, holds)),
        Step::QuantityRefunded(number) => line(number).and_then(|line| {
            let refunded = line.refunded_quantity.unwrap_or(0) + 1;
            let fact = LineFact::RefundedQuantity(refunded);
            (refunded <= line.quantity.unwrap_or(1)).then(|| Fact::Line(line.id.clone(), fact))
        }),
        // To take the last line away says nothing for certain, and a person is asked.
        Step::Gone(number) => about(number, LineFact::Gone).filter(|_| order.lines.len() > 1),
        Step::Adds(product, who) => {
            let who = who.map(|who| Who::Address(address(who)));
            let fact = LineFact::Is { quantity: Some(1), product: words::product(SOLD[product].0), who };
            Some(Fact::Line(format!("added {}", order.revision), fact))
        }
        // Once it was given, the learner is not changed by the shop.
        Step::For(learner) => Some(Fact::For(Some(address(learner)))).filter(|_| !order.was_paid),
    };
    fact.into_iter().collect()
}

/// An order, as its shop has it.
struct Known {
    shop: usize,
    order: Order,
    /// As was said last. "Undecided" says nothing.
    paid: bool,
}

/// What shops have said of their orders.
struct Told {
    shops: Shops,
    orders: Vec<Known>,
}

impl Told {
    fn say(&mut self, number: usize, facts: Vec<Fact>) -> Message {
        let Known { shop, order, paid } = &mut self.orders[number];
        order.revision += 1;
        order.apply(&facts);
        for fact in &facts {
            match fact {
                Fact::Payment(Payment::Paid) => *paid = true,
                Fact::Payment(Payment::Unpaid) => *paid = false,
                _ => {}
            }
        }
        let sentence = Sentence { shop: SHOPS[*shop].to_owned(), id: order.id.clone(), alone: false, facts };
        self.shops.say(&sentence, "facts", &CaseClock::default()).unwrap()
    }
}

/// Every message, in the order in which the shops make them, and what the orders are in the end.
fn tell(lives: &[Life]) -> (Told, Vec<Message>) {
    let orders = lives.iter().zip(0..).map(|(life, number): (&Life, u32)| {
        // Two shops may use one number.
        Known { shop: life.shop, order: Order::blank(&(40 + number / 2).to_string()), paid: false }
    });
    let mut told = Told { shops: Shops::default(), orders: orders.collect() };
    let mut seen = BTreeSet::new();
    for (number, known) in told.orders.iter_mut().enumerate() {
        if !seen.insert((known.shop, known.order.id.clone())) {
            known.order.id = (90 + number).to_string();
        }
    }
    let mut messages = Vec::new();
    for (number, life) in lives.iter().enumerate() {
        let lines = life.lines.iter().map(|(product, who, quantity)| {
            (Some(*quantity), words::product(SOLD[*product].0), who.map(|who| Who::Address(address(who))))
        });
        let payment = if life.paid { Payment::Paid } else { Payment::Unpaid };
        let begun = Fact::Buys { who: Some(address(life.buyer)), lines: lines.collect() };
        messages.push(told.say(number, vec![Fact::Payment(payment), begun]));
        for step in &life.steps {
            let facts = facts(step, &told.orders[number].order);
            messages.push(told.say(number, facts));
        }
    }
    (told, messages)
}

/// Everybody whom an order was ever for, though it may be for somebody else in the end and a line for them may be gone.
fn named(lives: &[Life]) -> BTreeSet<String> {
    let named = lives.iter().flat_map(|life| {
        let lines = life.lines.iter().filter_map(|(_, who, _)| *who);
        let steps = life.steps.iter().filter_map(|step| match *step {
            Step::Adds(_, who) => who,
            Step::For(who) => Some(who),
            _ => None,
        });
        lines.chain(steps).chain([life.buyer])
    });
    named.map(|learner| LEARNERS[learner].to_owned()).collect()
}

#[derive(Debug, Clone)]
enum Event {
    Deliver(usize),
    Between(Between),
}

/// Deliveries out of order and more than once, and what comes between them. Every message arrives at least once.
fn events(plan: &Plan, messages: usize) -> Vec<Event> {
    let disorder = |number: usize| number + usize::from(plan.disorder[number % plan.disorder.len()]);
    let mut order: Vec<usize> = (0..messages).collect();
    order.sort_by_key(|number| disorder(*number));
    let mut events: Vec<Event> = order.into_iter().map(Event::Deliver).collect();
    for again in &plan.again {
        let number = again.index(messages);
        events.insert(again.index(events.len() + 1), Event::Deliver(number));
    }
    for (at, between) in &plan.between {
        events.insert(at.index(events.len() + 1), Event::Between(between.clone()));
    }
    events
}

// The oracle.

type Access = BTreeMap<(String, String), String>;
/// By learner and run: mode, and whether it is active.
type Enrollments = BTreeMap<(String, String), (String, bool)>;

fn rank(mode: &str) -> usize {
    LADDER.iter().position(|known| *known == mode).unwrap()
}

/// Does the line give what it sells? A deleted order is only asked about.
fn gives(known: &Known, line: &Line, barred: bool, approved: bool) -> bool {
    let held = |holds: &BTreeMap<Cause, bool>| holds.iter().any(|(cause, holds)| *holds && *cause != Cause::Deleted);
    let left = line.quantity.unwrap_or(1) > line.refunded_quantity.unwrap_or(0);
    (known.paid || approved) && !barred && !held(&known.order.holds) && !held(&line.holds) && left
}

/// Who has which mode in the end: the best of what is paid for and of what there was before.
fn oracle(orders: &[Known], baselines: &Access, barred: Option<usize>, approved: Option<usize>) -> Access {
    let mut access = baselines.clone();
    for (number, known) in orders.iter().enumerate() {
        for line in &known.order.lines {
            if !gives(known, line, barred == Some(number), approved == Some(number)) {
                continue;
            }
            let product = line.product.as_deref().unwrap();
            let (_, run, mode) = SOLD.into_iter().find(|sold| words::product(sold.0) == product).unwrap();
            let who = match &line.who {
                Some(Who::Address(address)) => address,
                _ => known.order.who.as_ref().unwrap(),
            };
            let who = who.split('@').next().unwrap().to_owned();
            let best = access.entry((who, words::run(run))).or_insert_with(|| mode.to_owned());
            if rank(mode) > rank(best) {
                *best = mode.to_owned();
            }
        }
    }
    access
}

// The play.

fn baselines(plan: &Plan) -> (Vec<String>, Access) {
    let mut sentences = Vec::new();
    let mut active = Access::new();
    for (number, baseline) in plan.baselines.iter().enumerate() {
        let (who, run) = (LEARNERS[number / RUNS.len()], RUNS[number % RUNS.len()]);
        let Some((mode, is_active)) = baseline else { continue };
        let mode = LADDER[*mode];
        sentences.push(format!("{who} {} {run} as {mode}", if *is_active { "in" } else { "out of" }));
        if *is_active {
            active.insert((who.to_owned(), words::run(run)), mode.to_owned());
        }
    }
    (sentences, active)
}

fn stage(plan: &Plan) -> Case {
    let sells = SOLD.iter().map(|(product, run, mode)| format!("{product}: {run} {mode}")).collect::<Vec<_>>();
    let shop = ShopWritten { sells, ..ShopWritten::default() };
    let shops: BTreeMap<_, _> = SHOPS.iter().map(|name| ((*name).to_owned(), shop.clone())).collect();
    let learners = LEARNERS.map(str::to_owned).to_vec();
    let lms = LmsWritten { learners, enrolled: baselines(plan).0, ..LmsWritten::default() };
    let title = "a random life".to_owned();
    let written =
        Written { title: title.clone(), why: title, lms, shops: shops.clone(), steps: Vec::new(), not_again: None };
    Case { written, shops, steps: Vec::new() }
}

async fn happen(play: &mut Play<'_>, events: &[Event], messages: &[Message], troubles: bool) -> Result<()> {
    for event in events {
        match event {
            Event::Deliver(number) => deliver(play, &messages[*number]).await?,
            Event::Between(Between::Minutes(minutes)) => {
                play.host.wait(Duration::from_secs(minutes * 60), &play.lms).await?;
            }
            Event::Between(_) if !troubles => {}
            Event::Between(Between::Down) => play.happen(&Action::LmsDown).await?,
            Event::Between(Between::Back) => play.happen(&Action::LmsBack).await?,
            Event::Between(Between::Restart) => play.happen(&Action::Restart).await?,
        }
    }
    play.happen(&Action::LmsBack).await?;
    play.host.wait(LONG, &play.lms).await
}

async fn deliver(play: &mut Play<'_>, message: &Message) -> Result<()> {
    let status = play.host.post(message).await?;
    if status != 200 {
        return Err(format!("the host answered {status}"));
    }
    play.host.settle().await?;
    play.host.wait(Duration::from_secs(1), &play.lms).await
}

fn held(play: &Play<'_>) -> Access {
    let rows = play.lms.enrollments().into_iter();
    rows.filter(|(_, (_, active))| *active).map(|(place, (mode, _))| (place, mode)).collect()
}

fn same(found: &Access, expected: &Access, when: &str) -> Result<()> {
    if found == expected { Ok(()) } else { Err(format!("{when}\n  expected {expected:?}\n  the LMS has {found:?}")) }
}

fn writes(requests: &[Received]) -> Vec<String> {
    requests.iter().filter(|request| is_write(request)).map(|request| request.body.clone()).collect()
}

fn on_stage(plan: &Plan, story: impl AsyncFnOnce(&mut Play<'_>) -> Result<()>) -> Result<()> {
    // The pauses are spread by chance, and a failure must come again. All of the host runs on this thread.
    fastrand::seed(1);
    play::on_stage(&stage(plan), Path::new(""), story)
}

proptest! {
    #![proptest_config(config())]

    /// Whatever comes in whatever order, the LMS ends as the last facts say; to hear them once more changes nothing and
    /// costs nothing; and when everything went back, everybody has what they had.
    #[test]
    fn whatever_happened_the_lms_ends_as_the_last_facts_say(plan in plan()) {
        let (mut told, messages) = tell(&plan.lives);
        let before = baselines(&plan).1;
        let played = on_stage(&plan, async |play| {
            let at_first = play.lms.enrollments();
            happen(play, &events(&plan, messages.len()), &messages, true).await?;
            same(&held(play), &oracle(&told.orders, &before, None, None), "in the end")?;
            play.lms.take_requests();
            for message in &messages {
                deliver(play, message).await?;
            }
            let requests = play.lms.take_requests();
            let asked = requests.iter().filter(|request| {
                is_write(request) || matches!(request.endpoint, Endpoint::EnrollmentGet | Endpoint::EnrollmentList)
            });
            let asked: Vec<_> = asked.map(|request| format!("{} {} {}", request.method, request.path, request.body)).collect();
            if !asked.is_empty() {
                return Err(format!("what was fulfilled and came again made the host ask {asked:?}"));
            }
            for number in 0..told.orders.len() {
                let message = told.say(number, vec![Fact::Hold(Cause::Refunded, true)]);
                deliver(play, &message).await?;
            }
            play.host.wait(LONG, &play.lms).await?;
            same(&held(play), &before, "when everything went back")?;
            // What was never sold to anybody is exactly as it was.
            let touched = named(&plan.lives);
            let strangers = |mut rows: Enrollments| {
                rows.retain(|(who, _), _| !touched.contains(who));
                rows
            };
            let (at_first, now) = (strangers(at_first), strangers(play.lms.enrollments()));
            if now == at_first { Ok(()) } else { Err(format!("{at_first:?} became {now:?}")) }
        });
        prop_assert!(played.is_ok(), "{}", played.unwrap_err());
    }

    /// Ada's orders make no difference to Ben and Cleo: the LMS is told the same of them.
    #[test]
    fn facts_about_one_learner_change_nothing_for_another(mut plan in plan()) {
        for life in &mut plan.lives {
            life.steps.retain(|step| !matches!(step, Step::For(_)));
            life.lines.iter_mut().for_each(|line| line.1 = None);
            for step in &mut life.steps {
                if let Step::Adds(_, who) = step { *who = None; }
            }
        }
        let (told, messages) = tell(&plan.lives);
        let ada = address(0);
        let numbers: Vec<usize> = plan.lives.iter().enumerate().flat_map(|(number, life)| vec![number; life.steps.len() + 1]).collect();
        let is_adas = |message: usize| told.orders[numbers[message]].order.who.as_ref() == Some(&ada);
        let mut heard = Vec::new();
        for with_ada in [true, false] {
            let events = events(&plan, messages.len()).into_iter();
            let events: Vec<_> = events.filter(|event| match event {
                Event::Deliver(number) => with_ada || !is_adas(*number),
                Event::Between(_) => true,
            }).collect();
            let played = on_stage(&plan, async |play| {
                // A second passes for every delivery; without Ada's it passes as well.
                happen(play, &events, &messages, false).await?;
                let mut rows = play.lms.enrollments();
                rows.retain(|(who, _), _| who != "ada");
                let mut told: Vec<_> = writes(&play.lms.take_requests());
                told.retain(|body| !body.contains("\"ada\""));
                // What is due at one moment may be done in any order.
                told.sort();
                heard.push((rows, told));
                Ok(())
            });
            prop_assert!(played.is_ok(), "{}", played.unwrap_err());
        }
        prop_assert_eq!(&heard[0], &heard[1]);
    }

    /// A person's word stands, whatever the shop sends again or anew.
    #[test]
    fn what_a_person_decided_stays(plan in plan(), chosen in any::<Index>(), bar in any::<bool>()) {
        let (mut told, mut messages) = tell(&plan.lives);
        let chosen = chosen.index(told.orders.len());
        let before = baselines(&plan).1;
        let decided = |orders: &[Known]| {
            oracle(orders, &before, Some(chosen).filter(|_| bar), Some(chosen).filter(|_| !bar))
        };
        let played = on_stage(&plan, async |play| {
            happen(play, &events(&plan, messages.len()), &messages, false).await?;
            let Known { shop, order, .. } = &told.orders[chosen];
            let policy = play.host.policy(SHOPS[*shop])?;
            let part = OrderPart { shop: policy.shop.clone(), order: order.id.clone(), line: None };
            let decision = if bar { OrderDecision::Bar } else { OrderDecision::Approve };
            let person = Person { name: "ida".to_owned(), why: "as agreed".to_owned() };
            let now = play.host.clock.now();
            play.host.store()?.decide(part, decision, person, policy, now).await.map_err(|error| error.to_string())?;
            play.host.settle().await?;
            play.host.wait(LONG, &play.lms).await?;
            same(&held(play), &decided(&told.orders), "after the decision")?;
            let news = if bar { Fact::Payment(Payment::Paid) } else { Fact::Payment(Payment::Unpaid) };
            messages.push(told.say(chosen, vec![news]));
            for message in messages.iter().rev() {
                deliver(play, message).await?;
            }
            play.host.wait(LONG, &play.lms).await?;
            same(&held(play), &decided(&told.orders), "after the shop said it all again")
        });
        prop_assert!(played.is_ok(), "{}", played.unwrap_err());
    }
}

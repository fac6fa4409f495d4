//! How `handle` behaves, by the delivery's topic.

use crate::{
    bindings::bursar::adapter::{
        catalog,
        incoming::Delivery,
        logging,
        orders::{self, Cause, Order, Payment},
        types::{Problem, Remedy},
    },
    problem, spin,
};

pub(crate) fn handle(delivery: &Delivery) -> Result<(), Problem> {
    let topic = delivery.topic();
    let (verb, argument) = topic.split_once('/').unwrap_or((&topic, ""));
    match verb {
        "nothing" => {
            delivery.ignored("there is nothing to do");
            delivery.review("look at it all the same");
            Ok(())
        }
        "order" => everything_about_an_order(),
        "two-statements" => {
            let first = Order::snapshot("1", &[1]);
            let second = Order::patch("1", &[2]);
            first.line("a").quantity(1);
            second.line("a").quantity(2);
            first.line("a").refunded_quantity(1);
            Ok(())
        }
        "malformed" => {
            let order = Order::snapshot("1", &[1]);
            order.learner_email("   ")?;
            let line = order.line("a");
            let codes = [
                order.learner_email("nobody").unwrap_err().code,
                line.course("CS101", None).unwrap_err().code,
                line.learner_username("a,b").unwrap_err().code,
                line.learner_external("", "x").unwrap_err().code,
            ];
            order.refunded_amount("ten", "EUR", "20");
            logging::log(logging::Level::Info, &codes.join(" "));
            Ok(())
        }
        "state-then-fail" => {
            Order::snapshot("1", &[1]);
            Err(problem(Remedy::Later, "told-so"))
        }
        "facts" => {
            logging::log(
                logging::Level::Info,
                &format!(
                    "{} {} {} {}",
                    delivery.id(),
                    delivery.origin(),
                    delivery.attempt(),
                    delivery.request().body().len()
                ),
            );
            Ok(())
        }
        "known" => {
            for line in orders::known(argument) {
                logging::log(
                    logging::Level::Info,
                    &format!(
                        "{} {} {} {} {:?} {:?} {:?}",
                        line.id(),
                        line.active(),
                        line.quantity(),
                        line.refunded_quantity(),
                        line.product(),
                        line.courses(),
                        line.until()
                    ),
                );
            }
            for (run, mode) in catalog::courses(&[("sku".into(), "SAIL".into())]) {
                logging::log(logging::Level::Info, &format!("{run} {mode}"));
            }
            Ok(())
        }
        "look-ups" => loop {
            orders::known("1");
        },
        "orders" => {
            for id in 0..u32::MAX {
                Order::patch(&id.to_string(), &[1]);
            }
            Ok(())
        }
        "lines" => {
            let order = Order::patch("1", &[1]);
            for id in 0..argument.parse::<u32>().unwrap() {
                let line = order.line(&id.to_string());
                line.product(&[("sku".into(), id.to_string())], "a title");
                line.quantity(1);
                line.learner_email("ada@example.org")?;
            }
            Ok(())
        }
        "forget" => {
            for subject in argument.split(',') {
                delivery.forget(subject);
            }
            Ok(())
        }
        "forgets" => {
            for subject in 0..u32::MAX {
                delivery.forget(&subject.to_string());
            }
            Ok(())
        }
        "facts-without-end" => {
            let order = Order::patch("1", &[1]);
            for id in 0..u32::MAX {
                let line = order.line(&id.to_string());
                for run in 0..100 {
                    line.course(&format!("course-v1:A+B+{run}"), None)?;
                }
            }
            Ok(())
        }
        "holds" => {
            let order = Order::patch("1", &[1]);
            loop {
                order.hold(Cause::Disputed, "again");
            }
        }
        "empty-revision" => {
            Order::patch("1", &[]);
            Ok(())
        }
        "long-id" => {
            Order::patch(&"x".repeat(256), &[1]);
            Ok(())
        }
        "spin" => spin(),
        #[cfg(feature = "everything")]
        "permissions" => permissions(),
        #[cfg(feature = "everything")]
        "call" => call(argument),
        #[cfg(feature = "everything")]
        "calls" => loop {
            let _ = call(argument);
        },
        #[cfg(feature = "everything")]
        "prepared-calls" => {
            let mut kept = Vec::new();
            loop {
                kept.push(crate::bindings::bursar::adapter::shop::Call::new("GET", "/"));
            }
        }
        _ => Err(problem(Remedy::None, "unknown-topic")),
    }
}

fn everything_about_an_order() -> Result<(), Problem> {
    let order = Order::snapshot("1001", &[1_700_000_000, 0]);
    order.number("#1001");
    order.fingerprint("wc_order_x");
    order.origin("https://shop.example.org");
    order.placed_at(1_700_000_000_000);
    order.test();
    order.payment(Payment::Paid);
    order.hold(Cause::Refunded, "status=refunded");
    order.lift(Cause::Cancelled, "status=processing");
    order.refunded_amount("10.50", "EUR", "21.00");
    order.learner_email("buyer@example.org")?;
    order.review("look at it");
    let line = order.line("a");
    line.product(&[("variation".into(), "31".into()), ("sku".into(), "SAIL".into())], "Sailing");
    line.course("course-v1:DemoX+CS101+2026", Some("verified"))?;
    line.parent("bundle");
    line.learner_username("ada")?;
    line.quantity(3);
    line.refunded_quantity(1);
    line.until(1_800_000_000_000);
    line.hold(Cause::Deleted, "trashed");
    line.lift(Cause::Disputed, "won");
    line.review("look at the line");
    Ok(())
}

/// Calls the shop's API as `METHOD PATH` says, and logs what came.
#[cfg(feature = "everything")]
fn call(words: &str) -> Result<(), Problem> {
    use crate::bindings::bursar::adapter::shop::Call;
    let (method, path) = words.split_once(' ').unwrap_or((words, ""));
    let call = Call::new(method, path);
    call.header("Accept", "application/json");
    if method != "GET" {
        call.body("application/json", b"{}");
    }
    let answer = call.send()?;
    logging::log(
        logging::Level::Info,
        &format!(
            "{} {:?} {:?} {}",
            answer.status(),
            answer.header("X-Pages"),
            answer.header("set-cookie"),
            answer.body().len()
        ),
    );
    Ok(())
}

#[cfg(feature = "everything")]
pub(crate) fn permissions() -> Result<(), Problem> {
    use crate::bindings::bursar::adapter::{lms_read, lms_write, shop};
    let call = shop::Call::new("GET", "/orders/1");
    call.header("accept", "application/json");
    call.body("application/json", b"{}");
    let change = lms_write::EnrollmentChange::new("ada", "course-v1:A+B+C");
    change.mode("verified");
    change.active(true);
    change.force();
    change.attribute("a", "b", "c");
    let codes = [
        call.send().map(|answer| answer.status()).unwrap_err().code,
        lms_read::accounts_by_email(&["ada@example.org".into()]).unwrap_err().code,
        change.submit("key").map_or_else(|problem| problem.code, |()| "handed-in".into()),
    ];
    Err(problem(Remedy::Operator, &codes.join("--")))
}

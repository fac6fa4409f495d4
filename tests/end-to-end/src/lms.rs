//! The LMS that sites of tests have unless they say otherwise.

use openedx_simulator::{CourseSpec, Options, Simulator, State};

/// Course runs. Each has the modes `audit`, `verified`, `honor` and `professional`.
pub const CS101: &str = "course-v1:DemoX+CS101+2026";
pub const CS102: &str = "course-v1:DemoX+CS102+2026";

/// The service user's application.
pub const CLIENT_ID: &str = "worker-key";
pub const CLIENT_SECRET: &str = "worker-secret";

/// An LMS with the two course runs, a service user, and nobody else.
#[must_use]
pub fn state() -> State {
    State::with_worker().course(course(CS101, "Testing")).course(course(CS102, "More testing"))
}

/// The same with learners: `ada` is `ada@example.com`.
#[must_use]
pub fn state_with(learners: &[&str]) -> State {
    learners.iter().fold(state(), |state, name| state.learner(name, &email(name)))
}

/// The address of a learner.
#[must_use]
pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// Starts it. Without throttles: they are tested where the client of the LMS is, and would make tests wait for minutes.
#[must_use]
pub fn start(state: State) -> Simulator {
    Simulator::launch(Options::new(state).without_throttle()).unwrap()
}

/// Starts it with the throttles that an LMS has.
#[must_use]
pub fn start_throttled(state: State) -> Simulator {
    Simulator::launch(Options::new(state)).unwrap()
}

fn course(id: &str, name: &str) -> CourseSpec {
    CourseSpec::new(id, name).mode("audit", 0).mode("honor", 0).mode("verified", 49).mode("professional", 99)
}

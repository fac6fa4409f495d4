//! What became of a row: what it must be, what it is, and where they differ.
//!
//! Owns the comparison. It must never pass a row that it could not see.

use std::fmt;

use serde_json::Value;

/// What the LMS says of a learner in a course run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Enrollment {
    /// There is none.
    Absent,
    /// There is one, in this mode.
    Active(String),
    /// There is one, switched off.
    Off(String),
}

impl Enrollment {
    /// The mode, where there is one.
    #[must_use]
    pub(super) fn mode(&self) -> &str {
        match self {
            Self::Absent => "-",
            Self::Active(mode) | Self::Off(mode) => mode,
        }
    }
}

impl fmt::Display for Enrollment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("not enrolled"),
            Self::Active(_) => f.write_str("enrolled"),
            Self::Off(_) => f.write_str("taken away"),
        }
    }
}

/// Everything that a row is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What each webhook was answered, in order.
    pub(super) answers: Vec<u64>,
    /// What the LMS says in the end.
    pub(super) enrollment: Enrollment,
    /// How many times the LMS was told to change it.
    pub(super) changes: usize,
    /// How Bursar says that the purchases stand, `7: owed`, in the order of their numbers.
    pub(super) purchases: Vec<String>,
    /// What needs a person, by code, in the orders of this row.
    pub(super) reviews: Vec<String>,
}

impl Outcome {
    /// What of it is not as it must be; nothing if all is.
    #[must_use]
    pub(super) fn differences(&self, must_be: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, is: String, must_be: String| {
            if is != must_be {
                differences.push(format!("{what}: {is}; must be {must_be}"));
            }
        };
        compare("answers", format!("{:?}", self.answers), format!("{:?}", must_be.answers));
        compare("LMS", format!("{:?}", self.enrollment), format!("{:?}", must_be.enrollment));
        compare("changes in the LMS", self.changes.to_string(), must_be.changes.to_string());
        compare("purchases", format!("{:?}", self.purchases), format!("{:?}", must_be.purchases));
        compare("reviews", format!("{:?}", self.reviews), format!("{:?}", must_be.reviews));
        differences
    }
}

/// The enrollment of a learner, in the LMS's own state.
#[must_use]
pub(super) fn enrollment(state: &Value, email: &str, run: &str) -> Option<Enrollment> {
    let users = state.get("users")?.as_array()?;
    let rows = state.get("enrollments")?.as_array()?;
    let is = |value: &Value, key: &str, text: &str| value.get(key).and_then(Value::as_str) == Some(text);
    let Some(username) = users.iter().find(|user| is(user, "email", email)).and_then(|user| user.get("username"))
    else {
        return Some(Enrollment::Absent);
    };
    let Some(row) = rows.iter().find(|row| row.get("username") == Some(username) && is(row, "course", run)) else {
        return Some(Enrollment::Absent);
    };
    let mode = row.get("mode")?.as_str()?.to_owned();
    Some(if row.get("is_active")?.as_bool()? { Enrollment::Active(mode) } else { Enrollment::Off(mode) })
}

/// How often the LMS was told to change an enrollment of this learner, by the log of its requests.
#[must_use]
pub(super) fn changes(requests: &Value, username: &str) -> usize {
    let is_change = |request: &&Value| {
        let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default();
        let body: Value = serde_json::from_str(text("body")).unwrap_or_default();
        text("method") == "POST"
            && text("path").starts_with("/api/enrollment/v1/enrollment")
            && body.get("user").and_then(Value::as_str) == Some(username)
    };
    requests.as_array().map(|requests| requests.iter().filter(is_change).count()).unwrap_or_default()
}

/// How purchases stand, by `bursar --json learner show`. A line that sells no course is none.
#[must_use]
pub(super) fn purchases(learner: &Value) -> Vec<String> {
    let purchases = learner.get("purchases").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut told: Vec<String> = purchases
        .iter()
        .filter_map(|purchase| {
            let order = purchase.get("order")?.as_str()?;
            Some(format!("{order}: {}", standing(purchase)?))
        })
        .collect();
    told.sort();
    told
}

fn standing(purchase: &Value) -> Option<&'static str> {
    let is = |key: &str| purchase.get(key).and_then(Value::as_bool) == Some(true);
    let has = |key: &str| purchase.get(key).is_some_and(|value| !value.is_null());
    let paid = purchase.get("payment").and_then(Value::as_str) == Some("paid");
    match (is("unmapped"), has("course_run"), paid) {
        (true, ..) => Some("waits for the catalog"),
        (false, true, _) if has("ended") => Some("owed no more"),
        (false, true, _) if has("username") => Some("owed"),
        (false, true, _) => Some("waits for the account"),
        (false, false, true) => None,
        (false, false, false) => Some("not paid"),
    }
}

/// What needs a person in these orders, by `bursar --json review list`.
#[must_use]
pub(super) fn reviews(list: &[Value], orders: &[String]) -> Vec<String> {
    let text = |review: &Value, key: &str| review.get(key).and_then(Value::as_str).map(str::to_owned);
    list.iter()
        .filter(|review| text(review, "order").is_some_and(|order| orders.contains(&order)))
        .filter_map(|review| text(review, "code"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Outcome {
        Outcome {
            answers: vec![200],
            enrollment: Enrollment::Active("verified".to_owned()),
            changes: 1,
            purchases: vec!["7: owed".to_owned()],
            reviews: Vec::new(),
        }
    }

    #[test]
    fn a_row_passes_only_if_everything_is_as_it_must_be() {
        assert_eq!(good().differences(&good()), Vec::<String>::new());
        let wrong = [
            Outcome { answers: vec![503], ..good() },
            Outcome { answers: vec![200, 200], ..good() },
            Outcome { enrollment: Enrollment::Absent, ..good() },
            Outcome { enrollment: Enrollment::Active("audit".to_owned()), ..good() },
            Outcome { enrollment: Enrollment::Off("verified".to_owned()), ..good() },
            Outcome { changes: 2, ..good() },
            Outcome { purchases: Vec::new(), ..good() },
            Outcome { reviews: vec!["no-account".to_owned()], ..good() },
        ];
        for outcome in wrong {
            assert_eq!(outcome.differences(&good()).len(), 1, "{outcome:?}");
        }
    }

    #[test]
    fn the_state_of_the_lms_is_read_by_address_and_run() {
        let state = json!({
            "users": [{ "username": "ada", "email": "ada@example.com" }, { "username": "ben", "email": "b@example.com" }],
            "enrollments": [
                { "username": "ada", "course": "other", "mode": "audit", "is_active": true },
                { "username": "ada", "course": "run", "mode": "verified", "is_active": false },
            ],
        });
        assert_eq!(enrollment(&state, "ada@example.com", "run"), Some(Enrollment::Off("verified".to_owned())));
        assert_eq!(enrollment(&state, "b@example.com", "run"), Some(Enrollment::Absent));
        assert_eq!(enrollment(&state, "nobody@example.com", "run"), Some(Enrollment::Absent));
        assert_eq!(enrollment(&json!({ "error": "down" }), "ada@example.com", "run"), None);
    }

    #[test]
    fn only_requests_that_change_this_learner_count() {
        let log = |method: &str, user: &str| {
            json!({
                "method": method, "path": "/api/enrollment/v1/enrollment",
                "body": format!(r#"{{"user":"{user}","mode":"verified"}}"#),
            })
        };
        let requests = json!([log("POST", "ada"), log("GET", "ada"), log("POST", "ben")]);
        assert_eq!(changes(&requests, "ada"), 1);
    }

    #[test]
    fn purchases_are_told_in_one_word_each() {
        let learner = json!({ "purchases": [
            { "order": "9", "payment": "unpaid", "unmapped": false, "course_run": null },
            { "order": "8", "payment": "paid", "unmapped": true, "course_run": null },
            { "order": "7", "payment": "paid", "unmapped": false, "course_run": "r", "username": "ada", "ended": null },
            { "order": "6", "payment": "paid", "unmapped": false, "course_run": "r", "username": null, "ended": null },
            { "order": "5", "payment": "paid", "unmapped": false, "course_run": "r", "username": "ada", "ended": {} },
            { "order": "4", "payment": "paid", "unmapped": false, "course_run": null },
        ] });
        let must_be =
            ["5: owed no more", "6: waits for the account", "7: owed", "8: waits for the catalog", "9: not paid"];
        assert_eq!(purchases(&learner), must_be);
    }
}

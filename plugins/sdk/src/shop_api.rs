//! The shop's own API. Needs the permission `shop`, and works in [`handle`](crate::Adapter::handle) only.
//!
//! Where it is and what it is called with are the operator's configuration: an adapter names a path, the host adds origin and
//! credentials. A problem may be returned as it is: a shop that does not answer has the delivery run again later.
//!
//! ```
//! # use bursar_adapter::{Result, shop_api};
//! # #[derive(serde::Deserialize)] struct Customer { email: String }
//! fn address(customer: u64) -> Result<Option<String>> {
//!     let answer = shop_api::get(&format!("/wp-json/wc/v3/customers/{customer}")).send()?;
//!     if answer.status() == 404 {
//!         return Ok(None);
//!     }
//!     Ok(Some(answer.json::<Customer>()?.email))
//! }
//! ```

use serde::de::DeserializeOwned;

use crate::host::shop as host;
use crate::{Problem, Result};

/// A call that reads.
#[must_use]
pub fn get(path_and_query: &str) -> Call {
    call("GET", path_and_query)
}

/// A call that sends something along: [`Call::json`].
#[must_use]
pub fn post(path_and_query: &str) -> Call {
    call("POST", path_and_query)
}

/// A call with any method. The path begins with `/`; it is joined to the configured origin and cannot leave it.
#[must_use]
pub fn call(method: &str, path_and_query: &str) -> Call {
    Call(host::Call::new(method, path_and_query))
}

/// What was asked of the shop, or none where the shop does not grant the permission: for adapters that describe it as
/// [`optional_permission`](crate::Description::optional_permission), and state what can be told without asking.
///
/// ```
/// # use bursar_adapter::{Result, shop_api};
/// # fn address(customer: u64) -> Result<Option<String>> { Ok(None) }
/// # fn run() -> Result<()> {
/// match shop_api::if_granted(address(7))? {
///     Some(asked) => drop(asked), // what the shop answered
///     None => {}                  // what the webhook says by itself
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Every problem but `not-granted`: a shop that may be asked and does not answer is no shop that may not be asked.
pub fn if_granted<T>(asked: Result<T>) -> Result<Option<T>> {
    match asked {
        Err(problem) if problem.code == "not-granted" => Ok(None),
        asked => asked.map(Some),
    }
}

/// A call of the shop's API that has not been sent.
#[derive(Debug)]
pub struct Call(host::Call);

impl Call {
    /// One more header. Those that say where to and as whom are the host's.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.0.header(name, value);
        self
    }

    /// The body.
    #[must_use]
    pub fn body(self, content_type: &str, bytes: &[u8]) -> Self {
        self.0.body(content_type, bytes);
        self
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// Sends it and waits. An answer of the shop is an answer, whatever its status.
    ///
    /// # Errors
    ///
    /// `shop-unavailable` (later), `not-granted` and `not-available` (operator), `wrong-phase`.
    pub fn send(self) -> Result<Answer> {
        Ok(Answer(self.0.send()?))
    }
}

/// What the shop answered.
#[derive(Debug)]
pub struct Answer(host::Answer);

impl Answer {
    /// The status of HTTP.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// The value of a header, if there is one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.0.header(name)
    }

    /// The body as it came.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.0.body()
    }

    /// The body of an answer with a status of 200 to 299, read as JSON.
    ///
    /// # Errors
    ///
    /// `shop-refused` (operator) for another status: credentials and rights are an operator's to mend. `shop-unexpected` (later)
    /// where it is not the JSON that was expected: shops under maintenance answer 200 with a page, too. Nothing of the body is in the message.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !(200..300).contains(&self.status()) {
            return Err(Problem::operator("shop-refused", format!("the shop's API answered {}", self.status())));
        }
        serde_json::from_slice(&self.body()).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Problem::later(
                "shop-unexpected",
                format!("the shop's API answered something else than expected, at {place}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ApiAnswer, Post, Shop};
    use crate::{Adapter, Delivery, Description, Request, Verdict};

    /// Asks for the customer that the path names, in whichever call it is run.
    struct Asking;

    impl Adapter for Asking {
        fn describe() -> Description {
            Description::new("asking", "0.0.0")
        }

        fn authenticate(request: &Request<'_>) -> Result<Verdict> {
            get(&request.path()).send()?;
            Ok(Verdict::ignore("asked"))
        }

        fn handle(delivery: &Delivery<'_>) -> Result<()> {
            let named: Vec<String> =
                get(&delivery.request().path()).header("Accept", "application/json").send()?.json()?;
            delivery.ignored(&named.join(", "));
            Ok(())
        }
    }

    fn ask(shop: &Shop) -> crate::testing::Handled {
        shop.handle::<Asking>(&Post::new("{}").path("/customers/7"))
    }

    #[test]
    fn a_call_gets_the_answer_of_its_method_and_path() {
        let shop = Shop::new().answers("POST", "/customers/7", ApiAnswer::new(500, "")).answers(
            "GET",
            "/customers/7",
            ApiAnswer::new(200, r#"["zoe"]"#),
        );
        let handled = ask(&shop);
        assert_eq!(handled.ignored, ["zoe"]);
        assert_eq!(handled.calls[0].headers, [("accept".to_owned(), "application/json".to_owned())]);
    }

    #[test]
    fn a_call_that_the_test_does_not_answer_is_tried_again_later() {
        let handled = ask(&Shop::new());
        assert_eq!(handled.outcome(), "later");
        assert_eq!(handled.result.unwrap_err().code, "shop-unavailable");
    }

    #[test]
    fn an_answer_of_refusal_is_the_operators_and_one_of_nonsense_is_asked_for_again() {
        let code = |status, body: &str| {
            let shop = Shop::new().answers("GET", "/customers/7", ApiAnswer::new(status, body));
            let problem = ask(&shop).result.unwrap_err();
            (problem.code, problem.remedy)
        };
        assert_eq!(code(401, "{}"), ("shop-refused".to_owned(), crate::Remedy::Operator));
        assert_eq!(code(200, "<html>"), ("shop-unexpected".to_owned(), crate::Remedy::Later));
    }

    #[test]
    fn a_shop_that_does_not_grant_it_is_not_asked() {
        let handled = ask(&Shop::new().without_api());
        assert_eq!(handled.result.unwrap_err().code, "not-granted");
        assert!(handled.calls.is_empty());
    }

    #[test]
    fn only_a_shop_that_grants_nothing_is_told_from_its_answer() {
        let asked = |code: &str| if_granted::<u8>(Err(Problem::operator(code, "")));
        assert!(matches!(asked("not-granted"), Ok(None)));
        assert!(matches!(if_granted(Ok(7)), Ok(Some(7))));
        for code in ["not-available", "shop-unavailable", "shop-misconfigured", "shop-refused"] {
            assert_eq!(asked(code).unwrap_err().code, code);
        }
    }

    #[test]
    fn nothing_is_asked_while_the_shop_waits() {
        let shop = Shop::new().answers("GET", "/customers/7", ApiAnswer::new(200, "[]"));
        let refused = shop.authenticate::<Asking>(&Post::new("{}").path("/customers/7")).unwrap_err();
        assert_eq!(refused.code, "wrong-phase");
    }
}

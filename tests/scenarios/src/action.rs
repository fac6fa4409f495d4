//! What may happen in a case: one sentence each.

use std::time::Duration;

use openedx_simulator::{Endpoint, Fault, FaultKind};
use serde_json::{Map, Value};

use crate::{Result, order::Sentence, words};

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Order(Sentence),
    Keep {
        name: String,
        order: Sentence,
    },
    Deliver(String),
    /// The delivery of this number once more; the last one where none is named.
    Again(Option<usize>),
    File {
        name: String,
        shop: String,
        topic: String,
    },
    Wait(Duration),
    Registers {
        who: String,
        address: String,
    },
    Confirms(String),
    ChangesAddress {
        who: String,
        address: String,
    },
    IsRetired(String),
    IsTakenOut {
        who: String,
        run: String,
    },
    IsEnrolled {
        who: String,
        run: String,
        mode: String,
    },
    Closes(String),
    Opens(String),
    StopsOffering {
        run: String,
        mode: String,
    },
    LmsDown,
    LmsBack,
    LmsBackedUp,
    LmsRestored,
    StaffLost,
    StaffBack,
    TokensRevoked,
    Fault(Fault),
    FaultsEnd,
    Restart,
    Configure {
        shop: String,
        keys: toml::Table,
    },
    Sells {
        shop: String,
        row: String,
    },
    Bursar(String),
}

/// What can be written, for whoever wrote something else.
const KNOWN: &str = "\
order NUMBER [at SHOP] [alone]: FACTS | keep NAME: order … | deliver NAME | again [N] | file NAME at SHOP as TOPIC
wait 20 minutes | restart | bursar COMMAND | SHOP sells PRODUCT: COURSE MODE | SHOP: KEY = VALUE
X registers [with ADDRESS] | X confirms the address | X changes address to ADDRESS | X is retired
X is taken out of COURSE | X is enrolled in COURSE as MODE by somebody else
COURSE closes | COURSE opens | COURSE stops offering MODE
the LMS goes down | the LMS comes back | the LMS is backed up | the LMS is restored
the service user loses staff | the service user gets staff back | tokens are revoked
fault ENDPOINT KIND [KEY=N] [once | N times] | faults end";

impl Action {
    /// Reads a sentence. `shop` is meant where none is named.
    pub fn parse(text: &str, shop: &str) -> Result<Self> {
        let text = text.trim();
        read(text, shop)?.ok_or_else(|| format!("{text:?} is nothing that can happen; what can:\n{KNOWN}"))
    }
}

fn read(text: &str, shop: &str) -> Result<Option<Action>> {
    if let Some(sentence) = text.strip_prefix("order ") {
        return Ok(Some(Action::Order(Sentence::parse(sentence, shop)?)));
    }
    if let Some((name, sentence)) = text.strip_prefix("keep ").and_then(|rest| rest.split_once(": order ")) {
        return Ok(Some(Action::Keep { name: words::one(name)?, order: Sentence::parse(sentence, shop)? }));
    }
    if let Some(command) = text.strip_prefix("bursar ") {
        return Ok(Some(Action::Bursar(command.to_owned())));
    }
    if let Some(time) = text.strip_prefix("wait ") {
        return Ok(Some(Action::Wait(words::duration(time)?)));
    }
    if let Some(fault) = text.strip_prefix("fault ") {
        return Ok(Some(Action::Fault(fault_of(fault)?)));
    }
    if let Some((shop, row)) = words::around(text, "sells") {
        return Ok(Some(Action::Sells { shop: words::one(shop)?, row: row.to_owned() }));
    }
    if let Some((shop, key)) = text.split_once(": ")
        && key.contains('=')
    {
        let keys = key.parse().map_err(|error| format!("{key:?} is no key and value: {error}"))?;
        return Ok(Some(Action::Configure { shop: words::one(shop)?, keys }));
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    let owned = |word: &str| word.to_owned();
    Ok(Some(match parts.as_slice() {
        ["again"] => Action::Again(None),
        ["again", number] => Action::Again(Some(number.parse().map_err(|_| format!("{number:?} is no number"))?)),
        ["deliver", name] => Action::Deliver(owned(name)),
        ["file", name, "at", shop, "as", topic] => {
            Action::File { name: owned(name), shop: owned(shop), topic: owned(topic) }
        }
        ["restart"] => Action::Restart,
        ["faults", "end"] => Action::FaultsEnd,
        ["tokens", "are", "revoked"] => Action::TokensRevoked,
        ["the", "LMS", "goes", "down"] => Action::LmsDown,
        ["the", "LMS", "comes", "back"] => Action::LmsBack,
        ["the", "LMS", "is", "backed", "up"] => Action::LmsBackedUp,
        ["the", "LMS", "is", "restored"] => Action::LmsRestored,
        ["the", "service", "user", "loses", "staff"] => Action::StaffLost,
        ["the", "service", "user", "gets", "staff", "back"] => Action::StaffBack,
        [who, "registers"] => Action::Registers { who: owned(who), address: words::address(who) },
        [who, "registers", "with", address] => Action::Registers { who: owned(who), address: words::address(address) },
        [who, "confirms", "the", "address"] => Action::Confirms(owned(who)),
        [who, "changes", "address", "to", address] => {
            Action::ChangesAddress { who: owned(who), address: words::address(address) }
        }
        [who, "is", "retired"] => Action::IsRetired(owned(who)),
        [who, "is", "taken", "out", "of", run] => Action::IsTakenOut { who: owned(who), run: words::run(run) },
        [who, "is", "enrolled", "in", run, "as", mode, "by", "somebody", "else"] => {
            Action::IsEnrolled { who: owned(who), run: words::run(run), mode: owned(mode) }
        }
        [run, "closes"] => Action::Closes(words::run(run)),
        [run, "opens"] => Action::Opens(words::run(run)),
        [run, "stops", "offering", mode] => Action::StopsOffering { run: words::run(run), mode: owned(mode) },
        _ => return Ok(None),
    }))
}

/// `enrollment_post server_error_after once`, with the names of the simulator (docs/lms.md, 11.3).
fn fault_of(text: &str) -> Result<Fault> {
    let (text, times) = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [rest @ .., "once"] => (rest.join(" "), Some(1)),
        [rest @ .., number, "times"] => {
            (rest.join(" "), Some(number.parse().map_err(|_| format!("{number:?} is no number"))?))
        }
        rest => (rest.join(" "), None),
    };
    let mut parts = text.split(' ');
    let (endpoint, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut fault = Map::from_iter([("fault".to_owned(), Value::from(kind))]);
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("{part:?} must be KEY=N"))?;
        let number: Option<u64> = value.parse().ok();
        fault.insert(key.to_owned(), number.map_or_else(|| Value::from(value), Value::from));
    }
    let keys = fault.keys().cloned().collect::<Vec<_>>();
    let kind: FaultKind = serde_json::from_value(Value::Object(fault)).map_err(|error| error.to_string())?;
    // What the simulator does not read would be passed over in silence.
    let read = serde_json::to_value(&kind).map_err(|error| error.to_string())?;
    if let Some(unknown) = keys.iter().find(|key| read.get(key.as_str()).is_none()) {
        return Err(format!("the fault has no {unknown:?}"));
    }
    Ok(Fault { endpoint: endpoint_of(endpoint)?, method: None, kind, times, after: 0 })
}

/// An endpoint of the simulator by its name.
pub fn endpoint_of(name: &str) -> Result<Endpoint> {
    serde_json::from_value(Value::from(name)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_read() {
        let parse = |text| Action::parse(text, "campus").unwrap();
        assert_eq!(parse("wait 2 hours"), Action::Wait(Duration::from_secs(7_200)));
        assert_eq!(parse("again 2"), Action::Again(Some(2)));
        assert_eq!(
            parse("ada registers with a@b.org"),
            Action::Registers { who: "ada".into(), address: "a@b.org".into() }
        );
        assert!(matches!(parse("campus: mode = \"live\""), Action::Configure { .. }));
        assert!(matches!(parse("order 42: ada buys BIO"), Action::Order(_)));
        let Action::Fault(fault) = parse("fault enrollment_post too_many_requests retry_after=1 2 times") else {
            panic!()
        };
        assert_eq!((fault.times, fault.kind), (Some(2), FaultKind::TooManyRequests { retry_after: Some(1) }));
    }

    #[test]
    fn what_cannot_happen_is_refused() {
        for wrong in [
            "ada regsters",
            "wait a bit",
            "fault enrollment_post explodes",
            "fault nowhere conflict once",
            "fault enrollment_post conflict delay=1",
            "the LMS sleeps",
            "campus: mode live",
            "",
        ] {
            assert!(Action::parse(wrong, "campus").is_err(), "{wrong:?}");
        }
    }
}

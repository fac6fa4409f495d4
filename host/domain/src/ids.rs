//! Ids of Bursar's own records: a prefix that names the kind, and a UUIDv7 (RFC 9562), so that they sort by the time
//! they were made and say what they are wherever they are pasted.
//!
//! Owns their form. An id is made by the host, never by an adapter or a shop.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{names::Malformed, time::Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, made at `now`. It sorts after those that this process made before at the same moment; the rest of
            /// it is random.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_v7(now))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or(Malformed { what: concat!("id (", $prefix, "_…)"), problem: "is not one" })
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

ids! {
    /// One accepted webhook request, or one order found by asking the shop.
    DeliveryId = "dlv";
    /// One run of an adapter on a delivery.
    AttemptId = "att";
    /// One order of a shop.
    OrderId = "ord";
    /// One line of an order.
    LineId = "lin";
    /// One reason why an order or line gives no access.
    HoldId = "hld";
    /// A learner as somebody wrote them down.
    IdentityId = "idn";
    /// An LMS user.
    AccountId = "acc";
    /// One try to register a learner in an LMS.
    RegistrationId = "reg";
    /// An enrollment-allowed record that Bursar may have made.
    AllowanceId = "alw";
    /// Access to one course run in one mode for one learner, owed by one line.
    GrantId = "grt";
    /// What the LMS says of one account and course run.
    EnrollmentId = "enr";
    /// A change that an adapter asked for beside the ledger.
    EffectId = "eff";
    /// Something that needs a person.
    ReviewId = "rev";
    /// What a person decided about an order.
    DecisionId = "dec";
    /// An entry of the audit trail.
    AuditId = "aud";
    /// A product's course run in a shop's catalog.
    CatalogEntryId = "cat";
}

/// How many ids this process has made. What is made together, the lines of an order say, has one moment, and is shown in the
/// order of its ids.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The bits of [`MADE`], which leave 42 random ones.
const MADE_BITS: u8 = 32;

fn uuid_v7(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let seconds = millis / 1_000;
    let nanos = u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000;
    let made = u128::from(MADE.fetch_add(1, Ordering::Relaxed));
    Uuid::new_v7(uuid::Timestamp::from_unix_time(seconds, nanos, made, MADE_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_kind_and_reads_back() {
        let id = DeliveryId::new(Timestamp::from_millis(1_795_422_685_198));
        assert!(id.to_string().starts_with("dlv_"));
        assert_eq!(id.to_string().parse::<DeliveryId>().unwrap(), id);
        assert!(id.to_string().parse::<OrderId>().is_err());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = GrantId::new(Timestamp::from_millis(1_000));
        let late = GrantId::new(Timestamp::from_millis(2_000));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn ids_of_one_moment_sort_in_the_order_they_were_made_and_are_no_two_alike() {
        let now = Timestamp::from_millis(1_795_422_685_198);
        let ids: Vec<LineId> = (0..1_000).map(|_| LineId::new(now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.windows(2).all(|pair| pair[0].to_string() < pair[1].to_string()));
    }
}

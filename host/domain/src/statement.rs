//! What an adapter said in one run, as plain data.
//!
//! Owns the facts of the contract's `orders` interface (`wit/0.1.0/orders.wit`) in the host's own types; what is asked for
//! through `lms-write` is [`crate::effect`]'s. Decides
//! nothing: what follows from a statement is the business of [`crate::ledger`].

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    effect::EffectStatement,
    names::{CourseRun, Email, Mode, Username},
    time::Timestamp,
};

/// Everything that one run stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statements {
    /// Orders, in the order in which they were stated.
    pub orders: Vec<OrderStatement>,
    /// Changes of the LMS beside the ledger, in the order in which they were handed in.
    pub effects: Vec<EffectStatement>,
    /// Subjects of which the shop asked that what is stored be blanked; each once, sorted.
    pub forgets: Vec<String>,
    /// Why there was nothing to do.
    pub ignored: Vec<String>,
    /// Why a person should look at the delivery.
    pub reviews: Vec<String>,
}

/// How much of an order a statement speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of it: a line that is not named is gone.
    Snapshot,
    /// Only what is named.
    Patch,
}

/// How new a fact is: numbers compared from the left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub Vec<u64>);

/// Has the shop got the money?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payment {
    /// Yes, or none is owed.
    Paid,
    /// No.
    Unpaid,
    /// It cannot be told.
    Undecided,
}

/// Why a paid line gives no access for the time being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// All the money for it went back.
    Refunded,
    /// The sale was called off.
    Cancelled,
    /// Binned or erased in the shop.
    Deleted,
    /// A chargeback or claim is open.
    Disputed,
    /// A person put it on hold. No adapter can state this one.
    Operator,
}

/// A cause beginning or ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldStatement {
    /// Which cause.
    pub cause: Cause,
    /// Does it hold, or does it no longer?
    pub holds: bool,
    /// What shows it, in the shop's words.
    pub evidence: String,
}

/// Somebody, as somebody wrote them down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Identity {
    /// By e-mail address.
    Email {
        /// As written.
        address: Email,
    },
    /// By LMS username.
    Username {
        /// As written.
        name: Username,
    },
    /// As a login provider of the site knows them.
    External {
        /// The provider's name in the LMS.
        provider: String,
        /// The provider's id of the learner.
        id: String,
    },
}

impl Identity {
    /// `email`, `username` or `external`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Username { .. } => "username",
            Self::External { .. } => "external",
        }
    }

    /// The login provider; empty for what is not external.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Self::External { provider, .. } => provider,
            Self::Email { .. } | Self::Username { .. } => "",
        }
    }

    /// As it was written.
    #[must_use]
    pub fn written(&self) -> &str {
        match self {
            Self::Email { address } => address.as_str(),
            Self::Username { name } => name.as_str(),
            Self::External { id, .. } => id,
        }
    }

    /// In the form that two spellings of one identity share.
    #[must_use]
    pub fn normalized(&self) -> String {
        match self {
            Self::Email { address } => address.normalized(),
            Self::Username { name } => name.normalized(),
            Self::External { id, .. } => id.clone(),
        }
    }
}

/// Who learns, as a statement gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learner {
    /// Somebody.
    Known(Identity),
    /// Something was given that names nobody. It must not fall back to anybody else.
    Malformed,
}

/// Money that went back without the shop saying for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedAmount {
    /// How much.
    pub amount: Decimal,
    /// Out of how much.
    pub total: Decimal,
    /// ISO 4217.
    pub currency: String,
}

/// A product as a shop's catalog may know it: `("variation", "31")`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProductId {
    /// What kind of id it is: `sku`, `product`, `variation`, …
    pub kind: String,
    /// The id.
    pub id: String,
}

impl std::fmt::Display for ProductId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// A course run that an order itself names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseHint {
    /// Which.
    pub run: CourseRun,
    /// In which mode; the shop's default where none is said.
    pub mode: Option<Mode>,
}

/// A statement about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStatement {
    /// The shop's id of the order.
    pub id: String,
    /// All of it, or a part?
    pub scope: Scope,
    /// How new it is.
    pub revision: Revision,
    /// What people call it.
    pub number: Option<String>,
    /// A mark of the order that never changes.
    pub fingerprint: Option<String>,
    /// Where it says that it was sold: the shop's address.
    pub origin: Option<String>,
    /// When it was placed.
    pub placed_at: Option<Timestamp>,
    /// Is it a test order?
    pub test: bool,
    /// Has the shop got the money?
    pub payment: Option<Payment>,
    /// Causes that begin or end for the whole order.
    pub holds: Vec<HoldStatement>,
    /// Money that went back, of which it is not said for what.
    pub refunded: Option<RefundedAmount>,
    /// Who learns, for lines that do not say.
    pub learner: Option<Learner>,
    /// Lines, in the order in which they were stated.
    pub lines: Vec<LineStatement>,
    /// Why a person should look at it.
    pub reviews: Vec<String>,
}

impl OrderStatement {
    /// A statement that says nothing yet.
    #[must_use]
    pub fn new(id: String, scope: Scope, revision: Revision) -> Self {
        Self {
            id,
            scope,
            revision,
            number: None,
            fingerprint: None,
            origin: None,
            placed_at: None,
            test: false,
            payment: None,
            holds: Vec::new(),
            refunded: None,
            learner: None,
            lines: Vec::new(),
            reviews: Vec::new(),
        }
    }
}

/// A statement about one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineStatement {
    /// The shop's id of the line.
    pub id: String,
    /// The product, most exact id first. Empty: not stated.
    pub products: Vec<ProductId>,
    /// The product's title.
    pub title: Option<String>,
    /// Course runs that the order itself names.
    pub courses: Vec<CourseHint>,
    /// The bundle's line.
    pub parent: Option<String>,
    /// Who learns.
    pub learner: Option<Learner>,
    /// How many were sold.
    pub quantity: Option<u32>,
    /// How many of them were refunded.
    pub refunded_quantity: Option<u32>,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// Causes that begin or end for this line.
    pub holds: Vec<HoldStatement>,
    /// Why a person should look at it.
    pub reviews: Vec<String>,
}

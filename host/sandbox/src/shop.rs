//! What a run is given: the shop that it serves, the delivery, and the way to the ledger and the catalog.
//!
//! Owns the types that the server fills. Looks nothing up itself, and never shows a secret.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;
use bursar_domain::{
    Request, ShopName, Timestamp,
    ids::DeliveryId,
    statement::{ProductId, Revision},
};
use secrecy::SecretString;

use crate::{key_sets::KeySets, lms::LmsReader, shop_api::ShopApi};

/// What an adapter wants beyond the minimal world. Each is an interface that it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Call the shop's own API.
    Shop,
    /// Read accounts and enrollments of the LMS.
    LmsRead,
    /// Change accounts and enrollments of the LMS beside the ledger.
    LmsWrite,
}

impl Permission {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Shop, Self::LmsRead, Self::LmsWrite];

    /// As in the configuration: `shop`, `lms-read`, `lms-write`. It is the interface's name in the contract too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::LmsRead => "lms-read",
            Self::LmsWrite => "lms-write",
        }
    }

    /// The permission of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the operator configured for a shop, as far as runs need it. Made once for each shop and shared by [`Arc`].
pub struct ShopContext {
    /// The shop's name.
    pub name: ShopName,
    /// Active secrets by the names that the adapter gave them; several while one is being replaced. An empty one never
    /// verifies anything.
    pub secrets: BTreeMap<String, Vec<SecretString>>,
    /// The sets of public keys that the adapter named; [`FixedKeySets::default`](crate::FixedKeySets) where there are none.
    pub key_sets: Arc<dyn KeySets>,
    /// The settings as JSON text, as [`check_settings`](crate::check_settings) returned them.
    pub settings_json: String,
    /// May a request be accepted without a checked signature?
    pub unsigned: bool,
    /// What the shop grants of what the adapter wants.
    pub permissions: BTreeSet<Permission>,
}

impl fmt::Debug for ShopContext {
    /// Names only: neither secrets nor settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopContext")
            .field("name", &self.name)
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .field("unsigned", &self.unsigned)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

/// Where a delivery came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The shop sent it.
    Webhook,
    /// Bursar asked the shop.
    Backfill,
    /// A person had it run again.
    Operator,
}

impl Origin {
    /// As the contract spells it: `webhook`, `backfill`, `operator`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Backfill => "backfill",
            Self::Operator => "operator",
        }
    }
}

/// A stored request whose turn has come.
#[derive(Debug, Clone)]
pub struct DeliveryInput {
    /// Its id.
    pub id: DeliveryId,
    /// As the adapter gave it when it accepted the request.
    pub topic: String,
    /// Where it came from.
    pub origin: Origin,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The request as it is stored.
    pub request: Arc<Request>,
}

/// A line as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLine {
    /// The shop's id of the line.
    pub id: String,
    /// Paid, still in the order and free of holds.
    pub active: bool,
    /// How many were sold.
    pub quantity: u32,
    /// How many of them were refunded.
    pub refunded_quantity: u32,
    /// The product, as stated.
    pub products: Vec<ProductId>,
    /// The course runs kept for the line, each with its mode.
    pub courses: Vec<(String, String)>,
    /// When the right ends.
    pub until: Option<Timestamp>,
    /// The newest revision stated of it.
    pub revision: Revision,
}

/// A look-up that failed on the host's side, and why, in one sentence. The run ends as `host` and may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostFault(pub String);

/// What a run of `handle` may look up. The server implements it; nothing of it is available to `authenticate`.
#[async_trait]
pub trait Surroundings: Send + Sync + 'static {
    /// The lines that the ledger has of an order of this shop; none if it is unknown.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    async fn known(&self, order: &str) -> Result<Vec<KnownLine>, HostFault>;

    /// Course runs and modes of the first of these ids that the shop's catalog knows; none if it knows none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    async fn courses(&self, products: &[ProductId]) -> Result<Vec<(String, String)>, HostFault>;

    /// The shop's LMS, for an adapter with the permission to read it; none where there is none to read.
    fn lms(&self) -> Option<Arc<dyn LmsReader>> {
        None
    }

    /// The shop's own API, for an adapter with the permission to call it; none where none is configured.
    fn shop_api(&self) -> Option<Arc<dyn ShopApi>> {
        None
    }
}

//! The connected shops, each with the adapter that understands it.
//!
//! Owns the meeting of configuration and adapters: is there such an adapter, are its secrets given, do the settings fit its
//! schema, is what it imports permitted? What is missing keeps one shop from being served, never another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicI64},
};

use bursar_domain::{ShopName, brake::Brake, policy::ShopPolicy};
use bursar_sandbox::{Adapter, FixedKeySets, ShopContext, check_settings};

use crate::{
    adapters::Adapters,
    config::{Config, ShopConfig},
};

/// Every shop, by name.
#[derive(Debug, Clone, Default)]
pub struct Shops(BTreeMap<ShopName, Arc<Shop>>);

/// A connected shop.
#[derive(Debug)]
pub struct Shop {
    /// Its policies.
    pub policy: ShopPolicy,
    /// As configured.
    pub config: ShopConfig,
    /// Whether it can be served.
    pub service: Service,
    /// When a wrong signature was last looked into, in milliseconds since 1970.
    pub diagnosed_at: AtomicI64,
}

/// Whether a shop can be served.
#[derive(Debug)]
pub enum Service {
    /// It can.
    Ready {
        /// By this adapter.
        adapter: Arc<Adapter>,
        /// With these secrets and settings.
        context: Arc<ShopContext>,
    },
    /// Not until a person mends something; what it sends is kept.
    Waiting(Obstacle),
}

/// What keeps a shop from being served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// A stable word.
    pub code: &'static str,
    /// A sentence, perhaps with a hint.
    pub message: String,
    /// The configuration's key that is wrong, where it is the configuration: then nothing is started.
    pub key: Option<String>,
}

impl Shops {
    /// Brings configuration and adapters together.
    #[must_use]
    pub fn new(config: &Config, adapters: &Adapters) -> Self {
        let shops = config.shops.iter().map(|shop| {
            let service = match service(shop, adapters) {
                Ok((adapter, context)) => Service::Ready { adapter, context: Arc::new(context) },
                Err(obstacle) => Service::Waiting(obstacle),
            };
            let shop = Shop { policy: policy(shop), config: shop.clone(), service, diagnosed_at: AtomicI64::new(0) };
            (shop.config.name.clone(), Arc::new(shop))
        });
        Self(shops.collect())
    }

    /// The shop of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Shop>> {
        ShopName::parse(name).ok().and_then(|name| self.0.get(&name))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Shop>> {
        self.0.values()
    }

    /// The policies of all of them.
    #[must_use]
    pub fn policies(&self) -> BTreeMap<ShopName, ShopPolicy> {
        self.0.iter().map(|(name, shop)| (name.clone(), shop.policy.clone())).collect()
    }
}

/// The policies of a shop, as the ledger and fulfillment need them.
#[must_use]
pub fn policy(shop: &ShopConfig) -> ShopPolicy {
    ShopPolicy {
        shop: shop.name.clone(),
        lms: shop.lms.clone(),
        mode: shop.mode,
        default_mode: shop.default_mode.clone(),
        no_account: shop.no_account,
        enrollment_allowed: shop.enrollment_allowed,
        on_revoke: shop.on_revoke,
        on_expiry: shop.on_expiry,
        force: shop.force,
        on_delete: shop.on_delete,
        quiet_time: shop.quiet_time,
        grace: shop.grace,
        brake: Brake { removals: shop.removals_per_hour, ..Brake::default() },
        accept_test: shop.accept_test,
        sold_before: shop.sold_before,
        origin: shop.origin.clone(),
    }
}

fn service(shop: &ShopConfig, adapters: &Adapters) -> Result<(Arc<Adapter>, ShopContext), Obstacle> {
    let Some(loaded) = adapters.sound.get(&shop.adapter) else { return Err(no_adapter(shop, adapters)) };
    let adapter = &loaded.adapter;
    let description = adapter.description();
    if let Some(pin) = &shop.pin
        && hex::encode(pin) != adapter.sha256()
    {
        return Err(Obstacle {
            code: "adapter-changed",
            message: format!(
                "{} is not the adapter that the shop is pinned to; its sha256 is {}\n\
                 hint: put the pinned file back, or set `pin` to the new one",
                loaded.file.display(),
                adapter.sha256()
            ),
            key: None,
        });
    }
    for secret in &description.secrets {
        if shop.secrets.get(&secret.name).is_none_or(Vec::is_empty) {
            return Err(Obstacle {
                code: "secret-missing",
                message: format!(
                    "the adapter {} needs the secret {:?}: {}\n\
                     hint: secrets.{} = {{ env = \"…\" }} or {{ file = \"…\" }}",
                    shop.adapter, secret.name, secret.purpose, secret.name
                ),
                key: Some(format!("secrets.{}", secret.name)),
            });
        }
    }
    let known: BTreeSet<&str> =
        description.secrets.iter().chain(&description.optional_secrets).map(|secret| secret.name.as_str()).collect();
    if let Some(unknown) = shop.secrets.keys().find(|name| !known.contains(name.as_str())) {
        return Err(Obstacle {
            code: "secret-unknown",
            message: format!(
                "the adapter {} knows no secret {unknown:?}\nhint: it knows {}",
                shop.adapter,
                known.into_iter().collect::<Vec<_>>().join(", ")
            ),
            key: Some(format!("secrets.{unknown}")),
        });
    }
    let settings_json = check_settings(&description.settings, &shop.settings).map_err(|problem| Obstacle {
        code: "settings",
        message: problem.to_string(),
        key: Some(format!("settings.{}", problem.path)),
    })?;
    let permissions = shop.permissions.clone();
    if let Some(wanted) = adapter.permissions().iter().find(|wanted| !permissions.contains(wanted)) {
        return Err(Obstacle {
            code: "not-granted",
            message: format!(
                "the adapter {} wants the permission {wanted}, which this shop does not grant\n\
                 hint: permissions = [\"{wanted}\"] grants it",
                shop.adapter
            ),
            key: None,
        });
    }
    let mut secrets = BTreeMap::new();
    for (name, values) in &shop.secrets {
        let values: Result<Vec<_>, _> = values.iter().map(|secret| secret.get().cloned()).collect();
        let values = values.map_err(|unread| Obstacle {
            code: "secret-unread",
            message: unread.to_string(),
            key: Some(format!("secrets.{name}")),
        })?;
        secrets.insert(name.clone(), values);
    }
    let context = ShopContext {
        name: shop.name.clone(),
        secrets,
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json,
        unsigned: shop.unsigned,
        permissions,
    };
    Ok((Arc::clone(adapter), context))
}

fn no_adapter(shop: &ShopConfig, adapters: &Adapters) -> Obstacle {
    let names: Vec<String> = adapters.sound.keys().map(ToString::to_string).collect();
    let there =
        if names.is_empty() { "there is none at all".to_owned() } else { format!("there is {}", names.join(", ")) };
    let broken =
        adapters.broken.iter().map(|broken| format!("; {} {}", broken.file.display(), first_line(&broken.reason)));
    Obstacle {
        code: "adapter-missing",
        message: format!("there is no adapter {}: {there}{}", shop.adapter, broken.collect::<String>()),
        key: None,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

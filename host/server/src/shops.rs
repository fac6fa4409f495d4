//! The connected shops, each with the adapter that understands it.
//!
//! Owns the meeting of configuration and adapters: is there such an adapter, are its secrets given, do the settings fit its
//! schema, is what it imports permitted? What is missing keeps one shop from being served, never another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use bursar_domain::{AdapterName, Clock, ShopName, Timestamp, brake::Brake, policy::ShopPolicy};
use bursar_sandbox::{Adapter, FixedKeySets, PublicKeys, RunError, ShopApi, ShopContext, check_settings};
use bursar_shop_api::Document;

use crate::{
    adapters::{
        Adapters,
        health::{self, Health, Permit, Quarantine},
    },
    bell::Bell,
    config::{Config, KeySetSource, ShopConfig},
    key_sets::KeySetsOfShop,
    shop_api::ApiOfShop,
};

/// Every shop, by name, each as it is served at the moment. Cheap to clone; all clones see a change at once.
#[derive(Debug, Clone)]
pub struct Shops {
    current: Arc<ArcSwap<BTreeMap<ShopName, Arc<Shop>>>>,
    clock: Arc<dyn Clock>,
    /// Rings when an adapter was quarantined or released.
    pub news: Bell,
}

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
    Ready(Ready),
    /// Not until a person mends something; what it sends is kept.
    Waiting(Obstacle),
}

/// What a shop is served with.
#[derive(Clone)]
pub struct Ready {
    /// By this adapter.
    pub adapter: Arc<Adapter>,
    /// How that has been doing.
    pub health: Arc<Health>,
    /// With these secrets and settings.
    pub context: Arc<ShopContext>,
    /// Its own API, if one is configured.
    pub api: Option<Arc<dyn ShopApi>>,
}

/// What came of putting adapters into service, for a shop that it changed something for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// It is served, by another adapter than before or for the first time.
    Anew(ShopName),
    /// There is another version, which does not fit the shop; it is served by the one before.
    AsBefore(ShopName, Obstacle),
    /// It cannot be served any more.
    NoLonger(ShopName, Obstacle),
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

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("adapter", &self.adapter)
            .field("api", &self.api.is_some())
            .finish_non_exhaustive()
    }
}

impl Shops {
    /// Brings configuration and adapters together.
    #[must_use]
    pub fn new(config: &Config, adapters: &Adapters, clock: &Arc<dyn Clock>) -> Self {
        let shops = config.shops.iter().map(|shop| {
            let service = service(shop, adapters, clock).map_or_else(Service::Waiting, Service::Ready);
            let shop = Shop { policy: policy(shop), config: shop.clone(), service, diagnosed_at: AtomicI64::new(0) };
            (shop.config.name.clone(), Arc::new(shop))
        });
        let current = Arc::new(ArcSwap::from_pointee(shops.collect()));
        Self { current, clock: Arc::clone(clock), news: Bell::default() }
    }

    /// Has the shops served by these adapters from now on, and says for which of them that changed something. A version that does
    /// not fit a shop's configuration does not take the place of one that does.
    #[must_use]
    pub fn serve(&self, adapters: &Adapters) -> Vec<Served> {
        let (mut shops, mut changes) = (BTreeMap::new(), Vec::new());
        for (name, shop) in self.current.load().iter() {
            let next = service(&shop.config, adapters, &self.clock);
            let service = match (next, &shop.service) {
                (Ok(next), Service::Ready(before)) if Arc::ptr_eq(&next.adapter, &before.adapter) => None,
                (Ok(next), _) => {
                    changes.push(Served::Anew(name.clone()));
                    Some(Service::Ready(next))
                }
                (Err(obstacle), Service::Ready(_)) if adapters.sound.contains_key(&shop.config.adapter) => {
                    changes.push(Served::AsBefore(name.clone(), obstacle));
                    None
                }
                (Err(obstacle), Service::Waiting(before)) if obstacle == *before => None,
                (Err(obstacle), _) => {
                    changes.push(Served::NoLonger(name.clone(), obstacle.clone()));
                    Some(Service::Waiting(obstacle))
                }
            };
            let shop = match service {
                None => Arc::clone(shop),
                Some(service) => Arc::new(Shop {
                    policy: shop.policy.clone(),
                    config: shop.config.clone(),
                    service,
                    diagnosed_at: AtomicI64::new(shop.diagnosed_at.load(Ordering::Relaxed)),
                }),
            };
            shops.insert(name.clone(), shop);
        }
        self.current.store(Arc::new(shops));
        changes
    }

    /// The shop of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Shop>> {
        let name = ShopName::parse(name).ok()?;
        self.current.load().get(&name).cloned()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Shop>> {
        self.current.load().values().cloned().collect()
    }

    /// The policies of all of them.
    #[must_use]
    pub fn policies(&self) -> BTreeMap<ShopName, ShopPolicy> {
        self.all().into_iter().map(|shop| (shop.config.name.clone(), shop.policy.clone())).collect()
    }

    /// A run of a shop's adapter is over: did the adapter fail, and how? Whoever needs to know is told.
    pub fn run_ended(&self, ready: &Ready, failure: Option<&RunError>, now: Timestamp) {
        let adapter = &ready.adapter.description().platform;
        let change = match failure {
            None => ready.health.ended(),
            Some(error) => ready.health.failed(now, error.kind.code(), &error.to_string()),
        };
        match change {
            health::Change::None => return,
            health::Change::Quarantined(quarantine) => {
                tracing::error!(%adapter, sha256 = ready.adapter.sha256(), why = quarantine.words(), "adapter quarantined; what its shops send is kept");
            }
            health::Change::Released => tracing::info!(%adapter, "adapter released, because it came to a good end"),
        }
        self.news.ring();
    }
}

impl Shop {
    /// What may serve the shop now.
    ///
    /// # Errors
    /// With what keeps it from being served.
    pub fn ready(&self, now: Timestamp) -> Result<Permitted<'_>, Obstacle> {
        match &self.service {
            Service::Waiting(obstacle) => Err(obstacle.clone()),
            Service::Ready(ready) => match ready.health.permit(now) {
                Permit::Run => Ok(Permitted { ready, quarantine: None }),
                Permit::Try(quarantine) => {
                    Ok(Permitted { ready, quarantine: Some(quarantined(&self.config.adapter, &quarantine)) })
                }
                Permit::No(quarantine) => Err(quarantined(&self.config.adapter, &quarantine)),
            },
        }
    }
}

/// What may serve a shop now.
#[derive(Debug)]
pub struct Permitted<'s> {
    /// With what.
    pub ready: &'s Ready,
    /// The adapter is quarantined, and this run sees whether it still must be. Its failure costs nobody a try.
    pub quarantine: Option<Obstacle>,
}

fn quarantined(adapter: &AdapterName, quarantine: &Quarantine) -> Obstacle {
    Obstacle {
        code: "adapter-quarantined",
        message: format!("the adapter {adapter} {}", quarantine.words()),
        key: None,
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

fn service(shop: &ShopConfig, adapters: &Adapters, clock: &Arc<dyn Clock>) -> Result<Ready, Obstacle> {
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
    if let Some(wanted) = adapter.needed_permissions().find(|wanted| !permissions.contains(wanted)) {
        return Err(Obstacle {
            code: "not-granted",
            message: format!(
                "the adapter {} needs the permission {wanted}, which this shop does not grant\n\
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
        key_sets: Arc::new(key_sets(shop, adapter, clock)?),
        settings_json,
        unsigned: shop.unsigned,
        permissions,
    };
    Ok(Ready {
        adapter: Arc::clone(adapter),
        health: Arc::clone(&loaded.health),
        context: Arc::new(context),
        api: api(shop, clock)?,
    })
}

/// The sets of public keys that the adapter named, each from where the configuration says.
fn key_sets(shop: &ShopConfig, adapter: &Adapter, clock: &Arc<dyn Clock>) -> Result<KeySetsOfShop, Obstacle> {
    let named = &adapter.description().key_sets;
    if let Some(unknown) = shop.key_sets.keys().find(|name| !named.iter().any(|named| named.name == **name)) {
        let known: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
        return Err(Obstacle {
            code: "key-set-unknown",
            message: format!(
                "the adapter {} knows no key set {unknown:?}\nhint: it knows {}",
                shop.adapter,
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ),
            key: Some(format!("key_sets.{unknown}")),
        });
    }
    let (mut fixed, mut documents) = (FixedKeySets::default(), Vec::new());
    for (name, source) in &shop.key_sets {
        let unusable = |problem: String| Obstacle {
            code: "key-set-unusable",
            message: problem,
            key: Some(format!("key_sets.{name}")),
        };
        match source {
            KeySetSource::Url { url, private_addresses } => {
                let document =
                    Document::new(url.clone(), *private_addresses).map_err(|error| unusable(error.to_string()))?;
                documents.push((name.clone(), document));
            }
            KeySetSource::File(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| unusable(format!("{} cannot be read: {error}", path.display())))?;
                let keys = PublicKeys::from_jwks(&text)
                    .map_err(|problem| unusable(format!("{}: the key set {problem}", path.display())))?;
                fixed = fixed.with(name, keys);
            }
        }
    }
    Ok(KeySetsOfShop::new(fixed, documents, Arc::clone(clock)))
}

/// The shop's own API, ready to be called.
fn api(shop: &ShopConfig, clock: &Arc<dyn Clock>) -> Result<Option<Arc<dyn ShopApi>>, Obstacle> {
    let Some(api) = &shop.api else { return Ok(None) };
    let unusable = |message: String| Obstacle { code: "api-unusable", message, key: Some("api".to_owned()) };
    let config = api.read().map_err(|unread| unusable(unread.to_string()))?;
    let client =
        bursar_shop_api::ShopApi::new(config, Arc::clone(clock)).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(Arc::new(ApiOfShop::new(client))))
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

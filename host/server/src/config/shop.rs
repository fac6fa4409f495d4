//! `[[shops]]`: a connected shop and its policies.
//!
//! Owns its keys, defaults and bounds. Its `settings` are checked by the adapter's own schema, elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bursar_domain::{
    AdapterName, LmsName, Mode, ShopName, Timestamp, brake,
    policy::{Force, GRACE_DEFAULT, NoAccount, OnDelete, OnRevoke, QUIET_TIME_DEFAULT, ShopMode},
};
use bursar_sandbox::Permission;
use toml::de::DeValue;

use super::{
    key_sets::{KeySetSource, key_sets},
    lms::LmsConfig,
    reader::{Table, Value, nearest},
    secret::{Secret, secrets},
    shop_api::{ShopApiConfig, shop_api},
    words::PERMISSIONS,
};

/// The mode of courses whose mapping names none, unless told otherwise: what learners pay for on most sites.
pub const DEFAULT_MODE: &str = "verified";
/// Greatest value of `quiet_time`.
pub const MOST_QUIET_TIME: Duration = Duration::from_secs(7 * 86_400);

/// Greatest value of `grace`.
pub const MOST_GRACE: Duration = Duration::from_secs(90 * 86_400);

/// One shop.
#[derive(Debug, Clone)]
pub struct ShopConfig {
    /// As in `/webhooks/{shop}`. It never changes.
    pub name: ShopName,
    /// The adapter that understands its webhooks.
    pub adapter: AdapterName,
    /// The SHA-256 that the adapter's file must have, if it is pinned.
    pub pin: Option<[u8; 32]>,
    /// Where its learners learn.
    pub lms: LmsName,
    /// What its deliveries may do.
    pub mode: ShopMode,
    /// The mode of courses whose mapping names none.
    pub default_mode: Mode,
    /// By the names that the adapter's description gives them; several of one name while one is being replaced.
    pub secrets: BTreeMap<String, Vec<Secret>>,
    /// What the adapter may use beyond what every adapter may.
    pub permissions: BTreeSet<Permission>,
    /// What happens when a learner has no account yet.
    pub no_account: NoAccount,
    /// Are learners without an account given leave to enroll beforehand?
    pub enrollment_allowed: bool,
    /// What happens to an enrollment when no grant is left.
    pub on_revoke: OnRevoke,
    /// What happens to an enrollment when the last grant that is left has run out.
    pub on_expiry: OnRevoke,
    /// Does a purchase open a course run that is closed, or a mode whose time is over?
    pub force: Force,
    /// What happens when the shop deletes an order.
    pub on_delete: OnDelete,
    /// How long taking access away waits.
    pub quiet_time: Duration,
    /// How long access outlives the moment that it was paid until.
    pub grace: Duration,
    /// So many purchases may end within an hour before removals pause; of a large shop more, see
    /// [`bursar_domain::brake`].
    pub removals_per_hour: u32,
    /// Do test orders give access?
    pub accept_test: bool,
    /// Are requests taken that nothing proves?
    pub unsigned: bool,
    /// Orders placed before this moment were sold before Bursar was connected.
    pub sold_before: Option<Timestamp>,
    /// The shop's address as its orders say it. Orders that say another one are not applied.
    pub origin: Option<String>,
    /// Where its sets of public keys come from, by the names that the adapter gives them.
    pub key_sets: BTreeMap<String, KeySetSource>,
    /// The shop's own API.
    pub api: Option<ShopApiConfig>,
    /// The adapter's settings: a JSON object.
    pub settings: serde_json::Value,
}

/// The LMSs that a shop can name.
#[derive(Debug)]
pub(super) struct Sites<'a> {
    /// All names, also of those with problems of their own.
    pub(super) named: Vec<&'a str>,
    /// Those without problems.
    pub(super) read: &'a [LmsConfig],
}

/// Reads one `[[shops]]`.
pub(super) fn shop(mut table: Table<'_>, sites: &Sites<'_>) -> Option<ShopConfig> {
    let name = table.required("name", "\"campus\"").and_then(|value| value.parsed(ShopName::parse));
    let adapter = table.required("adapter", "\"woocommerce\"").and_then(|value| value.parsed(AdapterName::parse));
    let pin = table.optional("pin").map(|value| value.sha256());
    let lms = table.required("lms", "\"main\"").and_then(|value| lms_name(&value, sites));
    let mode = table.optional("mode").map_or(Some(ShopMode::Live), |value| value.choice(ShopMode::ALL));
    let default_mode = table
        .optional("default_mode")
        .map_or_else(|| Mode::parse(DEFAULT_MODE).ok(), |value| value.parsed(Mode::parse));
    if let (Some(lms), Some(mode)) = (&lms, &default_mode) {
        check_default_mode(&mut table, lms, mode, sites);
    }
    let secrets = shop_secrets(table.table("secrets"));
    let permissions = table.optional("permissions").map_or_else(|| Some(BTreeSet::new()), |value| permissions(&value));
    let no_account = table.optional("no_account").and_then(|value| value.choice(NoAccount::ALL));
    let enrollment_allowed = table.optional("enrollment_allowed_records").and_then(|value| value.boolean());
    let on_revoke = table.optional("on_revoke").and_then(|value| value.choice(OnRevoke::ALL));
    let on_delete = table.optional("on_delete").and_then(|value| value.choice(OnDelete::ALL));
    let on_expiry = table.optional("on_expiry").and_then(|value| value.choice(OnRevoke::ALL));
    let force = table.optional("force").and_then(|value| value.choice(Force::ALL));
    let grace = table.optional("grace").and_then(|value| value.duration(Duration::ZERO, MOST_GRACE));
    let removals_per_hour = table.optional("removals_per_hour").map(|value| removals(&value));
    let origin = table.optional("origin").map(|value| value.url().map(|url| url.as_str().to_owned()));
    let quiet_time = table.optional("quiet_time").and_then(|value| value.duration(Duration::ZERO, MOST_QUIET_TIME));
    let accept_test = table.optional("accept_test").and_then(|value| value.boolean());
    let unsigned = table.optional("unsigned").and_then(|value| value.boolean());
    let sold_before = table.optional("sold_before").map(|value| moment(&value));
    let key_sets = table.optional("key_sets").map_or_else(|| Some(BTreeMap::new()), |value| key_sets(&value));
    let api = table.optional("api").map(|value| shop_api(value.table()?));
    let settings = table.optional("settings").and_then(|value| value.table()).map(|table| json_object(&table));
    if permissions.as_ref().is_some_and(|permissions| permissions.contains(&Permission::Shop)) && api.is_none() {
        table.refuse(
            "permits \"shop\", but has no [shops.api]",
            Some(
                "add [shops.api] with the shop's `url` and credentials, or take \"shop\" out of `permissions`"
                    .to_owned(),
            ),
        );
    }
    table.finish();
    Some(ShopConfig {
        name: name?,
        adapter: adapter?,
        pin: told(pin)?,
        lms: lms?,
        mode: mode?,
        default_mode: default_mode?,
        secrets: secrets?,
        permissions: permissions?,
        no_account: no_account.unwrap_or(NoAccount::Wait),
        enrollment_allowed: enrollment_allowed.unwrap_or(false),
        on_revoke: on_revoke.unwrap_or(OnRevoke::Restore),
        on_expiry: on_expiry.unwrap_or(OnRevoke::Restore),
        force: force.unwrap_or(Force::IfPaidWhileOpen),
        on_delete: on_delete.unwrap_or(OnDelete::Review),
        quiet_time: quiet_time.unwrap_or(QUIET_TIME_DEFAULT),
        grace: grace.unwrap_or(GRACE_DEFAULT),
        removals_per_hour: told(removals_per_hour)?.unwrap_or(brake::REMOVALS_DEFAULT),
        accept_test: accept_test.unwrap_or(false),
        unsigned: unsigned.unwrap_or(false),
        sold_before: told(sold_before)?,
        origin: told(origin)?,
        key_sets: key_sets?,
        api: told(api)?,
        settings: settings.unwrap_or_else(|| Some(serde_json::Value::Object(serde_json::Map::new())))?,
    })
}

fn removals(value: &Value<'_>) -> Option<u32> {
    let number = value.integer()?;
    let removals = u32::try_from(number).ok();
    if removals.is_none() {
        value.refuse("is no number of purchases", Some("write 20, or more".to_owned()));
    }
    removals
}

fn lms_name(value: &Value<'_>, sites: &Sites<'_>) -> Option<LmsName> {
    let name = value.parsed(LmsName::parse)?;
    if sites.named.contains(&name.as_str()) {
        return Some(name);
    }
    let hint = match nearest(name.as_str(), sites.named.iter().copied()) {
        Some(known) => format!("did you mean \"{known}\"?"),
        None if sites.named.is_empty() => "add an [[lms]] of this name".to_owned(),
        None => format!("there are: {}", sites.named.join(", ")),
    };
    value.refuse(format!("there is no [[lms]] named \"{name}\""), Some(hint));
    None
}

/// A mode outside the ladder is never given, so courses would be sold that nobody gets.
fn check_default_mode(table: &mut Table<'_>, lms: &LmsName, mode: &Mode, sites: &Sites<'_>) {
    let Some(site) = sites.read.iter().find(|site| site.name == *lms) else { return };
    if site.mode_ladder.contains(mode) {
        return;
    }
    let message = format!("\"{mode}\" is not on the mode ladder of [[lms]] \"{lms}\"");
    let steps: Vec<_> = site.mode_ladder.iter().map(Mode::as_str).collect();
    let hint = format!("choose one of {}, or add it to `mode_ladder`", steps.join(", "));
    match table.optional("default_mode") {
        Some(value) => value.refuse(message, Some(hint)),
        None => table.refuse(format!("default_mode: {message}"), Some(hint)),
    }
}

/// A value that is absent is `Some(None)`; one that is there and wrong is `None`, and has been told.
fn told<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(None) => None,
        Some(found) => Some(found),
        None => Some(None),
    }
}

fn shop_secrets(table: Table<'_>) -> Option<BTreeMap<String, Vec<Secret>>> {
    let read: Vec<_> = table.entries().map(|(name, value)| Some((name.to_owned(), secrets(&value)?))).collect();
    read.into_iter().collect()
}

fn permissions(value: &Value<'_>) -> Option<BTreeSet<Permission>> {
    value.list()?.iter().map(|value| value.choice(PERMISSIONS)).collect()
}

/// A date (midnight UTC), or a date and time with its offset; quoted or not.
fn moment(value: &Value<'_>) -> Option<Timestamp> {
    let text = match value.raw() {
        DeValue::Datetime(datetime) => datetime.to_string(),
        _ => value.text()?.to_owned(),
    };
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        // A time without an offset parses as a date and time, too, and must not be taken as UTC in silence.
        (text.len() == "2026-01-01".len()).then_some(())?;
        let date: jiff::civil::Date = text.parse().ok()?;
        date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    });
    if moment.is_none() {
        let hint = "write \"2026-09-01\" or \"2026-09-01T00:00:00Z\"";
        value.refuse(format!("{text:?} is not a date, or a time with its offset"), Some(hint.to_owned()));
    }
    moment.map(|moment| Timestamp::from_millis(moment.as_millisecond()))
}

fn json_object(table: &Table<'_>) -> Option<serde_json::Value> {
    let read: Vec<_> = table.entries().map(|(name, value)| Some((name.to_owned(), json(&value)?))).collect();
    let object: Option<serde_json::Map<_, _>> = read.into_iter().collect();
    object.map(serde_json::Value::Object)
}

fn json(value: &Value<'_>) -> Option<serde_json::Value> {
    match value.raw() {
        DeValue::String(text) => Some(serde_json::Value::String(text.clone().into_owned())),
        DeValue::Boolean(boolean) => Some(serde_json::Value::Bool(*boolean)),
        DeValue::Datetime(datetime) => Some(serde_json::Value::String(datetime.to_string())),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
            if number.is_none() {
                value.refuse("is too large a number", None);
            }
            number.map(serde_json::Value::from)
        }
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            if number.is_none() {
                value.refuse("is a number that JSON does not have", None);
            }
            number.map(serde_json::Value::Number)
        }
        DeValue::Array(_) => {
            let items: Vec<_> = value.list()?.iter().map(json).collect();
            items.into_iter().collect::<Option<Vec<_>>>().map(serde_json::Value::Array)
        }
        DeValue::Table(_) => json_object(&value.table()?),
    }
}

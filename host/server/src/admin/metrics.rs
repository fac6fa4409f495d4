//! What machines watch, in the text form of OpenMetrics.
//!
//! Owns the metrics' names and labels. They are made anew for each time somebody asks: nothing is counted here, only shown.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    adapters::status::{Row, State},
    shops::{Service, Shop},
};

/// As what the text is served.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAdapter {
    adapter: String,
    version: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfShop {
    shop: String,
}

/// The metrics as text.
///
/// # Errors
/// When they cannot be written, which takes an error of the library.
pub(super) fn text(adapters: &[Row], shops: impl Iterator<Item = impl AsRef<Shop>>) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("bursar");
    let (states, refused, served) =
        (Family::<OfAdapter, Gauge>::default(), Gauge::<i64>::default(), Family::<OfShop, Gauge>::default());
    registry.register("adapter_state", "1 for the state that the adapter is in, 0 for the others", states.clone());
    registry.register("adapter_files_refused", "Files of the adapters' directory that cannot run", refused.clone());
    registry.register("shop_served", "1 if the shop can be served now, 0 if what it sends is kept", served.clone());
    for row in adapters {
        let Some(adapter) = &row.adapter else {
            refused.inc();
            continue;
        };
        let version = row.version.clone().unwrap_or_default();
        for state in [State::Ready, State::Quarantined] {
            let labels = OfAdapter { adapter: adapter.clone(), version: version.clone(), state: state.as_str() };
            states.get_or_create(&labels).set(i64::from(row.state == state));
        }
    }
    for shop in shops {
        let shop = shop.as_ref();
        let is_served = matches!(&shop.service, Service::Ready(ready) if ready.health.quarantine().is_none());
        served.get_or_create(&OfShop { shop: shop.config.name.to_string() }).set(i64::from(is_served));
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn row(adapter: Option<&str>, state: State) -> Row {
        Row {
            adapter: adapter.map(str::to_owned),
            version: adapter.map(|_| "1.0.0".to_owned()),
            sha256: None,
            file: "adapters/x.wasm".into(),
            state,
            reason: None,
        }
    }

    #[test]
    fn an_adapter_is_in_one_state_and_refused_files_are_counted() {
        let rows = [
            row(Some("acme"), State::Ready),
            row(Some("other"), State::Quarantined),
            row(None, State::Refused),
            row(None, State::Refused),
        ];
        let text = text(&rows, std::iter::empty::<Arc<Shop>>()).unwrap();
        for line in [
            "bursar_adapter_state{adapter=\"acme\",version=\"1.0.0\",state=\"ready\"} 1",
            "bursar_adapter_state{adapter=\"acme\",version=\"1.0.0\",state=\"quarantined\"} 0",
            "bursar_adapter_state{adapter=\"other\",version=\"1.0.0\",state=\"quarantined\"} 1",
            "bursar_adapter_files_refused 2",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
        }
    }
}

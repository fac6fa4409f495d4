//! Pages for people: what machines read at `/readyz` and `/metrics`, to be looked at.
//!
//! Owns how it is shown. A page only shows: nothing can be changed by one, so nobody can be made to change anything.

use std::sync::Arc;

use axum::{
    http::{HeaderName, header},
    response::{Html, IntoResponse, Response},
};
use bursar_domain::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::{
    adapters::status::{Row, State},
    shops::{Service, Shop},
};

const STYLE: &str = include_str!("pages.css");

/// What a browser is told beside every page: it loads nothing but our style, nobody shows it inside theirs, nothing is kept.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// How much of a file's SHA-256 is shown: as much as `bursar adapter list` does.
const DIGEST: usize = 12;

/// How the style is served.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// The page of adapters and shops: how each is doing, and why.
pub(super) fn adapters(rows: &[Row], shops: &[Arc<Shop>], now: Timestamp) -> Response {
    let shops_of = |row: &Row| {
        let served = shops.iter().filter(|shop| Some(shop.config.adapter.as_str()) == row.adapter.as_deref());
        served.map(|shop| shop.config.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let content = html! {
        h2 { "Adapters" }
        p { (summary(rows)) }
        @if !rows.is_empty() {
            div.wide { table {
                thead { tr { th { "adapter" } th { "state" } th { "shops" } th { "file" } } }
                tbody { @for row in rows { tr {
                    td {
                        @if let Some(adapter) = &row.adapter { strong { (adapter) } } @else { "unknown" }
                        @if let Some(version) = &row.version { small { (version) } }
                    }
                    td { span.state.(row.state.as_str()) { (row.state.as_str()) } @if let Some(why) = &row.reason { (reason(why)) } }
                    td { (shops_of(row)) }
                    td {
                        code { (row.file.display()) }
                        @if let Some(digest) = row.sha256.as_deref().and_then(|sha256| sha256.get(..DIGEST)) {
                            small { "sha256 " code { (digest) } "…" }
                        }
                    }
                } } }
            } }
        }
        h2 { "Shops" }
        @if shops.is_empty() {
            p { "No shop is configured yet." }
        } @else {
            div.wide { table {
                thead { tr { th { "shop" } th { "adapter" } th { "mode" } th { "state" } } }
                tbody { @for shop in shops { tr {
                    td { strong { (shop.config.name) } }
                    td { (shop.config.adapter) }
                    td { (shop.policy.mode) }
                    td { (served(shop)) }
                } } }
            } }
        }
    };
    (HEADERS, Html(page("Adapters and shops", now, &content).into_string())).into_response()
}

fn page(title: &str, now: Timestamp, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Bursar" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                header { h1 { "Bursar" } p { (title) ", as of " time datetime=(now) { (now) } } }
                main { (content) }
            }
        }
    }
}

fn summary(rows: &[Row]) -> String {
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    match (count(State::Ready), count(State::Quarantined), count(State::Refused)) {
        (0, 0, 0) => "There is no file in the adapters' directory.".to_owned(),
        (ready, 0, 0) => format!("{ready} ready; nothing is wrong."),
        (ready, quarantined, refused) => format!("{ready} ready, {quarantined} quarantined, {refused} refused."),
    }
}

fn served(shop: &Shop) -> Markup {
    match &shop.service {
        Service::Waiting(obstacle) => waits(&obstacle.message),
        Service::Ready(ready) => match ready.health.quarantine() {
            Some(quarantine) => waits(&quarantine.words()),
            None => html! { span.state.served { "served" } },
        },
    }
}

fn waits(why: &str) -> Markup {
    html! { span.state.waits { "waits" } (reason(why)) p.quiet { "What it sends is kept, and handled once this is mended." } }
}

/// Words for people, which may end with what to do.
fn reason(words: &str) -> Markup {
    let (why, hint) = words.split_once("\nhint: ").map_or((words, None), |(why, hint)| (why, Some(hint)));
    html! { p.why { (why) } @if let Some(hint) = hint { p.hint { "hint: " (hint) } } }
}

//! Additions to the contract break nothing: an old component runs on a newer host, and a newer one that does not use what
//! was added runs on this host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]
#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of the support")]

mod support;

use bursar_sandbox::{Decision, Limits, LoadErrorKind, inspect};
use support::{delivery, minimal, newer_contract_with, patched, request, sandbox, shop, surroundings};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

/// `catalog` with one function more.
const ADDED: (&str, &str, &str) =
    ("catalog.wit", "interface catalog {", "interface catalog {\n  titles: func(product: string) -> list<string>;\n");

#[tokio::test]
async fn a_newer_component_that_uses_nothing_new_runs_on_this_host() {
    // The very adapter, built against a contract that calls itself 0.1.1.
    let newer = patched("@0.1.0", "@0.1.1");
    let inspection = inspect(&newer, &Limits::default()).unwrap();
    assert_eq!(inspection.contract, "0.1.1");
    assert!(inspection.imports.iter().any(|import| import == "bursar:adapter/incoming@0.1.1"));
    let adapter = sandbox().load(newer).await.unwrap();
    let authenticated = adapter.authenticate(&shop(), request("/hmac")).await.unwrap();
    assert!(matches!(authenticated.decision, Decision::Accept { .. }));
    let handled = adapter.handle(&shop(), delivery("order"), surroundings()).await.unwrap();
    assert_eq!(handled.result.unwrap().orders.len(), 1);
}

#[tokio::test]
async fn a_component_that_uses_something_newer_is_refused_by_its_name() {
    let (file, from, to) = ADDED;
    let error = sandbox().load(newer_contract_with("0.1.1", file, from, to)).await.unwrap_err();
    assert_eq!(
        error.kind,
        LoadErrorKind::NewerFunction {
            name: "titles".to_owned(),
            interface: "bursar:adapter/catalog@0.1.1".to_owned()
        },
        "{error}"
    );
    assert_eq!(
        format!("{error:#}"),
        "the component uses `titles` of bursar:adapter/catalog@0.1.1, which is newer than this host's contract, 0.1.0\n\
         hint: update the host, or build the adapter without it"
    );
}

#[tokio::test]
async fn a_method_added_to_a_resource_is_named_too() {
    let (from, to) =
        ("    received-at: func() -> instant;", "    received-at: func() -> instant;\n    peer: func() -> string;");
    let error = sandbox().load(newer_contract_with("0.1.2", "incoming.wit", from, to)).await.unwrap_err();
    let LoadErrorKind::NewerFunction { name, .. } = &error.kind else { panic!("{error}") };
    assert_eq!(name, "[method]request.peer");
}

#[test]
fn versions_outside_the_line_are_refused_before_anything_is_compiled() {
    for version in ["0.2.0", "0.9.0", "1.1.0", "0.0.1"] {
        let error = inspect(&patched("@0.1.0", &format!("@{version}")), &Limits::default()).unwrap_err();
        assert_eq!(error.kind, LoadErrorKind::OtherVersion { version: version.to_owned() });
    }
}

#[test]
fn a_component_of_today_links_on_a_host_with_additions() {
    let mut config = wasmtime::Config::new();
    config.wasm_component_model(true);
    let engine = Engine::new(&config).unwrap();
    let (file, from, to) = ADDED;
    // What a host of 0.1.1 offers: everything under its new name, and one function more.
    let newer = Component::from_binary(&engine, &newer_contract_with("0.1.1", file, from, to)).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&newer).unwrap();
    let today = Component::from_binary(&engine, minimal()).unwrap();
    linker.instantiate_pre(&today).unwrap();
}

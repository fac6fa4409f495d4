//! What may be loaded, what is said of a file that may not, and what a loaded adapter says of itself.

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

use bursar_domain::Request;
use bursar_sandbox::{
    Limits, LoadErrorClass, LoadErrorKind, Permission, RunErrorKind, Sandbox, SandboxConfig, check_settings, inspect,
    limits, redact,
};
use bytes::Bytes;
use support::{
    binding_libpython, contract_with, describing, everything, importing, minimal, patched, request_with, sandbox,
};
use wasm_encoder::{Component, ComponentSectionId, Module, RawSection};

fn refused(bytes: &[u8]) -> LoadErrorKind {
    let error = inspect(bytes, &Limits::default()).unwrap_err();
    assert!(!error.to_string().contains('\n'));
    assert!(format!("{error:#}").contains("\nhint: "), "{error:#}");
    error.kind
}

/// A component around one core module, which is validated and never run.
fn around(module: Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&RawSection { id: ComponentSectionId::CoreModule as u8, data: &module.finish() });
    component.finish()
}

#[test]
fn what_is_no_component_is_named_for_what_it_is() {
    assert_eq!(refused(b""), LoadErrorKind::Empty);
    assert_eq!(refused(b"\0asm"), LoadErrorKind::Truncated { at: 4 });
    assert_eq!(refused(b"\0asm\x01\0\0\0"), LoadErrorKind::CoreModule);
    assert_eq!(refused(b"  (component)"), LoadErrorKind::Text);
    assert_eq!(refused(b";; a comment\n(module)"), LoadErrorKind::Text);
    assert_eq!(refused(b"#!/bin/sh"), LoadErrorKind::NotWasm);
    assert_eq!(
        refused(&vec![0; limits::FILE.default + 1]),
        LoadErrorKind::TooLarge { size: limits::FILE.default + 1, max: limits::FILE.default }
    );
    assert_eq!(refused(&Component::new().finish()), LoadErrorKind::NotAnAdapter);
    assert_eq!(inspect(b"", &Limits::default()).unwrap_err().class(), LoadErrorClass::File);
}

#[test]
fn machine_code_is_refused_whatever_it_is_called() {
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(minimal()).unwrap();
    assert_eq!(refused(&compiled), LoadErrorKind::Precompiled);
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let bytes = minimal();
    for at in [8, 9, 100, bytes.len() / 2, bytes.len() - 1] {
        let kind = refused(&bytes[..at]);
        assert!(
            matches!(kind, LoadErrorKind::Truncated { .. } | LoadErrorKind::NotAnAdapter | LoadErrorKind::Invalid(_)),
            "cut at {at}: {kind:?}"
        );
    }
    assert!(matches!(refused(&bytes[..bytes.len() / 2]), LoadErrorKind::Truncated { .. }));
}

#[test]
fn features_that_are_off_are_named() {
    use wasm_encoder::{MemorySection, MemoryType};
    let memory = MemoryType { minimum: 1, maximum: Some(1), memory64: false, shared: false, page_size_log2: None };
    for (memory, name) in [
        (MemoryType { shared: true, ..memory }, "threads"),
        (MemoryType { memory64: true, ..memory }, "64-bit memories"),
        (MemoryType { page_size_log2: Some(0), ..memory }, "custom page sizes"),
    ] {
        let (mut module, mut memories) = (Module::new(), MemorySection::new());
        memories.memory(memory);
        module.section(&memories);
        assert_eq!(refused(&around(module)), LoadErrorKind::FeatureOff { feature: name });
    }
}

#[test]
fn exceptions_are_named_because_some_languages_need_them() {
    use wasm_encoder::{TagKind, TagSection, TagType, TypeSection};
    let (mut module, mut types, mut tags) = (Module::new(), TypeSection::new(), TagSection::new());
    types.ty().function([], []);
    tags.tag(TagType { kind: TagKind::Exception, func_type_idx: 0 });
    module.section(&types).section(&tags);
    assert_eq!(refused(&around(module)), LoadErrorKind::FeatureOff { feature: "exceptions" });
}

#[test]
fn damaged_files_never_harm_the_inspection() {
    let bytes = minimal();
    // A fixed sequence (the multiplier and increment of Knuth's MMIX), so that a failure can be repeated.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..200 {
        let mut damaged = bytes.to_vec();
        for _ in 0..1 + next() % 4 {
            let at = next() % damaged.len();
            damaged[at] = u8::try_from(next() % 256).unwrap();
        }
        let _ = inspect(&damaged, &Limits::default());
    }
}

#[test]
fn several_memories_are_allowed_because_wasmtime_needs_them_itself() {
    use wasm_encoder::{MemorySection, MemoryType};
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    let (mut module, mut memories) = (Module::new(), MemorySection::new());
    memories.memory(memory);
    memories.memory(memory);
    module.section(&memories);
    assert_eq!(refused(&around(module)), LoadErrorKind::NotAnAdapter);
}

#[test]
fn imports_that_the_host_does_not_have_are_named() {
    let other = patched("bursar:adapter/logging@0.1.0", "bursar:adapter/logginh@0.1.0");
    assert_eq!(refused(&other), LoadErrorKind::UnknownImport { import: "bursar:adapter/logginh@0.1.0".to_owned() });
}

/// What is said of a file, its hint in a line of its own.
async fn said(bytes: &[u8]) -> String {
    format!("{:#}", sandbox().load(bytes).await.unwrap_err())
}

#[tokio::test]
async fn every_refusal_is_a_sentence_and_a_hint() {
    let engine = wasmtime::Engine::default();
    let copy = "hint: copy the file again; write it beside and rename it when complete";
    for (bytes, sentence, hint) in [
        (Vec::new(), "the file is empty", copy),
        (b"\0asm".to_vec(), "the file is cut short: it ends at byte 4 in the middle of something", copy),
        (
            b"\0asm\x01\0\0\0".to_vec(),
            "the file is a core webassembly module, not a component",
            "hint: turn it into a component: `bursar adapter build`, or `wasm-tools component new`",
        ),
        (
            b"(component)".to_vec(),
            "the file is webassembly text, not a binary component",
            "hint: build the adapter with a component toolchain, or convert the text to binary first",
        ),
        (
            b"#!/bin/sh".to_vec(),
            "the file is not webassembly",
            "hint: put only adapters' .wasm files into this directory",
        ),
        (
            engine.precompile_component(&Component::new().finish()).unwrap(),
            "the file is a precompiled artefact: machine code, which no sandbox can hold",
            "hint: use the .wasm file that the author published; this host compiles it by itself",
        ),
        (
            Component::new().finish(),
            "the component does not export bursar:adapter/adapter@0.1.0",
            "hint: build the adapter against the contract's `minimal` world",
        ),
        (
            patched("@0.1.0", "@0.2.0"),
            "the component was built for bursar:adapter@0.2.0, this host speaks 0.1.x",
            "hint: build the adapter against this host's contract, or update the host",
        ),
        (
            patched("@0.1.0", "@0.9.0"),
            "the component was built for bursar:adapter@0.9.0, this host speaks 0.1.x",
            "hint: build the adapter against this host's contract, or update the host",
        ),
        (
            importing(
                "package wasi:sockets@0.2.6; interface tcp-create-socket { make: func(); }",
                "wasi:sockets/tcp-create-socket@0.2.6",
            ),
            "the component imports wasi:sockets/tcp-create-socket@0.2.6, and adapters have no network",
            "hint: ask the shop through `bursar:adapter/shop`, and the host makes the call",
        ),
        (
            importing(
                "package wasi:http@0.2.6; interface outgoing-handler { handle: func(); }",
                "wasi:http/outgoing-handler@0.2.6",
            ),
            "the component imports wasi:http/outgoing-handler@0.2.6, and adapters have no network",
            "hint: ask the shop through `bursar:adapter/shop`, and the host makes the call",
        ),
        (
            importing("package wasi:keyvalue@0.2.0; interface store { open: func(); }", "wasi:keyvalue/store@0.2.0"),
            "the component imports wasi:keyvalue/store@0.2.0, which this host does not have",
            "hint: import nothing but interfaces of the contract",
        ),
        (
            importing("package wasi:cli@0.3.0; interface stdout { get: func(); }", "wasi:cli/stdout@0.3.0"),
            "the component imports wasi:cli/stdout@0.3.0, which this host does not have",
            "hint: import nothing but interfaces of the contract",
        ),
        (
            importing("package acme:tools@1.0.0; interface saw { cut: func(); }", "acme:tools/saw@1.0.0"),
            "the component imports acme:tools/saw@1.0.0, which this host does not have",
            "hint: import nothing but interfaces of the contract",
        ),
        (
            contract_with("world.wit", "  handle: func", "  handled: func"),
            "the component's bursar:adapter/adapter@0.1.0 has no function `handle`",
            "hint: build the adapter against the contract's `minimal` world",
        ),
        (
            describing("unsound"),
            "the adapter's description is not sound: the platform's name must begin with a lower-case letter",
            "hint: correct what `describe` says and build the adapter again",
        ),
        (
            describing("schema."),
            "the adapter's settings schema is not sound: at /properties/a/pattern: the keyword `pattern` is not understood",
            "hint: use `type: object` with properties of the types string, boolean, integer and array of strings",
        ),
        (
            describing("panic.."),
            "the adapter cannot describe itself: the adapter trapped: wasm `unreachable` instruction executed",
            "hint: `describe` must only fill its description in; try `bursar adapter check`",
        ),
    ] {
        assert_eq!(said(&bytes).await, format!("{sentence}\n{hint}"));
    }
}

#[tokio::test]
async fn a_component_with_other_types_than_the_contracts_does_not_fit() {
    let words =
        said(&contract_with("world.wit", "describe: func() -> description", "describe: func() -> string")).await;
    assert!(words.starts_with("the component does not fit the contract: its functions have other types: "), "{words}");
    assert!(words.ends_with("\nhint: build the adapter against the contract's `minimal` world"), "{words}");
}

#[tokio::test]
async fn only_cpython_may_import_sockets_and_finds_them_empty() {
    let sockets =
        "package wasi:sockets@0.2.6; interface instance-network { resource network; instance-network: func(); }";
    let python = binding_libpython(&importing(sockets, "wasi:sockets/instance-network@0.2.6"));
    let inspection = inspect(&python, &Limits::default()).unwrap();
    assert_eq!(inspection.wasi, ["wasi:sockets/instance-network@0.2.6"]);
}

#[test]
fn an_inspection_says_what_a_file_is_and_wants() {
    let inspection = inspect(minimal(), &Limits::default()).unwrap();
    assert_eq!((inspection.size, inspection.sha256.len()), (minimal().len(), 64));
    assert_eq!(inspection.contract, "0.1.0");
    assert_eq!(inspection.exports, [bursar_sandbox::ADAPTER]);
    assert!(inspection.imports.iter().any(|import| import == "bursar:adapter/signatures@0.1.0"));
    assert!(inspection.permissions.is_empty() && inspection.wasi.is_empty());
    let wanting = inspect(everything(), &Limits::default()).unwrap();
    assert_eq!(wanting.permissions.into_iter().collect::<Vec<_>>(), Permission::ALL);
    assert_eq!(wanting.wasi.len(), 13, "{:?}", wanting.wasi);
}

#[tokio::test]
async fn a_loaded_adapter_has_described_itself() {
    let adapter = sandbox().load(minimal()).await.unwrap();
    let description = adapter.description();
    assert_eq!((description.platform.as_str(), description.version.as_str()), ("test", "1.2.3"));
    assert_eq!(description.secrets[0].name, "webhook");
    assert_eq!(description.optional_secrets[0].purpose, "is sent along");
    assert_eq!(description.optional_permissions[&Permission::LmsRead], "learns what is there");
    assert_eq!(description.key_sets[0].name, "keys");
    assert_eq!(description.topics[0].name, "accept");
    let query = &description.documents[0];
    assert_eq!((&*query.name, &*query.purpose), ("query", "the query of the subscription"));
    assert_eq!(query.text, "subscription {\n\torder\n}\n", "byte for byte");
    assert_eq!(check_settings(&description.settings, &serde_json::json!({})).unwrap(), r#"{"greeting":"hello"}"#);
    assert_eq!(adapter.sha256(), inspect(minimal(), &Limits::default()).unwrap().sha256);
    assert_eq!(adapter.size(), minimal().len());
}

#[tokio::test]
async fn a_permission_that_an_adapter_can_do_without_need_not_be_granted() {
    let adapter = sandbox().load(everything()).await.unwrap();
    assert!(adapter.permissions().contains(&Permission::LmsRead));
    assert_eq!(adapter.needed_permissions().collect::<Vec<_>>(), [Permission::Shop, Permission::LmsWrite]);
}

#[tokio::test]
async fn what_the_description_blanks_is_blank_and_nothing_else_changes() {
    let adapter = sandbox().load(minimal()).await.unwrap();
    let body = br#"{ "card": {"number" :"4111", "name":"x"}, "total": 10.00 }"#;
    let request = request_with("/a", body, |request| {
        request.headers.push(("authorization".to_owned(), Bytes::from_static(b"Basic c2VjcmV0")));
    });
    let redacted = redact(adapter.description(), &request);
    let mut expected: Request = (*request).clone();
    expected.headers[2].1 = Bytes::from_static(b"***");
    expected.body = Bytes::from_static(br#"{ "card": {"number" :"***", "name":"x"}, "total": 10.00 }"#);
    assert!(redacted == expected);
}

#[tokio::test]
async fn a_description_that_traps_or_never_ends_or_breaks_a_rule_is_refused() {
    let trapped = sandbox().load(describing("panic..")).await.unwrap_err();
    assert!(matches!(trapped.kind, LoadErrorKind::Describe(RunErrorKind::Trap(_))), "{trapped}");
    assert!(trapped.backtrace.is_some_and(|backtrace| backtrace.contains("describe")));
    assert_eq!(trapped.kind.class(), LoadErrorClass::Adapter);

    let endless = sandbox().load(describing("spin...")).await.unwrap_err();
    assert_eq!(endless.kind, LoadErrorKind::Describe(RunErrorKind::Cpu(limits::HANDLE_CPU.default)));

    let unsound = sandbox().load(describing("unsound")).await.unwrap_err();
    assert!(matches!(&unsound.kind, LoadErrorKind::Description(said) if said.contains("platform")), "{unsound}");
}

#[tokio::test]
async fn compiled_adapters_are_kept_in_a_private_directory() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("compiled");
    let config = SandboxConfig { cache_directory: Some(cache.clone()), ..SandboxConfig::default() };
    for _ in 0..2 {
        let adapter = Sandbox::new(config.clone()).unwrap().load(minimal()).await.unwrap();
        assert_eq!(adapter.description().platform.as_str(), "test");
    }
    assert!(std::fs::read_dir(&cache).unwrap().next().is_some());
}

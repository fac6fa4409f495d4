//! What a file is, read from its bytes: before anything is compiled, and without running a byte of it.
//!
//! Owns the rules of what may be loaded at all and which permissions it wants. Never compiles.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use wasmparser::{ComponentExternalKind, ComponentType, Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::{
    error::{LoadError, LoadErrorKind},
    limits::{self, Limits},
    shop::Permission,
};

/// The contract's package.
pub const PACKAGE: &str = "bursar:adapter";

/// The version of the contract that this host speaks.
pub const VERSION: &str = "0.1.0";

/// The versions whose components run here: every `0.1.x`. What is added in one of them is missing on an older host, and a
/// component that does not use it does not miss it.
pub const LINE: &str = "0.1";

/// The interface that every adapter exports.
pub const ADAPTER: &str = "bursar:adapter/adapter@0.1.0";

/// What the names of all WASI interfaces begin with.
pub(crate) const WASI: &str = "wasi:";

/// Packages of WASI's preview 2 that are there, and empty.
const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// What the versions of preview 2 begin with.
const WASI_LINE: &str = "0.2.";

/// Interfaces of the contract that need no permission.
const FREE_INTERFACES: [&str; 7] = ["types", "incoming", "signatures", "orders", "catalog", "settings", "logging"];

/// What the first bytes of WebAssembly text may be.
const TEXT_STARTS: [&str; 3] = ["(module", "(component", ";;"];

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// SHA-256 of the bytes, lower-case hexadecimal: the file's identity.
    pub sha256: String,
    /// Its bytes.
    pub size: usize,
    /// Names of what it imports, in the order of the file.
    pub imports: Vec<String>,
    /// Names of what it exports, in the order of the file.
    pub exports: Vec<String>,
    /// The version of the contract that it was built for.
    pub contract: String,
    /// What it wants beyond the minimal world.
    pub permissions: BTreeSet<Permission>,
    /// Imports of WASI among [`imports`](Self::imports). They are served, and empty.
    pub wasi: Vec<String>,
}

/// Says what a file is. Takes up to some seconds for a large one that is not valid; call it off async threads.
///
/// # Errors
/// When it is no component, is damaged, uses what is off in this sandbox, imports what this host does not have or does
/// not export [`ADAPTER`].
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection, LoadError> {
    recognise(bytes, limits)?;
    measure(bytes, limits)?;
    validate(bytes)?;
    let (imports, exports) = outer_names(bytes)?;
    let (mut permissions, mut wasi) = (BTreeSet::new(), Vec::new());
    for import in &imports {
        match classify_import(import)? {
            Import::Free => {}
            Import::Wants(permission) => {
                permissions.insert(permission);
            }
            Import::Wasi => wasi.push(import.clone()),
            // CPython imports all of WASI whatever the adapter does with it.
            Import::Socket if carries_cpython(bytes)? => wasi.push(import.clone()),
            Import::Socket => return Err(LoadErrorKind::Network { import: printable(import) }.into()),
        }
    }
    let contract = exported_contract(&exports)?;
    Ok(Inspection {
        sha256: hex::encode(Sha256::digest(bytes)),
        size: bytes.len(),
        imports,
        exports,
        contract,
        permissions,
        wasi,
    })
}

/// The features that both this check and the compiler allow. Why each is on or off: `docs/sandbox.md`.
pub(crate) fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::BULK_MEMORY_OPT
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::CALL_INDIRECT_OVERLONG
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::COMPONENT_MODEL
}

/// Features that are off, with the words in which an author knows them.
const OFF: [(WasmFeatures, &str); 17] = [
    (WasmFeatures::THREADS, "threads"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::MEMORY64, "64-bit memories"),
    (WasmFeatures::EXCEPTIONS, "exceptions"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exceptions"),
    (WasmFeatures::GC, "garbage collection"),
    (WasmFeatures::GC_TYPES, "references to host values"),
    (WasmFeatures::FUNCTION_REFERENCES, "typed function references"),
    (WasmFeatures::RELAXED_SIMD, "relaxed simd"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
    (WasmFeatures::CM_ASYNC, "asynchronous component functions"),
    (WasmFeatures::CM_ASYNC_STACKFUL, "stackful asynchronous component functions"),
    (WasmFeatures::CM_ERROR_CONTEXT, "error contexts"),
    (WasmFeatures::CM_VALUES, "component values"),
    (WasmFeatures::CM_NESTED_NAMES, "nested component names"),
];

fn recognise(bytes: &[u8], limits: &Limits) -> Result<(), LoadErrorKind> {
    if bytes.is_empty() {
        return Err(LoadErrorKind::Empty);
    }
    if bytes.len() > limits.file {
        return Err(LoadErrorKind::TooLarge { size: bytes.len(), max: limits.file });
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadErrorKind::Precompiled);
    }
    if Parser::is_component(bytes) {
        return Ok(());
    }
    if Parser::is_core_wasm(bytes) {
        return Err(LoadErrorKind::CoreModule);
    }
    if b"\0asm\x0d\0\x01\0".starts_with(bytes) {
        return Err(LoadErrorKind::Truncated { at: bytes.len() });
    }
    let start = bytes.get(..64).unwrap_or(bytes).trim_ascii_start();
    if TEXT_STARTS.iter().any(|text| start.starts_with(text.as_bytes())) {
        return Err(LoadErrorKind::Text);
    }
    Err(LoadErrorKind::NotWasm)
}

/// Counts what makes compiling costly, before anything is validated or compiled. What cannot be read is left to [`validate`].
fn measure(bytes: &[u8], limits: &Limits) -> Result<(), LoadErrorKind> {
    let (mut functions, mut types) = (0_usize, 0_usize);
    let over = |what, limit: usize, count: usize| match count > limit {
        true => Err(LoadErrorKind::TooComplex { what, limit }),
        false => Ok(()),
    };
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::CodeSectionStart { count: more, .. }) => functions = functions.saturating_add(count(more)),
            Ok(Payload::CodeSectionEntry(body)) => {
                over("bytes of code in one function", limits.function_bytes, body.range().len())?;
            }
            Ok(Payload::TypeSection(section)) => types = types.saturating_add(count(section.count())),
            Ok(Payload::CoreTypeSection(section)) => types = types.saturating_add(count(section.count())),
            Ok(Payload::ComponentTypeSection(section)) => {
                for declared in section {
                    let Ok(declared) = declared else { return Ok(()) };
                    types = types.saturating_add(declarations(&declared));
                }
            }
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
        over("functions", limits.functions, functions)?;
        over("types", limits.types, types)?;
    }
    Ok(())
}

/// A type and the declarations in it.
fn declarations(declared: &ComponentType<'_>) -> usize {
    1 + match declared {
        ComponentType::Component(inner) => inner.len(),
        ComponentType::Instance(inner) => inner.len(),
        ComponentType::Defined(_) | ComponentType::Func(_) | ComponentType::Resource { .. } => 0,
    }
}

fn validate(bytes: &[u8]) -> Result<(), LoadErrorKind> {
    let Err(error) = Validator::new_with_features(features()).validate_all(bytes) else { return Ok(()) };
    // `message` instead of a dedicated method, because the parser marks only incremental parsing as "needs more bytes".
    if error.message().contains("unexpected end") {
        return Err(LoadErrorKind::Truncated { at: bytes.len() });
    }
    for (feature, name) in OFF {
        let with_it = Validator::new_with_features(features() | dependencies(feature)).validate_all(bytes);
        if with_it.is_ok() {
            return Err(LoadErrorKind::FeatureOff { feature: name });
        }
    }
    Err(LoadErrorKind::Invalid(first_line(&error.to_string())))
}

/// A feature and what the validator takes for granted with it.
fn dependencies(feature: WasmFeatures) -> WasmFeatures {
    if feature == WasmFeatures::GC || feature == WasmFeatures::EXCEPTIONS || feature == WasmFeatures::STACK_SWITCHING {
        return feature
            | WasmFeatures::FUNCTION_REFERENCES
            | WasmFeatures::GC
            | WasmFeatures::GC_TYPES
            | WasmFeatures::EXCEPTIONS;
    }
    if feature == WasmFeatures::CM_ASYNC_STACKFUL {
        return feature | WasmFeatures::CM_ASYNC;
    }
    feature
}

fn outer_names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), LoadErrorKind> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadErrorKind::Invalid(first_line(&error.to_string()));
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(invalid)? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    if export.kind == ComponentExternalKind::Instance {
                        exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

/// Is CPython one of the component's parts? Toolchains link it in as a shared library, and the module that binds the
/// libraries together exports `libpython3.14.so:memory_base`. Who pretends it gains sockets that refuse everything.
fn carries_cpython(bytes: &[u8]) -> Result<bool, LoadErrorKind> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadErrorKind::Invalid(first_line(&error.to_string()));
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::ExportSection(section) = payload.map_err(invalid)? {
            for export in section {
                let name = export.map_err(invalid)?.name;
                if name.starts_with("libpython") && name.ends_with(".so:memory_base") {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

enum Import {
    Free,
    Wants(Permission),
    Wasi,
    Socket,
}

fn classify_import(name: &str) -> Result<Import, LoadErrorKind> {
    let unknown = || LoadErrorKind::UnknownImport { import: printable(name) };
    if let Some(wasi) = name.strip_prefix(WASI) {
        let (package, rest) = wasi.split_once('/').ok_or_else(unknown)?;
        return match package {
            "http" => Err(LoadErrorKind::Network { import: printable(name) }),
            _ if !WASI_PACKAGES.contains(&package) || !rest.contains(&format!("@{WASI_LINE}")) => Err(unknown()),
            "sockets" => Ok(Import::Socket),
            _ => Ok(Import::Wasi),
        };
    }
    let (interface, version) = contract_name(name).ok_or_else(unknown)?;
    if !is_spoken(version) {
        return Err(LoadErrorKind::OtherVersion { version: printable(version) });
    }
    if FREE_INTERFACES.contains(&interface) {
        return Ok(Import::Free);
    }
    Permission::from_name(interface).map(Import::Wants).ok_or_else(unknown)
}

/// The version of the contract that the component was built for.
fn exported_contract(exports: &[String]) -> Result<String, LoadErrorKind> {
    match exports.iter().filter_map(|name| contract_name(name)).find(|(interface, _)| *interface == "adapter") {
        Some((_, version)) if is_spoken(version) => Ok(version.to_owned()),
        Some((_, version)) => Err(LoadErrorKind::OtherVersion { version: printable(version) }),
        None => Err(LoadErrorKind::NotAnAdapter),
    }
}

/// Is it one of [`LINE`]: `0.1.0`, `0.1.1`, `0.1.12`? A version with a mark of a pre-release is compatible with nothing.
fn is_spoken(version: &str) -> bool {
    version
        .strip_prefix(LINE)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|patch| !patch.is_empty() && patch.len() <= 4 && patch.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The interface and version in `bursar:adapter/orders@0.1.0`.
pub(crate) fn contract_name(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.strip_prefix('/')?.split_once('@')
}

/// A name out of a file that nobody vouches for, fit to be shown.
fn printable(name: &str) -> String {
    crate::text::words(name, limits::ID)
}

fn first_line(text: &str) -> String {
    crate::text::words(text.lines().next().unwrap_or_default(), limits::WORDS)
}

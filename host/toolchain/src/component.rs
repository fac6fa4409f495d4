//! Components as files: making one of a core module, writing into it what it is, and reading that again.
//!
//! Must never let one out that imports anything but the interfaces of `bursar:adapter`: what an adapter imports is what it
//! may do. WASI passes only where a language's runtime cannot be without it; the host gives it an empty one.

use std::fmt;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};
use wasmparser::{BinaryReader, ComponentName, ComponentNameSectionReader, Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm};

use crate::contract::{EXPORTED, PREFIX, WASI};
use crate::{Error, Result};

/// The section that holds a component's version, by the convention of its registries.
const VERSION_SECTION: &str = "version";
/// The section that holds its licence, by the same convention.
const LICENCE_SECTION: &str = "licenses";
/// The section that says which version of the contract it is made for. Ours, so that registries need not decode a component.
const CONTRACT_SECTION: &str = "bursar-contract";
/// The section that holds its name.
const NAME_SECTION: &str = "component-name";

/// What a component says that it is, in sections that no run depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The platform.
    pub name: Option<String>,
    /// The adapter's version.
    pub version: Option<String>,
    /// As in SPDX.
    pub licence: Option<String>,
    /// The version of the contract that it is made for.
    pub contract: Option<String>,
}

/// May a component import WASI?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wasi {
    /// Its language does without.
    Refused,
    /// Its language's runtime imports it whatever the adapter does. The host's is empty.
    Empty,
}

/// Makes a component of a core module that was built with the contract's bindings.
///
/// # Errors
///
/// When it was not, or is no module.
pub fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| Error::new(format!("the module cannot become a component: {error:#}")))
}

/// Checks what the component imports, and writes name, version, licence and the contract's version into it.
///
/// # Errors
///
/// When it is no component, imports what it must not, or exports no adapter.
pub fn finish(component: &[u8], name: &str, version: &str, licence: Option<&str>, wasi: Wasi) -> Result<Vec<u8>> {
    let outside = Outside::of(component)?;
    within_contract(&outside.imports, wasi)?;
    let contract = outside.contract().ok_or_else(|| {
        Error::new(format!("the component does not export {EXPORTED}"))
            .hint("export the adapter as the template of its language does")
    })?;
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(name.to_owned());
    let mut finished = metadata.to_wasm(component).map_err(|error| undecodable(&error))?;
    let mut append = |name: &str, text: &str| {
        CustomSection { name: name.into(), data: text.as_bytes().into() }.append_to_component(&mut finished);
    };
    append(VERSION_SECTION, version);
    if let Some(licence) = licence {
        append(LICENCE_SECTION, licence);
    }
    append(CONTRACT_SECTION, contract);
    Ok(finished)
}

/// The interfaces that the component imports. What its parts import from one another does not count.
///
/// # Errors
///
/// When it is no component.
pub fn imports(component: &[u8]) -> Result<Vec<String>> {
    Ok(Outside::of(component)?.imports)
}

fn within_contract(imports: &[String], wasi: Wasi) -> Result<()> {
    let allowed = |import: &&String| import.starts_with(PREFIX) || (wasi == Wasi::Empty && import.starts_with(WASI));
    match imports.iter().find(|import| !allowed(import)) {
        Some(foreign) => Err(Error::new(format!(
            "the component imports `{foreign}`, which is no interface of {PREFIX}"
        ))
        .hint("an adapter has no files, network, clock or randomness; find the library that wants it, and do without")),
        None => Ok(()),
    }
}

/// What a component has to do with the world.
struct Outside {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Outside {
    fn of(component: &[u8]) -> Result<Self> {
        let decoded = wit_component::decode(component).map_err(|error| undecodable(&error))?;
        let DecodedWasm::Component(resolve, world) = &decoded else {
            return Err(Error::new("the file is a package of interfaces, not a component"));
        };
        let world = resolve.worlds.get(*world).ok_or_else(|| Error::new("the component has no world"))?;
        let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
        let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
        Ok(Self { imports, exports })
    }

    fn contract(&self) -> Option<&str> {
        self.exports.iter().find_map(|export| export.strip_prefix(EXPORTED)?.strip_prefix('@'))
    }
}

fn undecodable(error: &impl fmt::Display) -> Error {
    Error::new(format!("the component cannot be read: {error:#}"))
}

impl Identity {
    /// Reads it. What is not there, or is not text, is none: nothing depends on it.
    #[must_use]
    pub fn read(component: &[u8]) -> Self {
        let mut identity = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            let Ok(payload) = payload else { break };
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if depth == 1 => {
                    let text = || String::from_utf8(section.data().to_vec()).ok();
                    match section.name() {
                        NAME_SECTION => identity.name = component_name(section.data(), section.data_offset()),
                        VERSION_SECTION => identity.version = text(),
                        LICENCE_SECTION => identity.licence = text(),
                        CONTRACT_SECTION => identity.contract = text(),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        identity
    }
}

fn component_name(data: &[u8], offset: usize) -> Option<String> {
    let names = ComponentNameSectionReader::new(BinaryReader::new(data, offset));
    names.into_iter().find_map(|name| match name {
        Ok(ComponentName::Component { name, .. }) => Some(name.to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        Component, ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentTypeRef,
        ComponentTypeSection, InstanceType, NestedComponentSection,
    };

    use super::*;

    /// A component that imports an instance, and exports it again as an adapter.
    fn importing(name: &str) -> Component {
        let mut types = ComponentTypeSection::new();
        types.instance(&InstanceType::new());
        let mut imports = ComponentImportSection::new();
        imports.import(name, ComponentTypeRef::Instance(0));
        let mut exports = ComponentExportSection::new();
        exports.export("bursar:adapter/adapter@0.1.0", ComponentExportKind::Instance, 0, None);
        let mut component = Component::new();
        component.section(&types).section(&imports).section(&exports);
        component
    }

    fn finished(component: &Component, wasi: Wasi) -> Result<Vec<u8>> {
        finish(component.as_slice(), "example", "1.2.3", Some("Apache-2.0"), wasi)
    }

    #[test]
    fn only_what_the_component_itself_imports_counts() {
        let mut component = importing("bursar:adapter/orders@0.1.0");
        component.section(&NestedComponentSection(&importing("wasi:cli/environment@0.2.0")));
        assert_eq!(imports(component.as_slice()).unwrap(), ["bursar:adapter/orders@0.1.0"]);
        finished(&component, Wasi::Refused).unwrap();
    }

    #[test]
    fn a_component_that_imports_anything_else_does_not_get_out() {
        let wasi = importing("wasi:cli/environment@0.2.0");
        let error = finished(&wasi, Wasi::Refused).unwrap_err().to_string();
        assert!(error.contains("`wasi:cli/environment@0.2.0`") && error.contains("\nhint: "), "{error}");
        finished(&wasi, Wasi::Empty).unwrap();
        finished(&importing("other:host/files@0.2.0"), Wasi::Empty).unwrap_err();
    }

    #[test]
    fn a_component_that_is_no_adapter_does_not_get_out() {
        let mut types = ComponentTypeSection::new();
        types.instance(&InstanceType::new());
        let mut component = Component::new();
        component.section(&types);
        let error = finished(&component, Wasi::Refused).unwrap_err().to_string();
        assert!(error.contains("does not export bursar:adapter/adapter"), "{error}");
    }

    #[test]
    fn what_is_written_into_a_component_is_read_again() {
        let component = finished(&importing("bursar:adapter/types@0.1.0"), Wasi::Refused).unwrap();
        let identity = Identity::read(&component);
        assert_eq!(identity.name.as_deref(), Some("example"));
        assert_eq!(identity.version.as_deref(), Some("1.2.3"));
        assert_eq!(identity.licence.as_deref(), Some("Apache-2.0"));
        assert_eq!(identity.contract.as_deref(), Some("0.1.0"));
    }

    #[test]
    fn what_is_no_component_has_no_identity() {
        assert_eq!(Identity::read(b"no component"), Identity::default());
    }
}

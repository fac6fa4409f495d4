//! Guests that are made when they are needed, because they are too large to keep, or are something about a file.

use std::fs;

use wasm_encoder::{
    Component, ComponentSection as _, ComponentTypeSection, ComponentValType, CustomSection, InstanceSection,
    MemorySection, MemoryType, Module, ModuleArg, ModuleSection, PrimitiveValType, RefType, TableSection, TableType,
};
use wasmparser::{Parser, Payload};

use crate::places;

/// Their names.
pub const NAMES: &[&str] = &["half-written", "huge-file", "nested-types", "many-parts"];

/// A guest's file, if it is one that is made, or of which a part is.
#[must_use]
pub fn made(name: &str) -> Option<Vec<u8>> {
    match name {
        "half-written" => Some(half(&fs::read(places::woocommerce()).unwrap())),
        "huge-file" => Some(huge(&fs::read(places::woocommerce()).unwrap())),
        "nested-types" => Some(nested_types()),
        "many-parts" => Some(with_parts(&component("remembers"), PARTS_REFUSED)),
        "keeps-many-rooms" => Some(with_parts(&component("keeps-many-rooms"), PARTS_ALLOWED)),
        _ => None,
    }
}

fn component(name: &str) -> Vec<u8> {
    fs::read(places::adapter(&format!("hostile/{name}.wasm"))).unwrap()
}

/// A file of which half is copied.
#[must_use]
pub fn half(whole: &[u8]) -> Vec<u8> {
    whole[..whole.len() / 2].to_vec()
}

/// A sound component and a section of nothing behind it, over 32 MiB.
fn huge(whole: &[u8]) -> Vec<u8> {
    const NOTHING: usize = 33 << 20;
    let mut bytes = whole.to_vec();
    CustomSection { name: "nothing".into(), data: vec![0; NOTHING].into() }.append_to_component(&mut bytes);
    bytes
}

/// A list of lists of lists, a hundred thousand deep.
fn nested_types() -> Vec<u8> {
    const DEPTH: u32 = 100_000;
    let mut types = ComponentTypeSection::new();
    types.defined_type().list(PrimitiveValType::U8);
    for inner in 0..DEPTH {
        types.defined_type().list(ComponentValType::Type(inner));
    }
    let mut component = Component::new();
    component.section(&types);
    component.finish()
}

/// More parts than a run may have; and so many that those which every adapter consists of still have room beside them.
const PARTS_REFUSED: u32 = 100;
const PARTS_ALLOWED: u32 = 50;

/// A component with parts of its own beside it: some have a memory, some a table, the others nothing.
fn with_parts(whole: &[u8], parts: u32) -> Vec<u8> {
    const MEMORIES: u32 = 6;
    const PARTS_WITH_ROOM: u32 = MEMORIES + 20;
    let (mut with_memory, mut with_table) = (Module::new(), Module::new());
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    with_memory.section(&memories);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: 9,
        maximum: None,
        table64: false,
        shared: false,
    });
    with_table.section(&tables);
    let first = modules_in(whole);
    let mut bytes = whole.to_vec();
    for module in [&Module::new(), &with_memory, &with_table] {
        ModuleSection(module).append_to_component(&mut bytes);
    }
    let mut instances = InstanceSection::new();
    for part in 0..parts {
        let module = match part {
            0..MEMORIES => first + 1,
            MEMORIES..PARTS_WITH_ROOM => first + 2,
            _ => first,
        };
        instances.instantiate::<[(&str, ModuleArg); 0], &str>(module, []);
    }
    instances.append_to_component(&mut bytes);
    bytes
}

/// How many core modules a component has itself.
fn modules_in(component: &[u8]) -> u32 {
    let (mut depth, mut modules) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } if depth == 1 => modules += 1,
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    modules
}

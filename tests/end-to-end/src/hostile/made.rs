//! Guests that are made when they are needed, because they are too large to keep, or are something about a file.

use std::fs;

use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentSection as _, ComponentTypeSection, ComponentValType, CustomSection,
    Function, FunctionSection, InstanceSection, Instruction, MemorySection, MemoryType, Module, ModuleArg,
    ModuleSection, PrimitiveValType, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

use crate::places;

/// Their names.
pub const NAMES: &[&str] = &[
    "half-written",
    "huge-file",
    "nested-types",
    "many-types",
    "many-parts",
    "many-functions",
    "one-huge-function",
    "takes-long-to-compile",
];

/// A guest's file, if it is one that is made, or of which a part is.
#[must_use]
pub fn made(name: &str) -> Option<Vec<u8>> {
    match name {
        "half-written" => Some(half(&fs::read(places::woocommerce()).unwrap())),
        "huge-file" => Some(huge(&fs::read(places::woocommerce()).unwrap())),
        "nested-types" => Some(nested_types()),
        "many-types" => Some(many_types()),
        "many-functions" => Some(with_module(&small(), &functions(200_000, &[Instruction::Nop]))),
        "one-huge-function" => Some(with_module(&small(), &functions(1, &vec![Instruction::Nop; 2 << 20]))),
        "takes-long-to-compile" => Some(with_module(&small(), &functions(FUNCTIONS, &tangle()))),
        "many-parts" => Some(with_parts(&small(), PARTS_REFUSED)),
        "keeps-many-rooms" => Some(with_parts(&component("keeps-many-rooms"), PARTS_ALLOWED)),
        _ => None,
    }
}

/// A sound guest.
fn small() -> Vec<u8> {
    component("remembers")
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

/// A list of lists of lists, forty thousand deep.
fn nested_types() -> Vec<u8> {
    const DEPTH: u32 = 40_000;
    let mut types = ComponentTypeSection::new();
    types.defined_type().list(PrimitiveValType::U8);
    for inner in 0..DEPTH {
        types.defined_type().list(ComponentValType::Type(inner));
    }
    let mut component = Component::new();
    component.section(&types);
    component.finish()
}

/// Sixty thousand types, none of which is used.
fn many_types() -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    for _ in 0..60_000 {
        types.defined_type().list(PrimitiveValType::U8);
    }
    let mut component = Component::new();
    component.section(&types);
    component.finish()
}

/// A component with a core module beside its own parts, which is compiled like them.
fn with_module(whole: &[u8], module: &Module) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    ModuleSection(module).append_to_component(&mut bytes);
    bytes
}

/// So many functions that are as long as one may be: together less than a file may have.
const FUNCTIONS: u32 = 30;

/// A module of functions without parameters that have this code and [`VARIABLES`].
fn functions(count: u32, code: &[Instruction<'_>]) -> Module {
    let (mut types, mut declared, mut bodies) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    let mut body = Function::new([(VARIABLES, ValType::I64)]);
    for instruction in code {
        body.instruction(instruction);
    }
    body.instruction(&Instruction::End);
    for _ in 0..count {
        declared.function(0);
        bodies.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&bodies);
    module
}

/// More than there are registers.
const VARIABLES: u32 = 100;

/// Code in which every variable follows from others, in a loop that may be left after every step: whoever compiles it must find out
/// at each step what is where.
fn tangle() -> Vec<Instruction<'static>> {
    /// As many steps as fit into a function of the length that is allowed.
    const STEPS: u32 = 80_000;
    let variable = |step: u32| step.wrapping_mul(2_654_435_761) >> 16 & 0xffff;
    let mut code = vec![Instruction::Block(BlockType::Empty), Instruction::Loop(BlockType::Empty)];
    for step in 0..STEPS {
        let (one, other, third) = (variable(3 * step), variable(3 * step + 1), variable(3 * step + 2));
        code.extend([
            Instruction::LocalGet(one % VARIABLES),
            Instruction::LocalGet(other % VARIABLES),
            Instruction::I64Mul,
            Instruction::LocalTee(third % VARIABLES),
            Instruction::I64Eqz,
            Instruction::BrIf(1),
        ]);
    }
    code.extend([Instruction::Br(0), Instruction::End, Instruction::End]);
    code
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

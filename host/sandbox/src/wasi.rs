//! WASI, of which an adapter is given nothing.
//!
//! Owns the stand-ins: toolchains import WASI whether the adapter uses it or not, so that its names must exist; calling
//! any of them ends the run with the name of the function. Nothing here reads a file, a clock or the environment.

use wasmtime::{
    Engine, Result,
    component::{Component, Linker, LinkerInstance, ResourceType, types::ComponentItem},
};

use crate::{error::RunErrorKind, inspect::WASI, run::state::RunState};

/// Stands for every resource of WASI; no guest ever holds one.
struct WasiMark;

/// Adds a stand-in for each function and resource that the component imports from WASI.
pub(crate) fn stand_in(linker: &mut Linker<RunState>, engine: &Engine, component: &Component) -> Result<()> {
    for (interface, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        if !interface.starts_with(WASI) {
            continue;
        }
        let mut stand_ins = linker.instance(interface)?;
        for (name, export) in instance.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => refuse(&mut stand_ins, interface, name)?,
                ComponentItem::Resource(_) => {
                    stand_ins.resource(name, ResourceType::host::<WasiMark>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn refuse(stand_ins: &mut LinkerInstance<'_, RunState>, interface: &str, name: &str) -> Result<()> {
    let words = format!("it called {interface}#{name}, and adapters are given no WASI");
    stand_ins.func_new(name, move |_, _, _, _| Err(RunErrorKind::Misuse(words.clone()).into()))
}

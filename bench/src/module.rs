//! The baseline of runs: wasmtime with the same kind of pool, and a component that does nothing.
//!
//! Owns what is left of a run when everything that Bursar adds is taken away: a fresh store, a fresh instance with a memory of
//! its own, on a stack of its own.

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::Result;

/// A component of one core module with a memory of 17 pages, as Rust's toolchain makes them, and one instance of it.
const COMPONENT: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, // a component
    0x01, 0x0d, // a core module of 13 bytes:
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x05, 0x03, 0x01, 0x00, 0x11, // one memory
    0x02, 0x04, 0x01, 0x00, 0x00, 0x00, // an instance of it, without arguments
];
/// As the sandbox has it.
const STACK: usize = 2 << 20;

/// A component that is ready to be instantiated.
pub(crate) struct Empty(InstancePre<()>);

impl Empty {
    pub(crate) fn new() -> Result<Self> {
        let mut config = Config::new();
        let pool = PoolingAllocationConfig::new();
        config
            .epoch_interruption(true)
            .async_stack_size(STACK)
            .async_stack_zeroing(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, COMPONENT)?;
        Ok(Self(Linker::new(&engine).instantiate_pre(&component)?))
    }

    /// One instance, made and dropped.
    pub(crate) async fn run(&self) -> Result<()> {
        let mut store = Store::new(self.0.engine(), ());
        store.set_epoch_deadline(1);
        self.0.instantiate_async(&mut store).await?;
        Ok(())
    }
}

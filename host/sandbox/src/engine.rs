//! Wasmtime, set up as strictly as adapters of any language allow.
//!
//! Owns the settings and the reasons for them (`docs/sandbox.md` has them in words), the pool and the thread that
//! measures guest time. Knows nothing of the contract.

mod ticker;

use std::{fs, num::NonZeroUsize, path::Path};

use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails, WasmFeatures,
};

pub(crate) use ticker::Ticker;

use crate::{
    compiler,
    error::SandboxError,
    limits::{self, Limits},
};

/// Memories and tables of one core module. Toolchains emit one of each; two leave room for the adapter modules that
/// wasmtime makes itself.
const PER_MODULE: u32 = 2;

/// Bytes of a table that are reset by writing when it is given back, instead of handing the pages to the kernel and
/// faulting them in again. Tables are small and begin at the front.
const TABLE_KEEP_RESIDENT: usize = 256 << 10;

/// As [`TABLE_KEEP_RESIDENT`], for a memory: all that a small adapter of the kit for Rust has, its stack, its data and what it keeps.
/// More would be written in vain for every run of a larger one, which begins with a stack that it hardly touches.
const MEMORY_KEEP_RESIDENT: usize = 384 << 10;

/// As [`TABLE_KEEP_RESIDENT`], for the end of a run's stack where it begins: as deep as a small adapter goes.
const STACK_KEEP_RESIDENT: usize = 32 << 10;

/// An engine and how it came about.
pub(crate) struct Built {
    pub(crate) engine: Engine,
    /// Memories come out of the pool; otherwise each is mapped on demand, because the address space is too small.
    pub(crate) pooled: bool,
}

/// Makes an engine: with a pool where the machine has the address space, without it otherwise. No check is weakened
/// for want of address space.
pub(crate) fn build(limits: &Limits, cache_directory: Option<&Path>, count_fuel: bool) -> Result<Built, SandboxError> {
    let cache = cache_directory.map(open_cache).transpose()?;
    let mut config = config(limits);
    config.consume_fuel(count_fuel);
    config.cache(cache.clone());
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    if let Ok(engine) = Engine::new(&config) {
        return Ok(Built { engine, pooled: true });
    }
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
    Ok(Built { engine, pooled: false })
}

/// An engine that compiles into the cache and runs nothing: what it compiles is what the engine above would have.
pub(crate) fn compiling(limits: &Limits, cache_directory: &Path, count_fuel: bool) -> Result<Engine, SandboxError> {
    let mut config = config(limits);
    config.consume_fuel(count_fuel);
    config.cache(Some(open_cache(cache_directory)?));
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    features(&mut config);
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack)
        .async_stack_size(limits::RUN_STACK)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .guard_before_linear_memory(true)
        .signals_based_traps(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(limits::BACKTRACE_FRAMES))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(true)
        .debug_info(false);
    config
}

/// What of WebAssembly there is. `inspect` validates with the same set.
fn features(config: &mut Config) {
    config
        .concurrency_support(false)
        .shared_memory(false)
        .wasm_component_model(true)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        // The modules that wasmtime itself puts between components use several memories.
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    for off in [
        WasmFeatures::THREADS,
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        WasmFeatures::GC,
        WasmFeatures::GC_TYPES,
        WasmFeatures::FUNCTION_REFERENCES,
        WasmFeatures::EXCEPTIONS,
        WasmFeatures::LEGACY_EXCEPTIONS,
        WasmFeatures::STACK_SWITCHING,
        WasmFeatures::MEMORY_CONTROL,
        WasmFeatures::CUSTOM_DESCRIPTORS,
        WasmFeatures::CM_ASYNC,
        WasmFeatures::CM_ASYNC_STACKFUL,
        WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        WasmFeatures::CM_THREADING,
        WasmFeatures::CM_ERROR_CONTEXT,
        WasmFeatures::CM_VALUES,
        WasmFeatures::CM_NESTED_NAMES,
        WasmFeatures::CM_FIXED_LENGTH_LISTS,
        WasmFeatures::CM_GC,
        WasmFeatures::CM_MAP,
        WasmFeatures::CM64,
    ] {
        config.wasm_features(off, false);
    }
}

/// Runs that the pool has room for.
fn places(limits: &Limits) -> u32 {
    u32::try_from(limits.authenticate_places + limits.handle_places).unwrap_or(u32::MAX)
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let places = places(limits);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_stacks(places)
        // As many as every run may have: what one run takes must never be missing to another. It is address space, not memory.
        .total_core_instances(places * limits::INSTANCES)
        .total_memories(places * limits::MEMORIES)
        .total_tables(places * limits::TABLES)
        .max_core_instances_per_component(limits::INSTANCES)
        .max_memories_per_component(limits::MEMORIES)
        .max_tables_per_component(limits::TABLES)
        .max_memories_per_module(PER_MODULE)
        .max_tables_per_module(PER_MODULE)
        .max_memory_size(limits.memory)
        .table_elements(limits.table_elements)
        .max_component_instance_size(limits::INSTANCE_BOOKKEEPING)
        .max_core_instance_size(limits::INSTANCE_BOOKKEEPING)
        .max_unused_warm_slots(places)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT);
    pool
}

/// Compiled adapters are machine code: nobody else may be able to put any there.
fn open_cache(directory: &Path) -> Result<Cache, SandboxError> {
    let refused = |problem: String| SandboxError::Cache { directory: directory.display().to_string(), problem };
    fs::create_dir_all(directory).map_err(|error| refused(format!("cannot be made: {error}")))?;
    make_private(directory).map_err(|error| refused(format!("cannot be made private: {error}")))?;
    let directory = compiler::compiled(directory);
    fs::create_dir_all(&directory).map_err(|error| refused(format!("cannot be made: {error}")))?;
    let directory = directory.canonicalize().map_err(|error| refused(format!("cannot be found: {error}")))?;
    let mut config = CacheConfig::new();
    config.with_directory(directory).with_files_total_size_soft_limit(limits::CACHE_BYTES);
    Cache::new(config).map_err(|error| refused(format!("cannot be used: {error:#}")))
}

#[cfg(unix)]
fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_matter_are_as_documented() {
        let engine = build(&Limits::default(), None, false).unwrap().engine;
        assert!(engine.get_epoch_interruption());
        assert!(!engine.get_consume_fuel());
        assert!(!engine.get_concurrency_support());
        assert!(!engine.get_shared_memory());
        assert!(engine.get_async_stack_zeroing());
        assert!(engine.get_generate_address_map());
        assert!(!engine.get_debug_info());
        assert_eq!(engine.get_max_wasm_stack(), limits::WASM_STACK.default);
        assert_eq!(engine.get_async_stack_size(), limits::RUN_STACK);
        assert_eq!(engine.get_wasm_backtrace_max_frames(), limits::BACKTRACE_FRAMES);
    }

    #[test]
    fn memories_keep_their_guards() {
        let engine = build(&Limits::default(), None, false).unwrap().engine;
        assert!(engine.get_signals_based_traps());
        assert!(engine.get_memory_init_cow());
        assert!(engine.get_guard_before_linear_memory());
        assert!(engine.get_memory_guard_size() >= 32 << 20);
        assert!(engine.get_memory_reservation() >= 4 << 30);
    }

    #[test]
    fn the_pool_has_room_for_every_place() {
        let built = build(&Limits::default(), None, false).unwrap();
        let pool = built.engine.get_pooling_config().cloned().unwrap();
        assert!(built.pooled);
        assert_eq!(pool.get_total_component_instances(), places(&Limits::default()));
        assert_eq!(pool.get_total_stacks(), places(&Limits::default()));
        assert_eq!(pool.get_total_core_instances(), places(&Limits::default()) * limits::INSTANCES);
        assert_eq!(pool.get_total_memories(), places(&Limits::default()) * limits::MEMORIES);
        assert_eq!(pool.get_total_tables(), places(&Limits::default()) * limits::TABLES);
        assert_eq!(pool.get_max_memory_size(), limits::MEMORY.default);
        assert_eq!(pool.get_max_memories_per_component(), limits::MEMORIES);
    }

    #[test]
    fn the_engine_and_the_inspection_allow_the_same_features() {
        let engine = build(&Limits::default(), None, false).unwrap().engine;
        assert_eq!(engine.get_wasm_features(), crate::inspect::features());
    }

    #[cfg(unix)]
    #[test]
    fn the_cache_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("compiled");
        build(&Limits::default(), Some(&cache), false).unwrap();
        assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = build(&Limits::default(), Some(&file.path().join("below")), false).map(|_| ()).unwrap_err();
        assert!(matches!(error, SandboxError::Cache { .. }), "{error}");
    }
}

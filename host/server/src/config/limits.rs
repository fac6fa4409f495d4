//! The section `[limits]`: what adapters may use.
//!
//! Owns the keys' names. The figures and their ends are the sandbox's.

use std::time::Duration;

use bursar_sandbox::{Limit, Limits, limits};

use super::reader::{Table, Value};

pub(super) fn limits(mut table: Table<'_>, max_body: usize) -> Limits {
    let defaults = Limits::default();
    let host_call_bytes = table.optional("host_call_bytes");
    let limits = Limits {
        memory: size(&mut table, "memory", limits::MEMORY),
        memory_of_all_runs: size(&mut table, "memory_of_all_runs", limits::MEMORY_OF_ALL_RUNS),
        table_elements: count(&mut table, "table_elements", limits::TABLE_ELEMENTS),
        stack: size(&mut table, "stack", limits::WASM_STACK),
        authenticate_cpu: duration(&mut table, "authenticate_cpu", limits::AUTHENTICATE_CPU),
        authenticate_wall: duration(&mut table, "authenticate_wall", limits::AUTHENTICATE_WALL),
        handle_cpu: duration(&mut table, "handle_cpu", limits::HANDLE_CPU),
        handle_wall: duration(&mut table, "handle_wall", limits::HANDLE_WALL),
        host_calls: count(&mut table, "host_calls", limits::HOST_CALLS),
        host_bytes: table
            .optional("host_bytes")
            .and_then(|value| value.size(as_size(limits::HOST_BYTES.least), as_size(limits::HOST_BYTES.most)))
            .and_then(|bytes| u64::try_from(bytes).ok())
            .unwrap_or(defaults.host_bytes),
        host_call_bytes: host_call_bytes
            .as_ref()
            .and_then(|value| value.size(limits::HOST_CALL_BYTES.least, limits::HOST_CALL_BYTES.most))
            .unwrap_or_else(|| defaults.host_call_bytes.max(room_for(max_body))),
        shop_calls: count(&mut table, "shop_calls", limits::SHOP_CALLS),
        shop_answer: size(&mut table, "shop_answer", limits::SHOP_ANSWER),
        log_lines: count(&mut table, "log_lines", limits::LOG_LINES),
        log_bytes: size(&mut table, "log_bytes", limits::LOG_BYTES),
        authenticate_places: count(&mut table, "authenticate_places", limits::AUTHENTICATE_PLACES),
        handle_places: count(&mut table, "handle_places", limits::HANDLE_PLACES),
        places_of_adapter: count(&mut table, "places_of_adapter", limits::PLACES_OF_ADAPTER),
        places_of_shop: count(&mut table, "places_of_shop", limits::PLACES_OF_SHOP),
        file: size(&mut table, "file", limits::FILE),
        functions: count(&mut table, "functions", limits::FUNCTIONS),
        function_bytes: size(&mut table, "function_bytes", limits::FUNCTION_BYTES),
        types: count(&mut table, "types", limits::TYPES),
        compile_time: duration(&mut table, "compile_time", limits::COMPILE_TIME),
        compile_memory: size(&mut table, "compile_memory", limits::COMPILE_MEMORY),
    };
    if let Some(value) = host_call_bytes.filter(|_| limits.host_call_bytes < room_for(max_body)) {
        value.refuse(
            "is less than what one body takes, so that the largest could not be read",
            Some("give it 2 MiB more than `max_body` of [server]".to_owned()),
        );
    }
    table.finish();
    limits
}

/// What handing a body over takes: the body, and what is around it.
fn room_for(max_body: usize) -> usize {
    const AROUND: usize = 2 << 20;
    max_body.saturating_add(AROUND)
}

fn size(table: &mut Table<'_>, key: &'static str, limit: Limit<usize>) -> usize {
    table.optional(key).and_then(|value| value.size(limit.least, limit.most)).unwrap_or(limit.default)
}

fn duration(table: &mut Table<'_>, key: &'static str, limit: Limit<Duration>) -> Duration {
    table.optional(key).and_then(|value| value.duration(limit.least, limit.most)).unwrap_or(limit.default)
}

fn count<T>(table: &mut Table<'_>, key: &'static str, limit: Limit<T>) -> T
where
    T: TryFrom<u64> + TryInto<u64> + Copy,
{
    let end = |figure: T| figure.try_into().unwrap_or(u64::MAX);
    let within = |value: Value<'_>| value.whole(end(limit.least), end(limit.most));
    table.optional(key).and_then(within).and_then(|count| T::try_from(count).ok()).unwrap_or(limit.default)
}

fn as_size(figure: u64) -> usize {
    usize::try_from(figure).unwrap_or(usize::MAX)
}

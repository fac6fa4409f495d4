//! Every figure that bounds an adapter: its value, its unit, why that one, and what happens where it is reached.
//!
//! Owns figures only; whoever enforces one names it from here. What an operator may change is in [`Limits`], the rest is
//! constant. The same figures, for people: `docs/sandbox.md`.

use std::time::Duration;

/// Bytes of a mebibyte.
const MIB: usize = 1 << 20;

/// A figure that an operator may change: what it is unless they do, and the ends between which it must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<T> {
    /// With less, everyday adapters or orders would fail.
    pub least: T,
    /// Unless an operator says otherwise.
    pub default: T,
    /// The hard ceiling: with more, one adapter could harm the host.
    pub most: T,
}

/// Declares [`Limits`] from the figures, so that none can be forgotten in one of the places where each is named.
macro_rules! limits {
    ($($(#[$words:meta])* $field:ident: $unit:ty = $figure:ident,)*) => {
        /// What an operator may set: section `[limits]` of the configuration. The defaults are the constants of this module.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct Limits {
            $($(#[$words])* pub $field: $unit,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $figure.default,)* }
            }
        }

        impl Limits {
            /// The same, with everything that lies beyond an end brought back to it.
            #[must_use]
            pub fn within_bounds(self) -> Self {
                Self { $($field: self.$field.clamp($figure.least, $figure.most),)* }
            }
        }
    };
}

limits! {
    /// Bytes of all memories of one run together.
    memory: usize = MEMORY,
    /// Bytes of guest memory of all runs together.
    memory_of_all_runs: usize = MEMORY_OF_ALL_RUNS,
    /// Elements of all tables of one run together.
    table_elements: usize = TABLE_ELEMENTS,
    /// Bytes of the guest's stack.
    stack: usize = WASM_STACK,
    /// Guest time of `authenticate`.
    authenticate_cpu: Duration = AUTHENTICATE_CPU,
    /// Wall-clock time of `authenticate`.
    authenticate_wall: Duration = AUTHENTICATE_WALL,
    /// Guest time of `handle`, and of `describe` while loading.
    handle_cpu: Duration = HANDLE_CPU,
    /// Wall-clock time of `handle`, host calls included.
    handle_wall: Duration = HANDLE_WALL,
    /// Calls of the host in one run.
    host_calls: u64 = HOST_CALLS,
    /// Bytes handed over between guest and host in one run.
    host_bytes: u64 = HOST_BYTES,
    /// Bytes that one host call may make the host allocate.
    host_call_bytes: usize = HOST_CALL_BYTES,
    /// Calls of the shop's API in one run.
    shop_calls: u64 = SHOP_CALLS,
    /// Bytes of one answer of the shop's API.
    shop_answer: usize = SHOP_ANSWER,
    /// Lines logged in one run, printed ones included.
    log_lines: usize = LOG_LINES,
    /// Bytes logged in one run.
    log_bytes: usize = LOG_BYTES,
    /// Runs of `authenticate` at a time.
    authenticate_places: usize = AUTHENTICATE_PLACES,
    /// Runs of `handle` at a time.
    handle_places: usize = HANDLE_PLACES,
    /// Runs at a time of one adapter, of each of the two calls.
    places_of_adapter: usize = PLACES_OF_ADAPTER,
    /// Runs at a time of one shop, of each of the two calls.
    places_of_shop: usize = PLACES_OF_SHOP,
    /// Bytes of an adapter's file.
    file: usize = FILE,
    /// Functions of an adapter, over all its modules.
    functions: usize = FUNCTIONS,
    /// Bytes of one function's code.
    function_bytes: usize = FUNCTION_BYTES,
    /// Types that an adapter declares, over all its parts.
    types: usize = TYPES,
    /// Wall-clock time of compiling an adapter.
    compile_time: Duration = COMPILE_TIME,
    /// Bytes of memory of the process that compiles an adapter.
    compile_memory: usize = COMPILE_MEMORY,
}

/// Largest adapter file, in bytes. Interpreted languages ship their interpreter (8 to 20 MiB). Beyond it the file is
/// refused before it is parsed.
pub const FILE: Limit<usize> = Limit { least: MIB, default: 32 * MIB, most: 128 * MIB };

/// Functions of an adapter, over all its modules: CPython has some 17,000. Beyond it the file is refused before it is compiled.
pub const FUNCTIONS: Limit<usize> = Limit { least: 10_000, default: 100_000, most: 1_000_000 };

/// Bytes of one function's code: compiling takes longer than in proportion, and the largest function of an interpreter has
/// some 100 KiB. Beyond it the file is refused before it is compiled.
pub const FUNCTION_BYTES: Limit<usize> = Limit { least: 128 << 10, default: MIB, most: 7 * MIB };

/// Types that an adapter declares, over all its parts: CPython's have some 3,000. Beyond it the file is refused before it is
/// compiled.
pub const TYPES: Limit<usize> = Limit { least: 5_000, default: 50_000, most: 500_000 };

/// Wall-clock time of compiling an adapter, by the process that does nothing else. CPython takes some 15 s on a small
/// machine, and several times as long while that is busy, because the process gives way to everything else. Beyond it the process is killed and the file refused.
pub const COMPILE_TIME: Limit<Duration> =
    Limit { least: Duration::from_secs(5), default: Duration::from_secs(300), most: Duration::from_secs(3_600) };

/// Bytes of address space of the process that compiles an adapter, threads' stacks and the program itself included. CPython
/// takes about 1 GiB. Beyond it the process ends and the file is refused.
pub const COMPILE_MEMORY: Limit<usize> = Limit { least: 512 * MIB, default: 3_072 * MIB, most: 32_768 * MIB };

/// Time between two ticks of the epoch: how finely guest time is measured and how soon a spinning guest lets other work
/// have the thread. A shorter one would cost more wake-ups than it gains.
pub const TICK: Duration = Duration::from_millis(10);

/// Ticks until a run is looked at for the first time. The next tick may be a moment away, and a processor may be taken from a run
/// for a moment: after one, some good runs would count as long.
pub const FIRST_TICKS: u64 = 2;

/// Guest time of `authenticate`. A shop waits, and a good adapter needs a hundredth of it. Beyond it the run ends as
/// `cpu`.
pub const AUTHENTICATE_CPU: Limit<Duration> =
    Limit { least: Duration::from_millis(10), default: Duration::from_millis(250), most: Duration::from_secs(2) };

/// Wall-clock time of `authenticate`, waiting for a free place included. Shops give up after five seconds at the
/// earliest. Beyond it the run ends as `time`, or as `busy` if it never began.
pub const AUTHENTICATE_WALL: Limit<Duration> =
    Limit { least: Duration::from_millis(100), default: Duration::from_secs(2), most: Duration::from_secs(4) };

/// Guest time of `handle` and `describe`. Interpreters need about 100 ms to begin, large orders as much again. Beyond it
/// the run ends as `cpu`.
pub const HANDLE_CPU: Limit<Duration> =
    Limit { least: Duration::from_millis(50), default: Duration::from_secs(2), most: Duration::from_secs(30) };

/// Wall-clock time of `handle`, host calls and their waiting included. Beyond it the run ends as `time`. The ceiling lies
/// below the lease of a delivery, so that nobody else takes up what still runs.
pub const HANDLE_WALL: Limit<Duration> =
    Limit { least: Duration::from_secs(1), default: Duration::from_secs(30), most: Duration::from_secs(60) };

/// Runs of `authenticate` at a time; further ones wait. Kept apart from [`HANDLE_PLACES`], so that slow deliveries never
/// keep a shop waiting.
pub const AUTHENTICATE_PLACES: Limit<usize> = Limit { least: 1, default: 32, most: 256 };

/// Runs of `handle` or `describe` at a time; further ones wait.
pub const HANDLE_PLACES: Limit<usize> = Limit { least: 1, default: 32, most: 256 };

/// Runs at a time of one adapter, of `authenticate` and of `handle` each, so that one adapter's slowness leaves places for the
/// others; further ones wait.
pub const PLACES_OF_ADAPTER: Limit<usize> = Limit { least: 1, default: 16, most: 256 };

/// Runs at a time of one shop, of `authenticate` and of `handle` each, so that one shop's flood leaves places for the others;
/// further ones wait.
pub const PLACES_OF_SHOP: Limit<usize> = Limit { least: 1, default: 8, most: 256 };

/// One processor in so many, and one at least, is for runs that did not end within [`FIRST_TICKS`], as good ones do. They take turns, so that computing without end never takes every processor from those
/// that need a moment.
pub const LONG_RUNS_SHARE: usize = 2;

/// Bytes of all memories of one run together. Rust guests use 1 to 2 MiB, interpreters about 20. Beyond it the guest is
/// refused the growth; if it traps because of that, the run ends as `memory`.
pub const MEMORY: Limit<usize> = Limit { least: 4 * MIB, default: 64 * MIB, most: 256 * MIB };

/// Bytes of guest memory of all runs together. Keeps 64 runs of 64 MiB from taking the machine. Beyond it as
/// [`MEMORY`].
pub const MEMORY_OF_ALL_RUNS: Limit<usize> = Limit { least: 64 * MIB, default: 1_024 * MIB, most: 16_384 * MIB };

/// Memories of one run. Composed components have one for each part. Beyond it instantiating fails.
pub const MEMORIES: u32 = 8;

/// Tables of one run. Beyond it instantiating fails.
pub const TABLES: u32 = 32;

/// Elements of all tables of one run together: one for each function that is called indirectly; C# has over 10,000.
/// Beyond it the guest is refused the growth.
pub const TABLE_ELEMENTS: Limit<usize> = Limit { least: 20_000, default: 100_000, most: 200_000 };

/// Core instances of one run: adapters of languages consist of up to 20. Beyond it instantiating fails.
pub const INSTANCES: u32 = 64;

/// Bytes of wasmtime's own bookkeeping for a component and for each core instance. Beyond it instantiating fails.
pub const INSTANCE_BOOKKEEPING: usize = 2 * MIB;

/// Stack of the guest, in bytes. Wasmtime's default, stated so that it cannot move. Beyond it the run ends as `trap`.
pub const WASM_STACK: Limit<usize> = Limit { least: 128 << 10, default: 512 << 10, most: MIB };

/// Stack of a run, in bytes: the guest's and what host calls need below it.
pub const RUN_STACK: usize = 2 * MIB;

/// Frames shown of a guest's stack. Enough to find the place in the adapter, short enough for a page.
pub const BACKTRACE_FRAMES: usize = 20;

/// Bytes shown of a guest's stack. Beyond it the text is cut.
pub const BACKTRACE_TEXT: usize = 8 << 10;

/// Calls of the host in one run. 5,000 lines with ten words each need 50,000. Beyond it the run ends as `limit`.
pub const HOST_CALLS: Limit<u64> = Limit { least: 10_000, default: 200_000, most: 10_000_000 };

/// Bytes handed over between guest and host in one run, both ways. A body of 4 MiB may be read a few times. Beyond it
/// the run ends as `limit`.
pub const HOST_BYTES: Limit<u64> = Limit { least: 8 << 20, default: 32 << 20, most: 512 << 20 };

/// Bytes that one host call may make the host allocate (wasmtime's hostcall fuel): a body and a little. Beyond it the
/// run ends as `trap`.
pub const HOST_CALL_BYTES: Limit<usize> = Limit { least: MIB, default: 6 * MIB, most: 32 * MIB };

/// Look-ups of the ledger and the catalog in one run. Beyond it the run ends as `limit`.
pub const LOOK_UPS: u64 = 256;

/// Calls of the LMS in one run (the contract says so). An LMS allows two a second for everything together, so 32 are a
/// quarter of a minute of all that fulfillment could do. Beyond it the run ends as `limit`.
pub const LMS_CALLS: u64 = 32;

/// Addresses of one call of the LMS (the contract says so): what its search is asked for at once. Beyond it the run ends as
/// `limit`.
pub const EMAILS: usize = 100;

/// Changes of the LMS that one run asks for. A webhook is about one learner, an import about some. Beyond it the run ends as
/// `limit`.
pub const EFFECTS: usize = 200;

/// Attributes of one change of an enrollment (the contract says so). Beyond it the run ends as `limit`.
pub const ATTRIBUTES: usize = 32;

/// Calls of the shop's API in one run (docs/sandbox.md). A delivery needs one or two, a page of a backfill a handful. Beyond
/// it the run ends as `limit`.
pub const SHOP_CALLS: Limit<u64> = Limit { least: 1, default: 32, most: 256 };

/// Calls of the shop's API that one run prepares, sent or not. Beyond it the run ends as `limit`.
pub const SHOP_DRAFTS: usize = 64;

/// Bytes of the path and query of one call of the shop's API: what most servers take. Beyond it the call is the problem
/// `call-malformed`.
pub const SHOP_PATH: usize = 4 << 10;

/// Headers of one call of the shop's API, and bytes of the name and value of one. Beyond it the call is the problem
/// `call-malformed`.
pub const SHOP_HEADERS: usize = 16;
/// See [`SHOP_HEADERS`].
pub const SHOP_HEADER: usize = 1 << 10;

/// Bytes of the body of one call of the shop's API. GraphQL queries have some kilobytes. Beyond it the call is the problem
/// `call-malformed`.
pub const SHOP_BODY: usize = MIB;

/// Bytes of the body of one answer of the shop's API: a page of a hundred large orders. Beyond it the call is the problem
/// `shop-answer-too-large`. The answers count as bytes handed over when they arrive, and again whenever they are read.
pub const SHOP_ANSWER: Limit<usize> = Limit { least: 64 << 10, default: 4 * MIB, most: 4 * MIB };

/// Lines logged in one run. Beyond it they are counted and dropped.
pub const LOG_LINES: Limit<usize> = Limit { least: 10, default: 500, most: 10_000 };

/// Bytes logged in one run. Beyond it lines are counted and dropped.
pub const LOG_BYTES: Limit<usize> = Limit { least: 4 << 10, default: 64 << 10, most: MIB };

/// Bytes of one logged line. Beyond it the line is cut.
pub const LOG_LINE: usize = 4 << 10;

/// Bytes that the guest may ask WASI's generator of random numbers for at once. Interpreters take some dozen. Beyond it the
/// run ends as `trap`.
pub const RANDOM_BYTES: u64 = 64 << 10;

/// Resources of WASI (streams, pollables) that a run holds at a time. Beyond it the run ends as `trap`.
pub const WASI_RESOURCES: usize = 1_000;

/// Bytes of a problem's message (the contract says so). Beyond it the message is cut.
pub const MESSAGE: usize = 512;

/// Bytes of a problem's code. A longer one, or one of other characters than lower-case letters, digits and hyphens, is
/// replaced by `unnamed`.
pub const CODE: usize = 64;

/// Bytes of a text for people: reasons, evidence, titles, purposes. Beyond it the text is cut.
pub const WORDS: usize = 512;

/// Bytes of an id, a name or a mark. It is not cut, because two of them might become one: the run ends as `limit`.
pub const ID: usize = 255;

/// Pieces of one signed text, and their bytes without the body. Beyond it the run ends as `limit`.
pub const SIGNED_PARTS: usize = 64;
/// See [`SIGNED_PARTS`].
pub const SIGNED_BYTES: usize = 64 << 10;

/// Bytes of a key or signature as presented. The longest HMAC is 64 bytes. Beyond it it is `signature-malformed`.
pub const PRESENTED: usize = 4 << 10;

/// Checks of signatures in one run. Beyond it the run ends as `limit`.
pub const CHECKS: u64 = 64;

/// Bytes of a set of public keys, and the keys in it. Shops publish one or two. Beyond it the set is refused.
pub const KEY_SET: usize = 64 << 10;
/// See [`KEY_SET`].
pub const KEYS: usize = 16;

/// Bytes of the modulus of an RSA key: 2048 bits at least, because shorter ones can be broken, and 8192 at most, because
/// longer ones take too long. Others in a set are left out.
pub const RSA_MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// Tolerance of `fresh`, in seconds (the contract says so). A larger one is taken as this.
pub const FRESH_MAX: u32 = 86_400;

/// Verdicts made in one run. Beyond it the run ends as `limit`.
pub const VERDICTS: usize = 64;

/// Bytes of an answer's body (the contract says so). Beyond it the answer is the problem `answer-refused`.
pub const ANSWER: usize = 4 << 10;

/// Orders stated in one run. A webhook speaks of one; imports may speak of some. Beyond it the run ends as `limit`.
pub const ORDERS: usize = 100;

/// Lines stated in one run, over all orders. Beyond it the run ends as `limit`.
pub const LINES: usize = 5_000;

/// Lines, course runs that they name, holds and reviews of one run together. Each is a row of the ledger or several, and all are
/// written at once while everybody else's wait: 10,000 take half a second on a small machine, and an order of 500 lines needs
/// 1,000. Beyond it the run ends as `limit`.
pub const FACTS: usize = 10_000;

/// Holds of one order or line. Beyond it the run ends as `limit`.
pub const HOLDS: usize = 32;

/// Reviews of one order or line, or of the delivery, and reasons to ignore it. Beyond it the run ends as `limit`.
pub const REVIEWS: usize = 32;

/// Subjects that one run asks to be forgotten (the contract says so): every order of one buyer, of whom the largest have
/// hundreds. The store blanks what came about them in one transaction, so they keep other commits waiting. Beyond it the run
/// ends as `limit`.
pub const FORGETS: usize = 1_000;

/// Ids of one product. Beyond it the run ends as `limit`.
pub const PRODUCT_IDS: usize = 32;

/// Course runs named by one line. Beyond it the run ends as `limit`.
pub const COURSES: usize = 200;

/// Numbers of a revision (the contract says so). None, or more, is misuse.
pub const REVISION: usize = 8;

/// Known lines handed to the guest in one run. Beyond it the run ends as `limit`.
pub const KNOWN_LINES: usize = 5_000;

/// Entries of one list in a description: topics, secrets, key sets, redactions, documents. Beyond it the adapter is refused.
pub const DESCRIBED: usize = 64;

/// Bytes of one document of a description. A GraphQL query that names all there is of an order has some kilobytes. Beyond it
/// the adapter is refused.
pub const DOCUMENT: usize = 64 << 10;

/// Bytes of a settings schema. Beyond it the adapter is refused.
pub const SCHEMA: usize = 64 << 10;

/// Bytes of all compiled adapters kept in the cache directory. A little is deleted beyond it.
pub const CACHE_BYTES: u64 = 1 << 30;

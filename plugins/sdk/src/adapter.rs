//! The trait that is an adapter, and the macro that makes a component of it.

use crate::{Delivery, Description, Request, Result, Verdict};

/// What an adapter does. Each call runs in an instance of its own: nothing is remembered from one to the next.
pub trait Adapter {
    /// Say what this adapter is. Called once, when the file is loaded.
    fn describe() -> Description;

    /// Is this request the shop's? Called while the shop waits, so it should do little.
    ///
    /// # Errors
    ///
    /// Remedy `none` refuses the request with 401, `later` and `operator` keep it to be judged again.
    fn authenticate(request: &Request<'_>) -> Result<Verdict>;

    /// What does it say? Called after the shop got its 200, as often as it takes.
    ///
    /// # Errors
    ///
    /// Whatever was stated is then as if it had not been. Remedy `none` marks the delivery rejected, `later` runs it
    /// again after a pause, `operator` keeps it until a person has acted.
    fn handle(delivery: &Delivery<'_>) -> Result<()>;
}

/// Exports a type that implements [`Adapter`] as this component's adapter. Once per crate; on native targets it
/// only checks that the trait is implemented.
#[macro_export]
macro_rules! export {
    ($adapter:ty) => {
        const _: fn() -> $crate::Description = <$adapter as $crate::Adapter>::describe;
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "generated: the entry points of the component")]
        const _: () = {
            type Exported = $crate::component::Exported<$adapter>;
    $crate::component::bindings::export_adapter!(Exported with_types_in $crate::component::bindings);
        };
    };
}

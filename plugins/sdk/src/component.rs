//! The component's side: generated bindings, and the bridge from the exported functions to the [`Adapter`] trait.
//!
//! Nothing here is for authors; [`export!`](crate::export) uses it.

use std::marker::PhantomData;
use std::panic::PanicHookInfo;

use bindings::bursar::adapter::incoming;
use bindings::bursar::adapter::types::Problem;
use bindings::exports::bursar::adapter::adapter::Guest;

use crate::{Adapter, Delivery, Request, log};

#[allow(unsafe_code, missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated")]
#[allow(clippy::all, clippy::unwrap_used, clippy::panic, clippy::unreachable, reason = "generated")]
pub mod bindings {
    //! What the package's text says, in Rust.

    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        // All there is: what an adapter does not call is not in its component, so that it asks for no permission by it.
        world: "everything",
        ownership: Borrowing { duplicate_if_necessary: true },
        pub_export_macro: true,
        export_macro_name: "export_adapter",
        default_bindings_module: "bursar_adapter::component::bindings",
    });
}

/// An adapter as the component's exported functions.
#[derive(Debug)]
pub struct Exported<A>(PhantomData<A>);

impl<A: Adapter> Guest for Exported<A> {
    fn describe() -> incoming::Description {
        report_panics();
        A::describe().into_host()
    }

    fn authenticate(request: &incoming::Request) -> Result<incoming::Verdict, Problem> {
        report_panics();
        Ok(A::authenticate(&Request::lent(request))?.into_host())
    }

    fn handle(delivery: &incoming::Delivery) -> Result<(), Problem> {
        report_panics();
        Ok(A::handle(&Delivery::lent(delivery))?)
    }
}

/// Without this a panic is a bare trap, and its message is lost.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| log::error(&panic.to_string())));
}

//! The contract as Rust types, generated from `wit/`.
//!
//! Owns nothing but the generator's options: which host functions may wait, and which Rust type stands for which
//! resource. A resource is a mark without content; its number is an index into the state of the run.

#![allow(missing_docs, unreachable_pub, missing_debug_implementations, reason = "generated from the contract")]
#![allow(clippy::all, reason = "generated from the contract")]

wasmtime::component::bindgen!({
    path: "../../wit/0.1.0",
    world: "bursar:adapter/everything",
    imports: {
        "bursar:adapter/orders.known": async | trappable,
        "bursar:adapter/catalog.courses": async | trappable,
        "bursar:adapter/lms-read.accounts-by-email": async | trappable,
        "bursar:adapter/lms-read.account-by-username": async | trappable,
        "bursar:adapter/lms-read.enrollments-of": async | trappable,
        "bursar:adapter/lms-read.enrollment-of": async | trappable,
        "bursar:adapter/lms-read.enrollments-allowed": async | trappable,
        "bursar:adapter/lms-read.course-details": async | trappable,
        "bursar:adapter/shop.[method]call.send": async | trappable,
        "bursar:adapter/signatures.ed25519": async | trappable,
        "bursar:adapter/signatures.detached-jws": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "bursar:adapter/incoming.request": crate::host::marks::RequestMark,
        "bursar:adapter/incoming.verdict": crate::host::marks::VerdictMark,
        "bursar:adapter/incoming.delivery": crate::host::marks::DeliveryMark,
        "bursar:adapter/incoming.description": crate::host::marks::DescriptionMark,
        "bursar:adapter/orders.order": crate::host::marks::OrderMark,
        "bursar:adapter/orders.line": crate::host::marks::LineMark,
        "bursar:adapter/orders.known-line": crate::host::marks::KnownLineMark,
        "bursar:adapter/shop.call": crate::host::marks::CallMark,
        "bursar:adapter/shop.answer": crate::host::marks::AnswerMark,
        "bursar:adapter/lms-write.enrollment-change": crate::host::marks::ChangeMark,
    },
});

//! Types that stand for the contract's resources. They have no content: a resource is its number.
//!
//! Owns their names only.

#![allow(unreachable_pub, missing_debug_implementations, reason = "the generated code re-exports them as public")]

/// Stands for the request of the run.
pub struct RequestMark;
/// Stands for a verdict: its position among the run's.
pub struct VerdictMark;
/// Stands for the delivery of the run.
pub struct DeliveryMark;
/// Stands for a description: its position among the run's.
pub struct DescriptionMark;
/// Stands for a statement about an order: its position in the book.
pub struct OrderMark;
/// Stands for a statement about a line: its position in the book.
pub struct LineMark;
/// Stands for a line that the ledger knows: its position among those handed out.
pub struct KnownLineMark;
/// Stands for a call of the shop's API: its position among the run's.
pub struct CallMark;
/// Stands for an answer of the shop's API: its position among the run's.
pub struct AnswerMark;
/// Stands for a change that the adapter asks the LMS for.
pub struct ChangeMark;

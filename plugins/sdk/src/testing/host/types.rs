//! Problems.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// Who or what can still turn a problem into a success.
pub enum Remedy {
    /// Nothing can: the answer is definite.
    None,
    /// Time.
    Later,
    /// A person: a secret, a permission or a setting is missing or wrong.
    Operator,
}

#[derive(Debug, Clone)]
pub struct Problem {
    pub remedy: Remedy,
    pub code: String,
    pub message: String,
    pub retry_after: Option<u32>,
}

//! Decisions: verdicts with the id that the same inputs always give, the row that keeps them, and what differs
//! between two of them.

pub mod compare;
pub mod decision;

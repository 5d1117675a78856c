//! Decisions: verdicts with an id that the same inputs always give (`decision`), what differs between two of them
//! (`compare`), and the recorded ones as SQL reads them (`recorded`, `views`). `decision` and `compare` are pure.

pub mod compare;
pub mod decision;
pub mod recorded;
pub mod views;

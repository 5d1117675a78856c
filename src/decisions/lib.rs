//! Decisions: verdicts with an id that the same inputs always give. `decision` makes them and `compare` tells two of
//! them apart, both without a lake. `store` keeps and finds them in one, `reproduce` makes a kept one again, and
//! `recorded` and `views` are the kept ones as SQL reads them.

pub mod compare;
pub mod decision;
mod error;
pub mod recorded;
pub mod reproduce;
pub mod store;
pub mod views;

pub use error::{Error, Result};

//! Decisions: verdicts with an id that the same inputs always give. `decision` makes them and `compare` tells two of
//! them apart, both without a lake. `store` keeps and finds them in one, with `tenants` and `rosters` for the rows that
//! grow with the number of tenants. `forget` lets old ones go, `reproduce` reads the verdicts of a kept one or makes it
//! again, and `recorded` and `views` are the kept ones as SQL reads them.

pub mod compare;
pub mod decision;
mod error;
pub mod forget;
mod parts_hasher;
pub mod recorded;
pub mod reproduce;
pub mod rosters;
mod step_writer;
pub mod store;
pub mod tenants;
pub mod views;

pub use error::{Error, Result};

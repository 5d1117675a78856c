//! Decisions in the lake: `store` keeps and finds them, `reproduce` makes a kept one again.

mod error;
pub mod reproduce;
pub mod store;

pub use error::{Error, Result};

//! What is written for people and for programs: text that is safe to show, tables as CSV, JSON and Parquet, files that
//! are there as a whole or not at all and survive a power cut, and manifests that say what was written.

pub mod atomic_file;
pub mod durable;
mod error;
pub mod manifest;
pub mod stderr;
pub mod table;
pub mod text;

pub use error::Error;

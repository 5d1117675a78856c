//! Raw files to records: find, open, frame, parse by shape, classify.

pub mod classify;
mod document;
pub mod find;
pub mod formats;
pub mod frame;
pub mod json;
pub mod open;
pub mod time;

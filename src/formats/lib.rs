//! Bytes in, records out: the text of a file is recognised, cut into records, and each record is read by the shape of
//! its export into a [`lightsout_model::sign_in::RawSignIn`] and classified. Pure and synchronous: no lake, no engine.
//!
//! The way of a record: [`recognise`] names the shape and the framing by the first bytes, [`frame`] cuts the text into
//! chunks of whole records, a shape of [`shapes`] reads one, with the readers of [`json`] and [`csv`], and [`classify`]
//! says which protocol, auth method and outcome it is. What can't be read is given to [`lenient`], which reads what is
//! left of it. [`settings`] reads the files about a tenant's settings.

pub mod answer;
pub mod buffer;
pub mod catalogue;
pub mod classify;
pub mod collect;
pub mod csv;
mod document;
pub mod encoding;
pub mod frame;
pub mod framing;
mod headers;
pub mod json;
pub mod lenient;
pub mod pages;
mod plain;
pub mod recognise;
pub mod reject;
mod scan;
pub mod settings;
pub mod shapes;
pub mod text;

pub use document::broken_off;

/// Whether a source, by its words in the `sources` table, was downloaded by hand. A table that comes line by line is a
/// continuous export.
#[must_use]
pub fn is_downloaded_by_hand(shape: &str, framing: Option<&str>) -> bool {
    let continuous =
        shape == shapes::Shape::LogAnalytics.as_str() && framing == Some(framing::Framing::Lines.as_str());
    !continuous && shapes::Shape::from_word(shape).is_some_and(shapes::Shape::is_downloaded_by_hand)
}

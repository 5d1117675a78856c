//! A page of a few words: what a server can't show, and the way out.

use minijinja::context;

use super::{STYLE, filled, policy};
use crate::error::Result;

/// What is told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub title: &'a str,
    /// A sentence each: what was expected, what was found.
    pub sentences: &'a [String],
    /// What to do instead: an address and its words.
    pub ways_out: &'a [(String, String)],
}

/// The page as HTML.
///
/// # Errors
/// Never, in practice: the template is part of the program.
pub fn render_told(told: &Told<'_>) -> Result<String> {
    let Told { title, sentences, ways_out } = told;
    let style = minijinja::Value::from_safe_string(STYLE.to_owned());
    filled("told.html", context! { policy => policy(true), style, title, sentences, ways_out })
}

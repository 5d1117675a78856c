//! HTML that is written, not templated: charts, and tables of many rows. Tags are texts of the program;
//! whatever else is written is made harmless first.

use chrono::NaiveDate;
use minijinja::Value;

use super::data::NAME_CHARACTERS_MAX;
use lightsout_output::text;

/// HTML under construction.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// As it stands: only what is part of the program can be given.
    pub(super) fn raw(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Text for people, one line of it, cut if it is very long.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.escaped(&text::plain_short(text, NAME_CHARACTERS_MAX))
    }

    /// A sentence of the program's own, which may hold such text.
    pub(super) fn sentence(&mut self, text: &str) -> &mut Self {
        self.escaped(&text::plain(text))
    }

    /// The value of an attribute, between its quotes.
    pub(super) fn attribute(&mut self, value: &str) -> &mut Self {
        self.escaped(value)
    }

    /// "12,345".
    pub(super) fn number(&mut self, n: u64) -> &mut Self {
        self.0.push_str(&text::number(n));
        self
    }

    /// "2026-11-02".
    pub(super) fn day(&mut self, day: NaiveDate) -> &mut Self {
        self.0.push_str(&day.to_string());
        self
    }

    /// A place or a length in a picture, to a hundredth.
    pub(super) fn length(&mut self, value: f64) -> &mut Self {
        let text = format!("{value:.2}");
        self.0.push_str(text.trim_end_matches('0').trim_end_matches('.'));
        self
    }

    pub(super) fn add(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// For a template, which prints it as it is.
    pub(super) fn into_value(self) -> Value {
        Value::from_safe_string(self.0)
    }

    fn escaped(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }
}

//! Campaign files: the embedded ones by name, any other by its path, TOML in, [`Campaign`] out.

mod rules_file;

use std::borrow::Cow;
use std::path::Path;

use lightsout_model::campaign::Campaign;

pub use rules_file::{CampaignError, Place};

/// The campaigns that come with the program, by name, the default first.
pub const EMBEDDED: [(&str, &str); 3] = [
    ("basic-auth-all-protocols", include_str!("campaigns/basic-auth-all-protocols.toml")),
    ("smtp-auth-2026", include_str!("campaigns/smtp-auth-2026.toml")),
    ("exchange-powershell-credential", include_str!("campaigns/exchange-powershell-credential.toml")),
];

/// The embedded campaign of that name, else the file at that path.
///
/// # Errors
/// Fails if it is neither, or if the file is no valid campaign.
pub fn load(name_or_file: &str) -> Result<Campaign, CampaignError> {
    parse(&read(name_or_file)?, name_or_file)
}

/// The text of that campaign as its author wrote it, not checked.
///
/// # Errors
/// Fails if it is neither embedded nor a file that can be read.
pub fn read(name_or_file: &str) -> Result<Cow<'static, str>, CampaignError> {
    if let Some((_, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_file) {
        return Ok(Cow::Borrowed(text));
    }
    let text = std::fs::read_to_string(Path::new(name_or_file));
    text.map(Cow::Owned).map_err(|source| CampaignError::NotFound { name: name_or_file.to_owned(), source })
}

/// Parses a campaign file; `file` is only named in errors.
///
/// # Errors
/// Fails if a key is unknown or missing, or a value is none that it may have. The error names file,
/// line, column and what is expected there.
pub fn parse(text: &str, file: &str) -> Result<Campaign, CampaignError> {
    rules_file::parse(text, file)
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;

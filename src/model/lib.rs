//! The nouns: what a sign-in, a tenant, a campaign, evidence and a verdict are. Data and how it is built; no file is
//! read here, no query run and nothing decided.

pub mod campaign;
pub mod change;
pub mod client;
pub mod columns;
pub mod coverage;
pub mod evidence;
pub mod language;
pub mod protocol;
pub mod settings;
pub mod sign_in;
pub mod tenant;
pub mod time;
pub mod verdict;

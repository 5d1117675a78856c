//! What people write: campaign files, rosters and other lists, each read by one reader and told where it is wrong.

pub mod campaign_file;
pub mod request_file;
pub mod roster_file;
pub mod spreadsheet;
pub mod table_file;
pub mod tenants_file;
pub mod users_file;

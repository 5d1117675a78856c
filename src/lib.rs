pub mod campaign;
pub mod error;
pub mod evidence;
pub mod ingest;
pub mod protocol;
pub mod sign_in;
pub mod tenant;
pub mod verdict;

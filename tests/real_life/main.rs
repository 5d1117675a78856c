//! Tenants as they are: small ones with idle weekends, free ones that keep a week, exports that lack
//! half of the log, an MSP that collects on another day for each. Their raw logs are made, the program
//! runs over them, and `told/<case>.txt` keeps what each is told. `UPDATE_EXPECTED=1` rewrites the
//! files; read the diff as the people in these tenants would.

#[path = "../program/mod.rs"]
mod program;

mod cases;
mod clients;
mod doubtful;
mod exports;
mod history;
mod logs;
mod provider;
mod quiet;
mod told;

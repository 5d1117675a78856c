//! The web pages of `lightsout serve` from outside, over HTTP: the same numbers as the files of `lightsout assess`
//! of the same lake, live, and nothing that a log says is more than text.

#[path = "../program/mod.rs"]
mod program;

#[path = "../serve/server.rs"]
#[allow(dead_code, reason = "psql is not needed here")]
mod server;

mod answers;
mod asked;
mod campaign;
mod client;
mod live;

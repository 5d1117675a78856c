//! `lightsout serve` as its clients meet it: psql, a driver, a browser's first request, and who means no good.

#[path = "../program/mod.rs"]
mod program;

mod copy;
mod cursors;
mod dashboard;
mod doors;
mod driver;
mod hostile;
mod psql;
mod readme;
mod server;
mod transactions;
mod users;

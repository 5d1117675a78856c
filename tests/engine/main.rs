//! Tests that link the engine, in one binary: every shipped query and view over small tables, the reports as their
//! users find them, and tenants kept apart.

mod isolation;
mod kept_decisions;
#[path = "../program/mod.rs"]
mod program;
mod queries;
mod reports;
mod views;

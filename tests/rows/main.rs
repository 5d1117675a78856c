//! Rows and accounts: the same sign-ins, in every shape and written in every manner, give the same
//! rows, and a folder of real files adds up.

mod equal;
mod manners;
mod numbered_dates;
#[path = "../program/mod.rs"]
mod program;
mod samples;
mod shapes;

//! The same sign-ins, in every shape and written in every manner, give the same rows.

mod equal;
mod manners;
#[path = "../program/mod.rs"]
mod program;
mod shapes;

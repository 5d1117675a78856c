//! The program: the command line, the reports and the server over the crates of the workspace, and the one error that
//! all of theirs become. `src/README.md` has the crates, who may use whom, and the way of a record through them.

pub mod error;

pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
pub mod session;

pub mod cli;

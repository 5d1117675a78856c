//! A campaign through the program: three months as one story, two operators at once, and kills.

#[path = "../program/mod.rs"]
mod program;

mod backup;
mod daily;
mod earlier;
mod interrupted;
mod mishaps;
mod months;
mod rosters;
mod runbooks;
mod story;
mod taken_back;
mod thousand;

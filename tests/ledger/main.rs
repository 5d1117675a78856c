//! The ledger of a campaign, with everything real but the lake: the shipped rules decide, the shipped
//! SQL says where things stand, and a clock is turned by hand.

mod notice_days;
mod properties;
mod states;
mod taken_back;
mod world;

//! Raw Microsoft Entra sign-in logs in; verdicts, lists and notices on Basic Authentication out.
//!
//! ```text
//! raw files -> ingest -> lake -> queries/*.sql -> evidence -> assess -> verdicts -> notify, report, ledger
//! ```
//!
//! Data goes one way. Nouns are data without I/O; stages are verbs in the order of the data, and no
//! stage calls one before it. SQL finds and counts; Rust decides.
//!
//! One sign-in: [`lightsout_ingest::find`] finds the file, [`lightsout_ingest::open`] names it by its content,
//! [`lightsout_formats::frame`] cuts it into records, a shape of [`lightsout_formats::shapes`] reads the record into a
//! [`lightsout_model::sign_in::RawSignIn`], [`lightsout_formats::classify`] says which protocol, auth method and outcome it is,
//! and [`lightsout_lake`] commits it as a row of `sign_in_records`. [`lightsout_query`] counts it into a
//! [`lightsout_model::evidence::TenantEvidence`], [`lightsout_assess`] reaches a [`lightsout_model::verdict::TenantVerdict`] from that and the
//! [`lightsout_model::campaign`], and [`lightsout_notify`] tells the tenant. What was
//! announced, and what becomes of it until it is done, is in the [`lightsout_campaign`].

pub mod error;

// stages, in the order of the data
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;

pub mod cli;

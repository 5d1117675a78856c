//! Writes a lake of any size straight through the library, without raw logs, and beside it the counts that
//! `lightsout assess` must find in it: what questions cost is measured on lakes whose logs fit nowhere.
//!
//! ```text
//! cargo bench --locked --bench write_lake -- --records 10000000 --tenants 1000 --out /tmp/lake
//! lightsout assess --lake /tmp/lake --as-of 2026-11-01
//! ```
//!
//! Without `--out` it does nothing, so that runs of all benches pass it by.

mod lake;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use lake::{Layout, Settings};

/// Writes a lake and its truth.
#[derive(Debug, Parser)]
#[command(name = "write_lake")]
struct Arguments {
    /// Sign-in records, repeated deliveries included
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    tenants: u32,
    /// Share of the records that name a legacy protocol
    #[arg(long, default_value_t = 0.03)]
    legacy_share: f64,
    /// The records come in so many commits, in the order of time
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    commits: u32,
    /// Days before 2026-11-02 that the records lie in
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One source per part of a commit, or one per tenant, category and day
    #[arg(long, value_enum, default_value_t = Layout::Dump)]
    layout: Layout,
    /// The lake's folder; the truth is beside it, `<out>.truth.csv`
    #[arg(long)]
    out: PathBuf,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let asked = std::env::args().any(|argument| argument == "--out" || argument.starts_with("--out="));
    if !asked {
        return;
    }
    let arguments = Arguments::parse();
    let settings = Settings {
        records: arguments.records,
        tenants: arguments.tenants,
        legacy_share: arguments.legacy_share,
        commits: arguments.commits,
        days: arguments.days,
        seed: arguments.seed,
        layout: arguments.layout,
    };
    let mut truth = arguments.out.clone().into_os_string();
    truth.push(".truth.csv");
    let truth = PathBuf::from(truth);
    let started = Instant::now();
    let written = lake::write(&arguments.out, &truth, &settings).await.expect("a lake that can be written");
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = written.records as f64 / seconds;
    eprintln!(
        "{} records, {} of them legacy, {} sources with {} coverage entries in {} commits; {seconds:.1} s, {rate:.0} records/s",
        written.records, written.legacy_records, written.sources, written.coverage_entries, settings.commits,
    );
    eprintln!("{} is the truth as of {}", truth.display(), lake::AS_OF);
}

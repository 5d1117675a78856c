//! `lightsout serve`: the lake for PostgreSQL clients and browsers.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::answers::parse_time;
use super::shared::{Global, LoadedRules, Rules, parse_size};
use super::user_tables::UserTables;
use crate::cli::failure::{Failure, Result};
use lightsout_config::users_file;
use lightsout_serve::access::Access;
use lightsout_serve::engine::QueryLimits;
use lightsout_serve::live::{self, Live};
use lightsout_serve::{Settings, scram, serve};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address for PostgreSQL clients, or off
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5433", value_parser = parse_address)]
    pg: Listen,
    /// Address for browsers, or off
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = parse_address)]
    http: Listen,
    #[command(flatten)]
    rules: Rules,
    /// A folder of your own queries, NAME.sql each, beside the shipped ones
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    #[command(flatten)]
    tables: UserTables,
    /// Maximum number of rows of a query; more is an error [default: unlimited]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Stop a query that takes longer, e.g. 10s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_time)]
    timeout: Duration,
    /// Memory limit of one query; all queries together get four times as much
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = parse_size)]
    memory_limit: usize,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// File whose first line is the password [default: LIGHTSOUT_PASSWORD of
    /// the environment]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// TOML file of users, each with a password, the tenants they may see, and
    /// whether users are shown by name or by pseudonym
    #[arg(long, value_name = "FILE", conflicts_with = "password_file")]
    users: Option<PathBuf>,
    /// Read a password from standard input, print what --users wants in its
    /// place, and exit
    #[arg(long)]
    hash_password: bool,
    /// TLS certificate with its chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// An address to listen on.
#[derive(Debug, Clone, Copy)]
enum Listen {
    Off,
    At(SocketAddr),
}

/// `127.0.0.1:5433`, `localhost:5433`, `[::1]:5433` or `off`.
fn parse_address(text: &str) -> Result<Listen, String> {
    let text = text.trim();
    if text == "off" {
        return Ok(Listen::Off);
    }
    let text =
        text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    let expected = || format!("expected an address and port as in 127.0.0.1:5433, or off, found '{text}'");
    text.parse().map(Listen::At).map_err(|_| expected())
}

/// `--hash-password`: a password in, its verifier out.
fn hash_password() -> Result<u8> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() {
        // Whoever looks at the screen does not see it.
        let typed = rpassword::prompt_password("Password: ").map_err(Failure::read("the terminal"))?;
        let again = rpassword::prompt_password("Again: ").map_err(Failure::read("the terminal"))?;
        if typed != again {
            return Err(Failure::Usage {
                flag: "--hash-password",
                expected: "the same password twice".to_owned(),
                found: "two passwords".to_owned(),
            });
        }
        typed
    } else {
        let mut line = String::new();
        stdin.read_line(&mut line).map_err(Failure::read("standard input"))?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", scram::hash_password(&password)?).map_err(Failure::write("standard output"))?;
    Ok(0)
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    use lightsout_query::catalog::own::Library;
    if arguments.hash_password {
        return hash_password();
    }
    let address = |listen| match listen {
        Listen::Off => None,
        Listen::At(address) => Some(address),
    };
    let (pg, http) = (address(arguments.pg), address(arguments.http));
    if pg.is_none() && http.is_none() {
        return Err(Failure::Usage {
            flag: "--http",
            expected: "an address, because --pg is off".to_owned(),
            found: "off".to_owned(),
        });
    }
    let environment = std::env::var("LIGHTSOUT_PASSWORD").ok();
    let users = arguments.users.as_deref().map(users_file::read).transpose()?;
    let access = Access::read(
        arguments.password_file.as_deref(),
        environment,
        arguments.tls_cert.as_deref().zip(arguments.tls_key.as_deref()),
    )?;
    let access = match users {
        Some(users) => access.with_users(users)?,
        None => access,
    };
    access.permits("--pg", pg)?;
    access.permits("--http", http)?;
    let LoadedRules { campaign, roster, as_of } = arguments.rules.load()?;
    let roster = roster.map(|roster| roster.for_use);
    let library = Library::open(arguments.queries.as_deref(), lightsout_config::spreadsheet::decoded)?;
    let tables = arguments.tables.read(&library, arguments.memory_limit, global)?;
    let rules = live::Rules { campaign, roster, as_of, library, tables };
    drop(super::shared::open_lake(global).await?);
    let live = Live::open(&global.lake, rules, arguments.memory_limit).await?;
    let (rows, time, memory_bytes) = (arguments.limit, arguments.timeout, arguments.memory_limit);
    serve(Settings { pg, http, access, live, limits: QueryLimits { rows, time, memory_bytes } }).await?;
    Ok(0)
}

//! The columns of the lake's tables, each once: name, type, whether it may be null, what it means and where it comes
//! from. Schemas (`lake`), builders (`ingest`) and `queries/columns.txt` derive from these. A column is never removed
//! or renamed: old lakes and outside scripts have it.

use std::fmt::Write as _;

use ColumnType::{Boolean, Bytes, Date, Integer, List, SmallInteger, Text, Timestamp};
use Origin::{Campaign, Classified, Collector, Decision, Ingest, Log, Operator};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    /// 64 bits.
    Integer,
    /// 32 bits.
    SmallInteger,
    /// UTC, in microseconds.
    Timestamp,
    Date,
    Boolean,
    Bytes,
    /// Of structs with these members.
    List(&'static [Column]),
}

/// Who fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The log's record, as it was written.
    Log,
    /// `formats::classify`, from the record.
    Classified,
    /// The ingest, of file and batch.
    Ingest,
    /// `lightsout assess`.
    Decision,
    /// The commands of `lightsout campaign`.
    Campaign,
    /// The script that collects settings, or a report of Exchange.
    Collector,
    /// Flags of a command.
    Operator,
}

/// A column, or a member of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub origin: Origin,
    /// For people.
    pub meaning: &'static str,
    /// Whether what this version writes may be null. Rows of earlier versions may lack every later column.
    pub is_nullable: bool,
}

impl Column {
    const fn new(name: &'static str, column_type: ColumnType, origin: Origin, meaning: &'static str) -> Self {
        Self { name, column_type, origin, meaning, is_nullable: false }
    }

    const fn or_null(self) -> Self {
        Self { is_nullable: true, ..self }
    }
}

/// A day of a log in `sources.coverage`.
const COVERED_DAY: &[Column] = &[
    Column::new("day", Date, Ingest, "UTC day"),
    Column::new("records", Integer, Ingest, "records of the day"),
    Column::new("hours", SmallInteger, Ingest, "a bit for each hour with records, the lowest for 00:00")
        .or_null(),
];

/// A range in `sources.coverage` that a file or an operator states.
const STATED_RANGE: &[Column] = &[
    Column::new("first_day", Date, Ingest, "first day"),
    Column::new("last_day", Date, Ingest, "last day, in it"),
    Column::new("basis", Text, Ingest, "who states it"),
];

/// What a source has seen of one tenant and category: an element of `sources.coverage`.
const COVERAGE: &[Column] = &[
    Column::new("tenant_id", Text, Ingest, "the tenant").or_null(),
    Column::new("category", Text, Ingest, "the category of the log").or_null(),
    Column::new("records", Integer, Ingest, "its records"),
    Column::new(
        "latest_at",
        Timestamp,
        Ingest,
        "its newest record; with a storage_hour at least that hour's end",
    )
    .or_null(),
    Column::new("storage_hour", Timestamp, Ingest, "start of the hour that a storage path names").or_null(),
    Column::new("days", List(COVERED_DAY), Ingest, "its days with records"),
    Column::new("stated", List(STATED_RANGE), Ingest, "ranges that it is stated to be complete for"),
    Column::new(
        "only_client_app",
        Text,
        Ingest,
        "the client app that all user sign-ins show; * for several, null if none shows one",
    )
    .or_null(),
    Column::new("only_outcome", Text, Ingest, "the same of the outcome").or_null(),
    Column::new("only_user", Text, Ingest, "the same of the user, as a hash").or_null(),
    Column::new("only_app", Text, Ingest, "the same of the application: its id, else its name").or_null(),
    Column::new("successes", Integer, Ingest, "sign-ins that succeeded").or_null(),
];

/// The table `sign_in_records`.
pub const SIGN_IN_RECORDS: &[Column] = &[
    Column::new("tenant_id", Text, Log, "the Entra tenant that owns the log"),
    Column::new("sign_in_id", Text, Log, "the sign-in's id, as logged; row:... if it had none"),
    Column::new(
        "category",
        Text,
        Log,
        "interactive, non_interactive, service_principal, ...; null if not known",
    )
    .or_null(),
    Column::new("signed_in_at", Timestamp, Log, "when, in UTC"),
    Column::new("emitted_at", Timestamp, Log, "when the record was written; null if not logged").or_null(),
    Column::new("event_date", Date, Ingest, "the UTC day of signed_in_at"),
    Column::new("user_id", Text, Log, "the user's id").or_null(),
    Column::new("user_principal_name", Text, Log, "the user's name for signing in").or_null(),
    Column::new("user_type", Text, Log, "member or guest").or_null(),
    Column::new("app_id", Text, Log, "id of the application that signed in").or_null(),
    Column::new("app_name", Text, Log, "its name, as logged").or_null(),
    Column::new("resource_id", Text, Log, "id of what was signed in to").or_null(),
    Column::new("resource_name", Text, Log, "its name, as logged").or_null(),
    Column::new("client_app", Text, Log, "as logged: IMAP4, Browser, ...").or_null(),
    Column::new(
        "protocol",
        Text,
        Classified,
        "pop3, imap4, smtp_auth, ...; null for browsers and modern clients",
    )
    .or_null(),
    Column::new("auth_method", Text, Classified, "basic, modern, password_grant or unknown"),
    Column::new("auth_evidence", Text, Classified, "what proves the auth method: user agent, protocol, ...")
        .or_null(),
    Column::new("outcome", Text, Classified, "success, interrupted, blocked, failure or unknown"),
    Column::new("error_code", Integer, Log, "result of the sign-in; 0 is success").or_null(),
    Column::new("failure_reason", Text, Log, "in words, as logged").or_null(),
    Column::new("conditional_access", Text, Log, "result of the policies: success, failure, notApplied")
        .or_null(),
    Column::new("user_agent", Text, Log, "as logged").or_null(),
    Column::new("ip_address", Text, Log, "where the sign-in came from").or_null(),
    Column::new("country", Text, Log, "where the address is, as logged").or_null(),
    Column::new(
        "is_interactive",
        Boolean,
        Log,
        "whether the user signed in interactively; null if not logged",
    )
    .or_null(),
    Column::new("home_tenant_id", Text, Log, "the user's own tenant").or_null(),
    Column::new("resource_tenant_id", Text, Log, "the tenant whose resource it is").or_null(),
    Column::new("correlation_id", Text, Log, "as logged").or_null(),
    Column::new("source_id", Text, Ingest, "hash of the file's content"),
    Column::new("source_offset", Integer, Ingest, "where the record starts in its file, in bytes"),
    Column::new("record_hash", Integer, Ingest, "hash of the record's text, tells repeats from others")
        .or_null(),
];

/// The column that splits the folders of `sign_in_records`: no data file has it.
pub const PARTITION: Column =
    Column::new("provably_modern", Boolean, Classified, "whether it can't be Basic Authentication");

/// The table `rejects`.
pub const REJECTS: &[Column] = &[
    Column::new("source_id", Text, Ingest, "hash of the file's content"),
    Column::new("path", Text, Ingest, "the file, as it was named"),
    Column::new("byte_offset", Integer, Ingest, "where the record starts in its file"),
    Column::new("line", Integer, Ingest, "line of its file, from 1").or_null(),
    Column::new("reason", Text, Ingest, "why the record was not taken"),
    Column::new("detail", Text, Ingest, "what was found instead").or_null(),
    Column::new("raw", Bytes, Ingest, "the record's bytes"),
    Column::new("batch_id", Text, Ingest, "the commit that added it"),
    Column::new(
        "tenant_id",
        Text,
        Ingest,
        "the tenant, as far as the raw bytes, the path or the operator tell",
    )
    .or_null(),
    Column::new("category", Text, Ingest, "the same, as far as the raw bytes state it").or_null(),
    Column::new("signed_in_at", Timestamp, Ingest, "the same, as far as the raw bytes state it").or_null(),
    Column::new("reads_as", Text, Ingest, "modern_client, other_category or unclear, which may be usage")
        .or_null(),
    Column::new("sign_in_id", Text, Ingest, "the same, as far as the raw bytes state it").or_null(),
];

/// The table `sources`.
pub const SOURCES: &[Column] = &[
    Column::new("source_id", Text, Ingest, "hash of the file's content"),
    Column::new("batch_id", Text, Ingest, "the commit that added it"),
    Column::new("path", Text, Ingest, "the file, as it was named"),
    Column::new("shape", Text, Ingest, "the shape of the export").or_null(),
    Column::new("framing", Text, Ingest, "how its records are separated").or_null(),
    Column::new("encoding", Text, Ingest, "UTF-8, UTF-16, ...").or_null(),
    Column::new("compression", Text, Ingest, "gzip, zstd, ...; null if none").or_null(),
    Column::new("header", Text, Ingest, "first line of a CSV file").or_null(),
    Column::new("stored_bytes", Integer, Ingest, "bytes of the file"),
    Column::new("content_bytes", Integer, Ingest, "bytes, decompressed"),
    Column::new("records", Integer, Ingest, "records of the file"),
    Column::new("rows", Integer, Ingest, "records that became rows"),
    Column::new("rejected", Integer, Ingest, "records that could not be read"),
    Column::new("not_sign_ins", Integer, Ingest, "records of other categories and operations"),
    Column::new("counted", Integer, Ingest, "provably modern sign-ins of which no row is kept (--keep legacy)")
        .or_null(),
    Column::new("pruned", Integer, Ingest, "rows removed by lake prune").or_null(),
    Column::new(
        "missing_columns",
        Text,
        Ingest,
        "columns that the file lacks, joined with semicolons; null if complete",
    )
    .or_null(),
    Column::new("first_signed_in_at", Timestamp, Ingest, "of its records").or_null(),
    Column::new("last_signed_in_at", Timestamp, Ingest, "of its records").or_null(),
    Column::new("ingested_at", Timestamp, Ingest, "when the file was ingested"),
    Column::new("program_version", Text, Ingest, "the lightsout that made it"),
    Column::new(
        "coverage",
        List(COVERAGE),
        Ingest,
        "runs of days that the file covers, per tenant and category",
    )
    .or_null(),
    Column::new(
        "fate",
        Text,
        Ingest,
        "ingested, seen_before, empty, refused, or skipped after it was refused",
    ),
    Column::new("detail", Text, Ingest, "why it was refused").or_null(),
    Column::new("channel", Text, Ingest, "where files like it keep coming from").or_null(),
    Column::new(
        "truncation",
        Text,
        Ingest,
        "how the file ends early: torn (cut), incomplete (says so itself), cap 100000; null if it is complete",
    )
    .or_null(),
    Column::new("page_filter", Text, Ingest, "Graph: the filter that the links to next pages repeat")
        .or_null(),
    Column::new("pages", Integer, Ingest, "Graph: its pages").or_null(),
    Column::new("last_pages", Integer, Ingest, "Graph: of them those without a link to a next one").or_null(),
    Column::new("content_id", Text, Ingest, "hash of the file's bytes alone").or_null(),
    Column::new("assigned_tenant_id", Text, Ingest, "the tenant that its path or the operator names")
        .or_null(),
    Column::new(
        "prefix_source_id",
        Text,
        Ingest,
        "the source that the file begins with, if only the appended part was read; null if all of it was",
    )
    .or_null(),
    Column::new("prefix_bytes", Integer, Ingest, "bytes of the file before what was read").or_null(),
    Column::new(
        "etag",
        Text,
        Ingest,
        "the version of a blob, by its object store, once nothing more is to be read from it; null of files",
    )
    .or_null(),
];

/// A protocol of a tenant that was decided about: an element of `decision_tenants.protocols`.
const DECIDED_PROTOCOL: &[Column] = &[
    Column::new("protocol", Text, Decision, "the protocol"),
    Column::new("in_scope", Boolean, Decision, "whether the campaign turns it off"),
    Column::new("verdict", Text, Decision, "in_use, already_off, unproven, attempted or unused"),
    Column::new("users", Integer, Decision, "distinct users in the window"),
    Column::new("sign_ins", Integer, Decision, "usage in the window"),
    Column::new("interrupted", Integer, Decision, "sign-ins that were interrupted"),
    Column::new("blocked", Integer, Decision, "sign-ins that were blocked"),
    Column::new("failures", Integer, Decision, "sign-ins that failed"),
    Column::new("unknown", Integer, Decision, "sign-ins without a status"),
    Column::new("last_seen", Timestamp, Decision, "the latest of all these").or_null(),
];

/// The table `decision_tenants`.
pub const DECISION_TENANTS: &[Column] = &[
    Column::new("decision_id", Text, Decision, "hash of all inputs of the decision"),
    Column::new("tenant_id", Text, Decision, "the Entra tenant that owns the log"),
    Column::new("display_name", Text, Decision, "the tenant's name, by the roster").or_null(),
    Column::new("verdict", Text, Decision, "no_impact, warning, insufficient_evidence or excluded"),
    Column::new("reasons", Text, Decision, "codes of the rule that decided, joined with semicolons"),
    Column::new(
        "protocols",
        List(DECIDED_PROTOCOL),
        Decision,
        "verdict and counts of each protocol in scope or seen",
    ),
    Column::new("protocols_in_use", Text, Decision, "joined with semicolons"),
    Column::new("protocols_clear", Text, Decision, "joined with semicolons"),
    Column::new("users", Integer, Decision, "distinct users of the protocols in use"),
    Column::new("first_day", Date, Decision, "first covered day in the window").or_null(),
    Column::new("last_day", Date, Decision, "last covered day in the window").or_null(),
    Column::new("details", Text, Decision, "reasons with their numbers, doubts, gaps and dismissals, JSON"),
    Column::new("evidence", Text, Decision, "what the queries found about the tenant, JSON; null: nothing")
        .or_null(),
];

/// The table `rosters`.
pub const ROSTERS: &[Column] = &[
    Column::new("roster_hash", Text, Decision, "hash of the roster"),
    Column::new("tenant_id", Text, Decision, "the Entra tenant that owns the log"),
    Column::new("roster_row", Text, Decision, "what the roster says of the tenant, JSON"),
    Column::new(
        "roster_version",
        Integer,
        Decision,
        "counted from 1 as rosters are kept; the greatest is the lake's; null: a decision alone was made with it",
    )
    .or_null(),
    Column::new("kept_at", Timestamp, Decision, "when this version was kept").or_null(),
];

/// The table `decisions`. Of rows whose `rules_version` is null, an earlier version kept all tenants in two texts.
pub const DECISIONS: &[Column] = &[
    Column::new("decision_id", Text, Decision, "hash of all inputs of the decision"),
    Column::new("decided_at", Timestamp, Decision, "when it was decided"),
    Column::new("campaign", Text, Decision, "name of the campaign"),
    Column::new("as_of", Date, Decision, "the window ends before this day"),
    Column::new("window_start", Date, Decision, "first day of the window"),
    Column::new("window_end", Date, Decision, "end of the window, not in it"),
    Column::new("campaign_hash", Text, Decision, "hash of the campaign's rules"),
    Column::new("roster_hash", Text, Decision, "hash of the roster"),
    Column::new("queries_hash", Text, Decision, "hash of the queries"),
    Column::new("seed", Integer, Decision, "seed by which waves are drawn"),
    Column::new("program_version", Text, Decision, "the lightsout that made it"),
    Column::new("lake_versions", Text, Decision, "versions of the tables that were read, JSON"),
    Column::new("campaign_rules", Text, Decision, "the campaign's rules as they were, JSON"),
    Column::new(
        "roster",
        Text,
        Decision,
        "the tenants with names and settings as they were, JSON; null since rosters has them",
    )
    .or_null(),
    Column::new(
        "evidence",
        Text,
        Decision,
        "what the queries found about each tenant, JSON; null since decision_tenants has it",
    )
    .or_null(),
    Column::new(
        "rules_version",
        Integer,
        Decision,
        "version of the rules; null: an earlier lightsout made it",
    )
    .or_null(),
    Column::new("tenants", Integer, Decision, "number of its rows in decision_tenants").or_null(),
];

/// The table `campaign_events`.
pub const CAMPAIGN_EVENTS: &[Column] = &[
    Column::new("event_id", Text, Campaign, "hash of the event"),
    Column::new("campaign", Text, Campaign, "name of the campaign"),
    Column::new("tenant_id", Text, Campaign, "the Entra tenant that owns the log"),
    Column::new(
        "event",
        Text,
        Campaign,
        "announced, opted_out, held, released, confirmed, withdrawn, opted_in, corrected, used_after_change, \
         rescheduled, warned, evidence_asked",
    ),
    Column::new("protocols", Text, Campaign, "joined with semicolons"),
    Column::new("decision_id", Text, Campaign, "hash of all inputs of the decision").or_null(),
    Column::new("happened_at", Timestamp, Campaign, "when it happened"),
    Column::new("effective_date", Date, Campaign, "from this day on it may be turned off").or_null(),
    Column::new("by_whom", Text, Campaign, "who asked for it, or did it").or_null(),
    Column::new("detail", Text, Campaign, "numbers and causes, JSON").or_null(),
    Column::new(
        "recorded_at",
        Timestamp,
        Campaign,
        "the system's clock when it was recorded, whatever --now said; null: by an earlier lightsout",
    )
    .or_null(),
    Column::new(
        "ledger_position",
        Integer,
        Campaign,
        "place in the order of the campaign's events, from 0; null: by an earlier lightsout, before all others",
    )
    .or_null(),
];

/// The table `tenant_settings`.
pub const TENANT_SETTINGS: &[Column] = &[
    Column::new("tenant_id", Text, Collector, "the Entra tenant that owns the log"),
    Column::new("source_id", Text, Ingest, "hash of the file's content"),
    Column::new("path", Text, Ingest, "the file, as it was named"),
    Column::new("kind", Text, Collector, "exchange_settings or smtp_auth_report"),
    Column::new(
        "collected_at",
        Timestamp,
        Collector,
        "when settings were read; of a report, the instant after its last day",
    ),
    Column::new(
        "complete",
        Boolean,
        Collector,
        "whether every cmdlet gave its whole answer, every row of a report could be read",
    ),
    Column::new("settings", Text, Collector, "what the file says, JSON"),
    Column::new("ingested_at", Timestamp, Ingest, "when the file was ingested"),
    Column::new("batch_id", Text, Ingest, "the commit that added it"),
];

/// The table `dismissals`.
pub const DISMISSALS: &[Column] = &[
    Column::new("dismissal_id", Text, Operator, "id of the dismissal"),
    Column::new("tenant_id", Text, Operator, "the Entra tenant that owns the log"),
    Column::new("doubt", Text, Operator, "reason code of the doubt"),
    Column::new("paths", Text, Operator, "the files, a JSON array; null for all that the lake held then")
        .or_null(),
    Column::new("by_whom", Text, Operator, "who asked for it, or did it"),
    Column::new("why", Text, Operator, "what they have found"),
    Column::new("dismissed_at", Timestamp, Operator, "when somebody answered for the doubt"),
];

/// The text of `queries/columns.txt`: a line for each name, and one for each table that means something else by it
/// than the tables before it.
#[must_use]
pub fn documentation(tables: &[(&str, &[Column])]) -> String {
    let mut lines: Vec<(String, &str)> = Vec::new();
    for (table, columns) in tables {
        for column in *columns {
            match lines.iter().find(|(name, _)| name == column.name) {
                None => lines.push((column.name.to_owned(), column.meaning)),
                Some((_, meaning)) if *meaning == column.meaning => {}
                Some(_) => lines.push((format!("{table}.{}", column.name), column.meaning)),
            }
        }
    }
    // Names of all tables first.
    lines.sort_by(|a, b| (a.0.contains('.'), &a.0).cmp(&(b.0.contains('.'), &b.0)));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::from(
        "# What the columns of the tables mean, for people; views say it of their own in their headers. Written from\n\
         # src/model/columns.rs. A line: column, or table.column where it means something else there; then the meaning.\n",
    );
    for (name, meaning) in lines {
        // Writing to a text can't fail.
        let _ = writeln!(text, "{name:width$}  {meaning}");
    }
    text
}

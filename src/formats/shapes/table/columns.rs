//! What the columns of a table tell, by their names in its header.

use std::collections::BTreeMap;

use super::{bare, prefix};
use crate::csv;
use crate::shapes::draft::Item;
use crate::shapes::{Shape, log_analytics, look_alike, portal, powershell};

/// A header that is understood.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) shape: Shape,
    /// Which columns tell what.
    pub(super) items: Vec<(Item, Vec<usize>)>,
    /// The column that holds a record as JSON.
    pub(super) record: Option<usize>,
    /// The columns are the members of an audit record, or of a diagnostic one, of these names.
    pub(super) members: Option<Vec<String>>,
}

/// Columns of Splunk, Kibana, Snowflake, Loki and their like that hold a record as it was sent, and may hold any other text.
const RAW_COLUMNS: [&str; 22] = [
    "_raw",
    "message",
    "event.original",
    "_source",
    "_source.message",
    "_source.event.original",
    "full_log",
    "data",
    "log",
    "record_content",
    "record",
    "payload",
    "body",
    "content",
    "event",
    "raw",
    "raw_event",
    "json",
    "line",
    "logtext",
    "@message",
    "raweventdata",
];

/// Those of them that hold the record before a program has read it: they come before what the program has made of it.
const ORIGINALS: [&str; 4] = ["event.original", "_source.event.original", "full_log", "record_content"];

type ItemOf = fn(&str) -> Option<Item>;

impl Columns {
    /// The columns of such names, if some shape has them.
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let original = ORIGINALS.iter().find_map(|known| column(names, known)).map(Self::of_record);
        Self::as_named(names)
            .or(original)
            .or_else(|| Self::certain(names))
            .or_else(|| Some(Self::of_record(RAW_COLUMNS.iter().find_map(|known| column(names, known))?)))
    }

    /// The same without columns that may hold any text.
    fn certain(names: &[String]) -> Option<Self> {
        Self::as_named(names).or_else(|| {
            prefix::without(names).find_map(|stripped| {
                if stripped.of_properties {
                    Self::of_sign_ins(Shape::PowershellCsv, diagnostic_item, &stripped.names)
                } else {
                    Self::as_named(&stripped.names)
                }
            })
        })
    }

    fn as_named(names: &[String]) -> Option<Self> {
        if let Some(column) = column(names, "AuditData").or_else(|| column(names, "_raw")) {
            return Some(Self::of_record(column));
        }
        let candidates: [(Shape, ItemOf); 3] = [
            (Shape::PortalCsv, portal::item),
            (Shape::LogAnalyticsCsv, log_analytics_item),
            (Shape::PowershellCsv, powershell::item),
        ];
        let known =
            candidates.into_iter().find_map(|(shape, item_of)| Self::of_sign_ins(shape, item_of, names));
        known.or_else(|| {
            (is_audit(names) || is_diagnostic(names)).then(|| {
                let members = names.iter().map(|name| bare(name.trim()).to_owned()).collect();
                Self { members: Some(members), ..Self::of_items(Shape::AuditCsv, Vec::new()) }
            })
        })
    }

    fn of_sign_ins(shape: Shape, item_of: ItemOf, names: &[String]) -> Option<Self> {
        let mut items: BTreeMap<Item, Vec<usize>> = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            if let Some(item) = item_of(name) {
                items.entry(item).or_default().push(at);
            }
        }
        let fits = fits(shape, names, &|item| items.contains_key(&item));
        fits.then(|| Self::of_items(shape, items.into_iter().collect()))
    }

    fn of_items(shape: Shape, items: Vec<(Item, Vec<usize>)>) -> Self {
        Self { shape, items, record: None, members: None }
    }

    fn of_record(column: usize) -> Self {
        Self { record: Some(column), ..Self::of_items(Shape::AuditCsv, Vec::new()) }
    }
}

/// Whether a row is evidently a header.
pub(crate) fn is_header(row: &str, delimiter: u8) -> bool {
    let Some(cells) = csv::cells(row, delimiter) else { return false };
    let names: Vec<String> = cells.into_iter().map(std::borrow::Cow::into_owned).collect();
    Columns::certain(&names).is_some()
}

/// Whether a column may hold any text.
pub(super) fn is_raw(name: &str) -> bool {
    RAW_COLUMNS.iter().any(|known| is(name, known))
}

/// Whether columns are the members of an audit record.
fn is_audit(names: &[String]) -> bool {
    let any = |known: &[&str]| known.iter().any(|known| column(names, known).is_some());
    any(&["CreationTime", "CreationDate"])
        && any(&["Operation", "Operations"])
        && any(&["UserId", "UserIds", "UserKey"])
}

/// Whether they are those of a diagnostic record, its properties being JSON text.
fn is_diagnostic(names: &[String]) -> bool {
    let has = |known: &str| names.iter().any(|name| bare(name.trim()) == known);
    has("properties") && (has("category") || has("operationName"))
}

fn column(names: &[String], known: &str) -> Option<usize> {
    names.iter().position(|name| is(name, known))
}

fn is(name: &str, known: &str) -> bool {
    name.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case(known)
}

/// What a column tells where the properties of a diagnostic record are columns, beside those of its envelope; or what
/// Elastic's integration has made of both.
fn diagnostic_item(name: &str) -> Option<Item> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match plain.as_str() {
        "category" => Some(Item::Category),
        "resulttype" => Some(Item::ResultType),
        "resultdescription" => Some(Item::ResultDescription),
        "createdat" => Some(Item::SignedInAt),
        "useragentoriginal" => Some(Item::UserAgent),
        "sourceip" | "calleripaddress" => Some(Item::IpAddress),
        _ => powershell::item(name),
    }
}

/// Log Analytics' names with what exports add to them: ` [UTC]`, and the type of a custom log's column.
fn log_analytics_item(name: &str) -> Option<Item> {
    let name = name.trim();
    let name = name.split_once('[').map_or(name, |(name, _)| name).trim_end();
    let suffixes = ["_dynamic", "_string", "_s", "_d", "_g", "_b", "_t"];
    let bare = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    log_analytics::item(bare)
}

/// Whether a header has what the shape is known by.
fn fits(shape: Shape, names: &[String], has: &dyn Fn(Item) -> bool) -> bool {
    let names_any = |known: &str| names.iter().any(|name| is(name, known));
    let who = has(Item::UserPrincipalName) || has(Item::UserId) || has(Item::ServicePrincipalId);
    // One row per sign-in, not per group of them.
    let summary = !has(Item::SignInId) && names.iter().any(|name| look_alike::is_aggregate(name));
    match shape {
        Shape::PortalCsv => {
            let markers = [Item::SignInId, Item::Status, Item::ErrorCode, Item::ClientApp];
            let marked = markers.into_iter().filter(|item| has(*item)).count() > 1;
            !summary && has(Item::SignedInAt) && (who || has(Item::AppId)) && marked
        }
        Shape::LogAnalyticsCsv => {
            let timed = has(Item::EmittedAt) || has(Item::SignedInAt);
            let anybody = who || names_any("Identity") || names_any("UserDisplayName");
            let table = has(Item::ResultType) && (timed || has(Item::Tenant));
            let projected = has(Item::EmittedAt) && (has(Item::ClientApp) || has(Item::Status));
            !summary && !look_alike::in_local_time(names) && anybody && (table || projected)
        }
        Shape::PowershellCsv => {
            let markers = [Item::Status, Item::ErrorCode, Item::ClientApp, Item::AppName, Item::AppId];
            !summary && has(Item::SignedInAt) && who && markers.into_iter().any(has)
        }
        Shape::Diagnostic | Shape::LogAnalytics | Shape::Graph | Shape::Audit | Shape::AuditCsv => false,
    }
}

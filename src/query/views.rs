//! The views of a session, with what their headers say.

/// How the rows of a view come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewKind {
    /// By its SQL, as a part of the query that names it.
    Sql,
    /// By its SQL, once a session: few rows that cost much to find, that one query asks for more than once,
    /// and the next one again.
    ContestedIds,
    /// The same, unless the ids are too many for their sign-ins to be kept.
    ContestedSignIns,
    /// The same, reading of the records only what can be a duplicate.
    DuplicateCandidates,
    /// By what its SQL says, where that can be done faster.
    ChosenRecords,
    /// The same of all records.
    SignIns,
    /// Once a session, and only if the lake holds what it is about.
    StatedElsewhere,
    /// In Rust, by the crate that registers it; its text has a header alone.
    Registered,
}

/// A name that queries can read from.
#[derive(Debug)]
pub struct View {
    pub name: &'static str,
    /// The header, and the SQL below it where there is one.
    pub text: &'static str,
    pub(super) kind: ViewKind,
    /// Not for people: a part of other views.
    pub is_part: bool,
}

macro_rules! sql {
    ($name:literal, $kind:ident, $is_part:literal) => {
        View {
            name: $name,
            text: include_str!(concat!("../../queries/views/", $name, ".sql")),
            kind: ViewKind::$kind,
            is_part: $is_part,
        }
    };
}

macro_rules! registered {
    ($name:literal) => {
        View {
            name: $name,
            text: include_str!(concat!("../../queries/views/", $name, ".txt")),
            kind: ViewKind::Registered,
            is_part: false,
        }
    };
}

/// Every view, by name.
pub const VIEWS: [View; 15] = [
    registered!("campaign_changes"),
    registered!("campaign_status"),
    sql!("contested_ids", ContestedIds, true),
    sql!("contested_sign_ins", ContestedSignIns, true),
    sql!("coverage_entries", Sql, false),
    registered!("latest_decision"),
    registered!("latest_roster"),
    sql!("legacy_sign_ins", Sql, false),
    sql!("rival_records", DuplicateCandidates, true),
    sql!("sign_ins", SignIns, false),
    sql!("speaking_records", ChosenRecords, true),
    sql!("stated_elsewhere", StatedElsewhere, true),
    sql!("tenants", Sql, false),
    sql!("usage_daily", Sql, false),
    registered!("verdicts"),
];

impl View {
    /// What it shows: the first line of its header.
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("--").trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_view_or_the_lakes_own_check() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries/views");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of views")
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                Some(name.split_once('.')?.0.to_owned())
            })
            // These are run by `lake status` and `lake verify`.
            .filter(|name| !["status", "status_by_tenant", "verify"].contains(&name.as_str()))
            .collect();
        files.sort_unstable();
        assert_eq!(files, VIEWS.map(|view| view.name));
    }
}

//! The eligibility lists: who may be told what. Five CSV files, each with its header even when it is
//! empty, sorted by tenant id; every tenant is in exactly one, and warning tenants with clear groups
//! are in `selected_protocols.csv` as well.

use std::fs;
use std::path::Path;

use super::text::{csv_cell, csv_cells};
use super::{NoticeContext, NotifyError, reason_codes};
use crate::protocol::Protocol;
use crate::verdict::{TenantAssessment, TenantVerdict};

const COLUMNS: [&str; 12] = [
    "tenant_id",
    "display_name",
    "domains",
    "contacts",
    "language",
    "cloud",
    "verdict",
    "reasons",
    "protocols",
    "users",
    "effective_date",
    "decision_id",
];

/// Tenants per list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListCounts {
    pub no_impact: usize,
    pub selected_protocols: usize,
    pub warning: usize,
    pub insufficient_evidence: usize,
    pub excluded: usize,
}

/// Writes the five lists under `out/lists/`.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write(out: &Path, context: &NoticeContext) -> Result<ListCounts, NotifyError> {
    let folder = out.join("lists");
    fs::create_dir_all(&folder).map_err(NotifyError::create_folder(&folder))?;
    let list = |name: &str, list: List| write_list(&folder.join(name), list, context);
    Ok(ListCounts {
        no_impact: list("no_impact.csv", List::NoImpact)?,
        selected_protocols: list("selected_protocols.csv", List::SelectedProtocols)?,
        warning: list("warning.csv", List::Warning)?,
        insufficient_evidence: list("insufficient_evidence.csv", List::InsufficientEvidence)?,
        excluded: list("excluded.csv", List::Excluded)?,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    NoImpact,
    SelectedProtocols,
    Warning,
    InsufficientEvidence,
    Excluded,
}

impl List {
    fn holds(self, tenant: &TenantAssessment) -> bool {
        match self {
            Self::NoImpact => tenant.verdict == TenantVerdict::NoImpact,
            Self::Warning => tenant.verdict == TenantVerdict::Warning,
            Self::SelectedProtocols => {
                tenant.verdict == TenantVerdict::Warning && !tenant.protocols_clear.is_empty()
            }
            Self::InsufficientEvidence => tenant.verdict == TenantVerdict::InsufficientEvidence,
            Self::Excluded => tenant.verdict == TenantVerdict::Excluded,
        }
    }

    fn protocols(self, tenant: &TenantAssessment, context: &NoticeContext) -> Vec<Protocol> {
        match self {
            Self::NoImpact => context.campaign.scope(),
            Self::SelectedProtocols => tenant.protocols_clear.clone(),
            Self::Warning => tenant.protocols_in_use.clone(),
            Self::InsufficientEvidence | Self::Excluded => Vec::new(),
        }
    }

    /// A date of the campaign's own comes to everybody, one that follows a notice only to those whose
    /// notice announces the change.
    fn is_dated(self, context: &NoticeContext) -> bool {
        match self {
            Self::NoImpact | Self::SelectedProtocols => true,
            Self::Warning | Self::InsufficientEvidence => context.campaign.effective_date.is_some(),
            Self::Excluded => false,
        }
    }
}

fn write_list(path: &Path, list: List, context: &NoticeContext) -> Result<usize, NotifyError> {
    let failed = NotifyError::write_list(path);
    let mut tenants: Vec<&TenantAssessment> =
        context.assessment.tenants.iter().filter(|tenant| list.holds(tenant)).collect();
    tenants.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));

    let mut file = csv::Writer::from_path(path).map_err(&failed)?;
    file.write_record(COLUMNS).map_err(&failed)?;
    for tenant in &tenants {
        file.write_record(row(list, tenant, context)).map_err(&failed)?;
    }
    file.flush().map_err(NotifyError::write(path))?;
    Ok(tenants.len())
}

fn row(list: List, tenant: &TenantAssessment, context: &NoticeContext) -> [String; COLUMNS.len()] {
    let roster = context.roster_tenant(&tenant.tenant_id);
    let optional = |text: Option<&str>| csv_cell(text.unwrap_or_default());
    let date = if list.is_dated(context) { context.effective_date().to_string() } else { String::new() };
    [
        csv_cell(&tenant.tenant_id),
        optional(context.display_name(tenant)),
        csv_cells(roster.map(|r| r.domains.as_slice()).unwrap_or_default()),
        csv_cells(roster.map(|r| r.contacts.as_slice()).unwrap_or_default()),
        optional(roster.and_then(|r| r.language.as_deref())),
        optional(roster.and_then(|r| r.cloud.as_deref())),
        tenant.verdict.as_str().to_owned(),
        reason_codes(tenant),
        csv_cells(list.protocols(tenant, context).into_iter().map(Protocol::as_str)),
        tenant.users.to_string(),
        date,
        csv_cell(&context.assessment.decision_id),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample::Sample;

    const HEADER: &str = "tenant_id,display_name,domains,contacts,language,cloud,verdict,reasons,protocols,users,effective_date,decision_id";

    fn lists_of(sample: &Sample) -> (ListCounts, impl Fn(&str) -> String + use<>) {
        let out = tempfile::tempdir().expect("a folder");
        let counts = write(out.path(), &sample.context()).expect("lists");
        (counts, move |name: &str| fs::read_to_string(out.path().join("lists").join(name)).expect("a list"))
    }

    #[test]
    fn every_list_has_its_header_even_when_nobody_is_on_it() {
        let mut sample = Sample::all_protocols();
        sample.assessment.tenants.clear();
        let (counts, list) = lists_of(&sample);
        assert_eq!(counts, ListCounts::default());
        for name in ["no_impact", "selected_protocols", "warning", "insufficient_evidence", "excluded"] {
            assert_eq!(list(&format!("{name}.csv")), format!("{HEADER}\n"));
        }
    }

    #[test]
    fn tenants_are_in_the_list_of_their_verdict_and_selected_ones_with_their_clear_protocols() {
        let (counts, list) = lists_of(&Sample::all_protocols());
        let expected = ListCounts {
            no_impact: 1,
            selected_protocols: 1,
            warning: 1,
            insufficient_evidence: 1,
            excluded: 1,
        };
        assert_eq!(counts, expected);
        assert_eq!(
            list("no_impact.csv").lines().nth(1),
            Some(
                "11111111-0000-4000-8000-000000000001,Alpine Ski Club,alpine.example;ski.example,it@alpine.example,\
                 de,worldwide,no_impact,attempted,pop3;imap4;smtp_auth;exchange_activesync;\
                 exchange_web_services;offline_address_book;mapi_over_http;outlook_anywhere_rpc;\
                 remote_powershell,0,2026-12-24,d-0123abcd"
            )
        );
        assert!(
            list("selected_protocols.csv").contains(",warning,in_use;unattributed_legacy_use,pop3;smtp_auth")
        );
        assert!(list("warning.csv").contains(",imap4;exchange_web_services;other_legacy,4,,d-0123abcd"));
        assert!(list("insufficient_evidence.csv").contains(",insufficient_evidence,"));
        assert!(list("excluded.csv").contains(",excluded,excluded,,0,,d-0123abcd"));
    }

    #[test]
    fn rows_are_sorted_by_tenant_id_whatever_their_order() {
        let mut sample = Sample::all_protocols();
        let mut second = sample.assessment.tenants[0].clone();
        second.tenant_id = "00000000-first".to_owned();
        sample.assessment.tenants.push(second);
        let (_, list) = lists_of(&sample);
        assert!(list("no_impact.csv").lines().nth(1).is_some_and(|row| row.starts_with("00000000-first")));
    }

    #[test]
    fn a_date_of_the_campaigns_own_is_on_the_warning_list_too() {
        let (_, list) = lists_of(&Sample::smtp_auth());
        assert!(list("warning.csv").contains(",2026-12-31,"));
        assert!(list("no_impact.csv").contains(",2026-12-31,"));
    }

    #[test]
    fn text_that_would_run_as_a_formula_or_break_the_row_does_neither() {
        let mut sample = Sample::all_protocols();
        sample.assessment.tenants.truncate(1);
        sample.assessment.tenants[0].display_name = Some("=HYPERLINK(\"http://x\",\"y\")\r\n,x".to_owned());
        let id = sample.assessment.tenants[0].tenant_id.clone();
        let roster = sample.roster.tenants.get_mut(&id).expect("in the roster");
        roster.contacts = vec!["+45 123".to_owned(), "a\u{202e};=b".to_owned()];
        let (_, list) = lists_of(&sample);
        let text = list("no_impact.csv");
        assert_eq!(text.lines().count(), 2);
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let row = rows.records().next().expect("a row").expect("valid CSV");
        assert_eq!(&row[1], "'=HYPERLINK(\"http://x\",\"y\")  ,x");
        assert_eq!(&row[3], "'+45 123;a,=b");
    }
}

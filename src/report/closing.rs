//! What a person reads when an assessment is done: verdicts, why some could not be reached and what would
//! cure it, the protocols in use, and apart from them those that were only tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

use crate::wrapped::wrapped;
use lightsout_model::campaign::Campaign;
use lightsout_model::verdict::{Assessment, ProtocolVerdict, Reason, TenantAssessment, TenantVerdict};
use lightsout_notify::limits_of_all;
use lightsout_output::text::{count, plain_short};

/// A log that lags more is not one that is collected every week: no other day is proposed for it.
const LAG_DAYS_MAX: u64 = 7;

/// Lines, the last one too with its end. On a terminal of so many columns no table is wider.
#[must_use]
pub fn text(campaign: &Campaign, assessment: &Assessment, width: Option<u16>) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut text, campaign, assessment, width);
    text
}

fn write_text(
    out: &mut String,
    campaign: &Campaign,
    assessment: &Assessment,
    width: Option<u16>,
) -> std::fmt::Result {
    let window = assessment.window;
    writeln!(
        out,
        "window {} to {} (before as_of {}), campaign {}",
        window.first,
        window.end.pred_opt().unwrap_or_default(),
        window.end,
        assessment.campaign,
    )?;
    let mut verdicts = table(&["verdict", "tenants"]);
    for verdict in TenantVerdict::ALL {
        let count = assessment.tenants.iter().filter(|tenant| tenant.verdict == verdict).count();
        verdicts.add_row([verdict.to_string(), count.to_string()]);
    }
    writeln!(out, "{verdicts}")?;
    write_names(out, assessment);
    write_doubts(out, assessment, width)?;
    write_dismissed(out, assessment)?;
    write_usage(out, assessment)?;
    write_attempts(out, assessment)?;
    write_limits(out, &limits_of_all(campaign, &assessment.tenants, assessment.window))
}

const LINE_CHARACTERS_MAX: usize = 80;

/// Tenants of a verdict that are named.
const NAMED_MAX: usize = 5;

/// Who it is that needs a look: by the names of the roster, where it has them.
fn write_names(out: &mut String, assessment: &Assessment) {
    for verdict in [TenantVerdict::Warning, TenantVerdict::InsufficientEvidence] {
        let of_verdict = || assessment.tenants.iter().filter(|tenant| tenant.verdict == verdict);
        if of_verdict().all(|tenant| tenant.display_name.is_none()) {
            continue;
        }
        let name = |tenant: &TenantAssessment| match &tenant.display_name {
            Some(name) => plain_short(name, LINE_CHARACTERS_MAX),
            None => tenant.tenant_id.clone(),
        };
        let mut names: Vec<String> = of_verdict().take(NAMED_MAX).map(name).collect();
        let more = of_verdict().count() - names.len();
        if more > 0 {
            names.push(format!("and {more} more (assessment.csv)"));
        }
        out.push_str(&wrapped(
            &format!("{verdict}: "),
            &names.join(", ").replace(", and ", " and "),
            LINE_CHARACTERS_MAX,
        ));
    }
}

fn write_limits(out: &mut String, limits: &[&str]) -> std::fmt::Result {
    if limits.is_empty() {
        return Ok(());
    }
    writeln!(out, "what sign-in logs can't show:")?;
    for sentence in limits {
        out.push_str(&wrapped("  - ", sentence, LINE_CHARACTERS_MAX));
    }
    Ok(())
}

/// The doubts that verdicts rest on because somebody has dismissed them.
fn write_dismissed(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    let mut tenants: BTreeMap<&str, usize> = BTreeMap::new();
    for tenant in &assessment.tenants {
        let doubts: BTreeSet<&str> =
            tenant.dismissals_in_force().map(|dismissal| dismissal.doubt.as_str()).collect();
        for doubt in doubts {
            *tenants.entry(doubt).or_default() += 1;
        }
    }
    for (doubt, tenants) in tenants {
        let tenants = count(tenants as u64, "tenant", "tenants");
        writeln!(
            out,
            "dismissed: {doubt} of {tenants}; who and why: lightsout lake dismiss, or explain TENANT"
        )?;
    }
    Ok(())
}

/// The reasons of the tenants without a verdict.
fn write_doubts(out: &mut String, assessment: &Assessment, width: Option<u16>) -> std::fmt::Result {
    let undecided: Vec<&TenantAssessment> = assessment
        .tenants
        .iter()
        .filter(|tenant| tenant.verdict == TenantVerdict::InsufficientEvidence)
        .collect();
    if undecided.is_empty() {
        return Ok(());
    }
    let mut tenants: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for tenant in &undecided {
        let found: BTreeMap<&str, &str> =
            tenant.reasons.iter().map(|reason| (reason.code(), cure(reason))).collect();
        for (code, cure) in found {
            tenants.entry(code).or_insert((0, cure)).0 += 1;
        }
    }
    let mut doubts = table(&["insufficient evidence", "tenants", "what to do"]);
    for (code, (count, cure)) in tenants {
        doubts.add_row([code, &count.to_string(), cure]);
    }
    if let Some(width) = width {
        doubts.set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_width(width);
    }
    writeln!(out, "{doubts}")?;
    if let Some((as_of, settled)) = earlier_as_of(&undecided, assessment.window.end) {
        let tenants = if settled == 1 { "tenant" } else { "tenants" };
        writeln!(out, "--as-of {as_of} would give {settled} {tenants} a verdict")?;
    }
    if let Some((begins, possible_from)) = too_young(&undecided) {
        writeln!(
            out,
            "the logs begin on {begins}; a verdict is possible for --as-of {possible_from} and later"
        )?;
    }
    writeln!(
        out,
        "coverage_gaps.csv lists every gap and its cure; lightsout explain TENANT shows one tenant in full"
    )
}

/// The first day of the logs that begin too late for the window, and the first `as_of` for which all of them reach
/// back far enough.
fn too_young(undecided: &[&TenantAssessment]) -> Option<(NaiveDate, NaiveDate)> {
    let of_reason = |reason: &Reason| match reason {
        Reason::WindowLongerThanHistory { first_covered_day, possible_from, .. } => {
            Some((*first_covered_day, *possible_from))
        }
        _ => None,
    };
    let found: Vec<_> =
        undecided.iter().flat_map(|tenant| tenant.reasons.iter().filter_map(of_reason)).collect();
    let begins = found.iter().map(|(begins, _)| *begins).min()?;
    Some((begins, found.iter().map(|(_, possible_from)| *possible_from).max()?))
}

/// Of all tenants, not of one: its own days are told by `explain`.
pub(super) const fn cure(reason: &Reason) -> &'static str {
    match reason {
        Reason::NoRecords => "export both sign-in logs and ingest them",
        Reason::CategoryMissing { .. } => {
            "export the other log too; if files do not name their log: --category; if it was empty: --covers"
        }
        Reason::Gap { .. } | Reason::DaysMissing { .. } | Reason::NearIdle { .. } => {
            "export the missing days; only if the log is complete, state that: --covers, or logs_from and logs_to"
        }
        Reason::NotSettled { .. } => "collect again, or decide for an earlier day: --as-of",
        Reason::WindowLongerThanHistory { .. } => "keep collecting, or use a shorter window: --window-days",
        Reason::ColumnMissing { .. } => "export again with all columns",
        Reason::UnknownOutcome { .. } => "export again with the status of each sign-in",
        Reason::UsedBeforeWindow { .. } => "see who it was: report who; move it to modern authentication",
        Reason::UsedAfterWindow { .. } => {
            "see who it is: report who, with a later --as-of; move it to modern authentication"
        }
        Reason::UnrecognisedClient { .. } | Reason::ClientNotStated { .. } => {
            "see what they are: report unclear_clients"
        }
        Reason::LegacyAgentElsewhere { .. } => "see which application that is: report unclear_clients",
        Reason::TenantMismatch { .. } => "ingest them again with the right --tenant",
        Reason::RejectedRecords { .. } => {
            "lake replay, or ingest complete copies of the files, or review and lake dismiss"
        }
        Reason::RefusedFiles { .. } => "ingest them in a readable form, or review and lake dismiss",
        Reason::FilteredExport { .. } => "export without a filter, or state the log complete: --covers",
        Reason::SmtpReport { .. } => {
            "download the report again, for the window and with the authentication protocol"
        }
        Reason::Excluded { .. }
        | Reason::InUse { .. }
        | Reason::InUseByReport { .. }
        | Reason::UnattributedLegacyUse { .. }
        | Reason::Attempted { .. }
        | Reason::AlreadyOff { .. }
        | Reason::Unused => "",
    }
}

/// The `as_of` that the logs of every tenant reach whose log lags by a week at most, and how many such
/// tenants are not settled now.
pub(super) fn earlier_as_of(undecided: &[&TenantAssessment], as_of: NaiveDate) -> Option<(NaiveDate, usize)> {
    let reach = |reason: &Reason| match reason {
        Reason::NotSettled { last_provable_day, .. } => last_provable_day.and_then(|day| day.succ_opt()),
        _ => None,
    };
    // What else a tenant lacks, an earlier day does not cure.
    let of_tenant = |tenant: &&TenantAssessment| tenant.reasons.iter().map(reach).min().flatten();
    let oldest = as_of.checked_sub_days(Days::new(LAG_DAYS_MAX))?;
    let reached: Vec<NaiveDate> =
        undecided.iter().filter_map(of_tenant).filter(|reached| *reached >= oldest).collect();
    Some((*reached.iter().min()?, reached.len()))
}

fn write_usage(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    let mut usage: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
    for protocol in assessment.tenants.iter().flat_map(|tenant| &tenant.protocols) {
        if protocol.sign_ins > 0 {
            let row = usage.entry(protocol.protocol).or_default();
            *row = (row.0 + 1, row.1 + protocol.users, row.2 + protocol.sign_ins);
        }
    }
    let mut rows = table(&["protocol in use", "tenants", "users", "sign-ins"]);
    for (protocol, (tenants, users, sign_ins)) in usage {
        rows.add_row([protocol.to_string(), tenants.to_string(), users.to_string(), sign_ins.to_string()]);
    }
    writeln!(out, "{rows}")
}

/// Protocols that nobody got in by: sprays and blocked clients.
fn write_attempts(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    let mut attempts: BTreeMap<_, (u64, u64, u64, u64)> = BTreeMap::new();
    for protocol in assessment.tenants.iter().flat_map(|tenant| &tenant.protocols) {
        if protocol.verdict == ProtocolVerdict::Attempted {
            let row = attempts.entry(protocol.protocol).or_default();
            row.0 += 1;
            row.1 += protocol.failures;
            row.2 += protocol.blocked;
            row.3 += protocol.interrupted;
        }
    }
    if attempts.is_empty() {
        return Ok(());
    }
    let mut rows = table(&["protocol only attempted", "tenants", "failures", "blocked", "interrupted"]);
    for (protocol, (tenants, failures, blocked, interrupted)) in attempts {
        let counts = [tenants, failures, blocked, interrupted].map(|n| n.to_string());
        rows.add_row([&[protocol.to_string()], counts.as_slice()].concat());
    }
    writeln!(out, "{rows}")
}

fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_model::sign_in::Category;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 10, d).expect("a day of October")
    }

    fn reaching(last_provable_day: Option<NaiveDate>) -> TenantAssessment {
        serde_json::from_value(serde_json::json!({
            "tenant_id": "t", "display_name": null, "verdict": "insufficient_evidence",
            "reasons": [Reason::NotSettled { category: Category::NonInteractive, last_provable_day }], "evidence_reasons": [], "protocols": [],
            "protocols_in_use": [], "protocols_clear": [], "users": 0, "first_day": null, "last_day": null,
        }))
        .expect("a tenant")
    }

    #[test]
    fn tenants_that_need_a_look_are_named() {
        let tenants: Vec<TenantAssessment> = (0..7)
            .map(|n| {
                let mut tenant = reaching(None);
                tenant.display_name = (n != 1).then(|| format!("Tenant\u{1b} {n}"));
                tenant
            })
            .collect();
        let window = lightsout_model::evidence::Window::before(day(31), 30);
        let assessment = Assessment { decision_id: String::new(), campaign: "c".to_owned(), window, tenants };
        let mut text = String::new();
        write_names(&mut text, &assessment);
        let told = "insufficient_evidence: Tenant 0, t, Tenant 2, Tenant 3, Tenant 4 and 2 more\n                       \
                    (assessment.csv)\n";
        assert_eq!(text, told);
    }

    #[test]
    fn the_day_proposed_is_one_that_every_log_reaches_that_lags_by_a_week_at_most() {
        let tenants = [Some(day(19)), Some(day(22)), Some(day(2)), None].map(reaching);
        let tenants: Vec<&TenantAssessment> = tenants.iter().collect();
        assert_eq!(earlier_as_of(&tenants, day(27)), Some((day(20), 2)));
        assert_eq!(earlier_as_of(&tenants[2..], day(27)), None);
    }
}

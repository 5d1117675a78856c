//! What has changed between two moments of a campaign, tenant by tenant: verdicts, states, usage and dates. A change is
//! worse if more is known to be in use, less is proven, or something that was going its way no longer does: what an
//! operator wants to hear of in the morning.

use std::collections::{BTreeMap, BTreeSet};

use super::status::{StatusRow, TenantState};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolVerdict, TenantAssessment, TenantVerdict};

/// A campaign at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// By the latest decision of then; none if there was no decision.
    pub tenants: &'a [TenantAssessment],
    pub rows: &'a [StatusRow],
}

/// A tenant of which something has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow {
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub verdict_before: Option<TenantVerdict>,
    pub verdict_after: Option<TenantVerdict>,
    pub state_before: Option<TenantState>,
    pub state_after: Option<TenantState>,
    pub in_use_before: Vec<Protocol>,
    pub in_use_after: Vec<Protocol>,
    pub is_worse: bool,
    /// What differs, in words.
    pub why: Vec<String>,
}

/// One tenant at both moments.
#[derive(Default)]
struct Pair<'a> {
    assessed: [Option<&'a TenantAssessment>; 2],
    rows: [Option<&'a StatusRow>; 2],
}

/// The tenants that differ, sorted by tenant id. `why` says what differs in their verdicts, by tenant id; a tenant that
/// is not in it was decided alike.
#[must_use]
pub fn diff(before: Moment<'_>, after: Moment<'_>, why: &BTreeMap<String, Vec<String>>) -> Vec<DiffRow> {
    let mut pairs: BTreeMap<&str, Pair<'_>> = BTreeMap::new();
    for (at, moment) in [before, after].into_iter().enumerate() {
        for tenant in moment.tenants {
            pairs.entry(&tenant.tenant_id).or_default().assessed[at] = Some(tenant);
        }
        for row in moment.rows {
            pairs.entry(&row.tenant_id).or_default().rows[at] = Some(row);
        }
    }
    let row = |(id, pair): (&str, Pair<'_>)| {
        let told = why.get(id);
        let states = state_changes(pair.rows);
        if told.is_none() && states.told.is_empty() {
            return None;
        }
        let [assessed_before, assessed_after] = pair.assessed;
        let [row_before, row_after] = pair.rows;
        // Where there is no decision of before, a verdict is new and not worse.
        let is_worse = told.is_some() && !before.tenants.is_empty() && is_judged_worse(pair.assessed);
        let in_use = |tenant: Option<&TenantAssessment>| {
            tenant.map(|tenant| tenant.protocols_in_use.clone()).unwrap_or_default()
        };
        Some(DiffRow {
            tenant_id: id.to_owned(),
            display_name: row_after.or(row_before).and_then(|row| row.display_name.clone()),
            verdict_before: assessed_before.map(|tenant| tenant.verdict),
            verdict_after: assessed_after.map(|tenant| tenant.verdict),
            state_before: row_before.map(|row| row.state),
            state_after: row_after.map(|row| row.state),
            in_use_before: in_use(assessed_before),
            in_use_after: in_use(assessed_after),
            is_worse: is_worse || states.is_worse,
            why: told.cloned().unwrap_or_default().into_iter().chain(states.told).collect(),
        })
    };
    pairs.into_iter().filter_map(row).collect()
}

/// More in use, less proven, or no longer known.
fn is_judged_worse([before, after]: [Option<&TenantAssessment>; 2]) -> bool {
    let Some(after) = after else { return before.is_some() };
    let was = |protocol: Protocol| {
        before
            .and_then(|before| before.protocols.iter().find(|of| of.protocol == protocol))
            .map(|of| of.verdict)
    };
    let protocol_is_worse = after.protocols.iter().filter(|of| of.in_scope).any(|now| match now.verdict {
        ProtocolVerdict::InUse => was(now.protocol) != Some(ProtocolVerdict::InUse),
        ProtocolVerdict::Unproven => {
            !matches!(was(now.protocol), Some(ProtocolVerdict::InUse | ProtocolVerdict::Unproven))
        }
        ProtocolVerdict::AlreadyOff | ProtocolVerdict::Attempted | ProtocolVerdict::Unused => false,
    });
    let was_cleared = before.is_some_and(|before| before.verdict == TenantVerdict::NoImpact);
    let is_doubted = match after.verdict {
        TenantVerdict::Warning | TenantVerdict::InsufficientEvidence => true,
        TenantVerdict::NoImpact | TenantVerdict::Excluded => false,
    };
    // A tenant that is excluded needs no verdict.
    after.verdict != TenantVerdict::Excluded && (protocol_is_worse || (was_cleared && is_doubted))
}

type ProtocolsOf = fn(&StatusRow) -> &Vec<Protocol>;

struct StateChanges {
    told: Vec<String>,
    is_worse: bool,
}

fn state_changes([before, after]: [Option<&StatusRow>; 2]) -> StateChanges {
    let mut changes = StateChanges { told: Vec::new(), is_worse: false };
    let Some(after) = after else {
        changes.told.extend(before.map(|row| format!("state: {} -> no longer listed", row.state)));
        return changes;
    };
    match before {
        Some(before) if before.state != after.state => {
            changes.told.push(format!("state: {} -> {}", before.state, after.state));
        }
        None if after.announced_on.is_some() => changes.told.push(format!("state: {}", after.state)),
        Some(_) | None => {}
    }
    let nothing = StatusRow::of_nothing(&after.tenant_id);
    let before = before.unwrap_or(&nothing);
    let lists: [(&str, ProtocolsOf, bool); 5] = [
        ("announced", |row| &row.protocols_announced, false),
        ("on hold", |row| &row.protocols_on_hold, true),
        ("opted out", |row| &row.protocols_opted_out, false),
        ("turned off", |row| &row.protocols_off, false),
        ("used after it was turned off", |row| &row.protocols_used_after_change, true),
    ];
    for (what, of, is_worse) in lists {
        let (was, is): (BTreeSet<_>, BTreeSet<_>) = (of(before).iter().collect(), of(after).iter().collect());
        let names = |protocols: Vec<&&Protocol>| {
            protocols.into_iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (new, gone): (Vec<_>, Vec<_>) = (is.difference(&was).collect(), was.difference(&is).collect());
        if !new.is_empty() {
            changes.is_worse |= is_worse;
            changes.told.push(format!("{what}: {}", names(new)));
        }
        if !gone.is_empty() {
            changes.told.push(format!("no longer {what}: {}", names(gone)));
        }
    }
    if let (Some(was), Some(is)) = (before.effective_date, after.effective_date)
        && was != is
    {
        changes.told.push(format!("effective_date: {was} -> {is}"));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_model::verdict::ProtocolAssessment;

    fn assessed(id: &str, verdict: TenantVerdict, imap: ProtocolVerdict) -> TenantAssessment {
        let protocol = ProtocolAssessment {
            protocol: Protocol::Imap4,
            in_scope: true,
            verdict: imap,
            users: 0,
            sign_ins: 0,
            interrupted: 0,
            blocked: 0,
            failures: 0,
            unknown: 0,
            last_seen: None,
        };
        let in_use = imap == ProtocolVerdict::InUse;
        TenantAssessment {
            tenant_id: id.to_owned(),
            display_name: None,
            verdict,
            reasons: Vec::new(),
            evidence_reasons: Vec::new(),
            objections: Vec::new(),
            dismissals: Vec::new(),
            protocols: vec![protocol],
            protocols_in_use: if in_use { vec![Protocol::Imap4] } else { Vec::new() },
            protocols_clear: Vec::new(),
            users: 0,
            first_day: None,
            last_day: None,
            days_seen: BTreeMap::new(),
            lookback_days_seen: BTreeMap::new(),
            gaps: Vec::new(),
        }
    }

    fn verdicts(before: Option<TenantAssessment>, after: Option<TenantAssessment>) -> DiffRow {
        // Another tenant, so that there is a decision of before.
        let other = assessed("z", TenantVerdict::NoImpact, ProtocolVerdict::Unused);
        let before: Vec<_> = before.into_iter().chain([other.clone()]).collect();
        let after: Vec<_> = after.into_iter().chain([other]).collect();
        let why = BTreeMap::from([("a".to_owned(), vec!["it differs".to_owned()])]);
        let [before, after] = [&before, &after].map(|tenants| Moment { tenants, rows: &[] });
        let mut rows = diff(before, after, &why);
        assert_eq!(rows.len(), 1, "the other tenant is as it was");
        rows.remove(0)
    }

    #[test]
    fn new_usage_and_lost_evidence_are_worse_and_the_opposite_is_not() {
        use ProtocolVerdict::{InUse, Unproven, Unused};
        use TenantVerdict::{Excluded, InsufficientEvidence, NoImpact, Warning};
        let cases = [
            ((NoImpact, Unused), (Warning, InUse), true),
            ((NoImpact, Unused), (InsufficientEvidence, Unproven), true),
            ((InsufficientEvidence, Unproven), (Warning, InUse), true),
            ((Warning, InUse), (InsufficientEvidence, Unproven), false),
            ((Warning, InUse), (NoImpact, Unused), false),
            ((InsufficientEvidence, Unproven), (NoImpact, Unused), false),
            ((NoImpact, Unused), (Excluded, InUse), false),
            ((Warning, InUse), (Warning, InUse), false),
        ];
        for ((verdict_before, before), (verdict_after, after), is_worse) in cases {
            let row = verdicts(
                Some(assessed("a", verdict_before, before)),
                Some(assessed("a", verdict_after, after)),
            );
            assert_eq!(row.is_worse, is_worse, "{verdict_before} {before:?} -> {verdict_after} {after:?}");
            assert_eq!((row.verdict_before, row.verdict_after), (Some(verdict_before), Some(verdict_after)));
        }
        let cleared = || Some(assessed("a", NoImpact, Unused));
        assert!(verdicts(cleared(), None).is_worse, "nobody knows of it any more");
        assert!(!verdicts(None, cleared()).is_worse);
        assert!(verdicts(None, Some(assessed("a", Warning, InUse))).is_worse);
    }

    #[test]
    fn a_hold_and_usage_after_the_change_are_worse_and_an_opt_out_is_told() {
        let announced = StatusRow {
            state: TenantState::Announced,
            announced_on: "2026-11-01".parse().ok(),
            effective_date: "2026-12-01".parse().ok(),
            protocols_announced: vec![Protocol::Imap4, Protocol::Pop3],
            protocols_pending: vec![Protocol::Imap4, Protocol::Pop3],
            ..StatusRow::of_nothing("a")
        };
        let compared = |before: &StatusRow, after: &StatusRow| -> Option<(bool, String)> {
            let [before, after] = [before, after].map(std::slice::from_ref);
            let moments = [before, after].map(|rows| Moment { tenants: &[], rows });
            let rows = diff(moments[0], moments[1], &BTreeMap::new());
            rows.into_iter().next().map(|row| (row.is_worse, row.why.join("; ")))
        };
        assert_eq!(compared(&announced, &announced), None);
        let held = StatusRow {
            state: TenantState::OnHold,
            protocols_on_hold: vec![Protocol::Imap4],
            ..announced.clone()
        };
        assert_eq!(
            compared(&announced, &held),
            Some((true, "state: announced -> on_hold; on hold: imap4".to_owned()))
        );
        assert_eq!(
            compared(&held, &announced),
            Some((false, "state: on_hold -> announced; no longer on hold: imap4".to_owned()))
        );
        let kept = StatusRow { protocols_opted_out: vec![Protocol::Pop3], ..announced.clone() };
        assert_eq!(compared(&announced, &kept), Some((false, "opted out: pop3".to_owned())));
        let used = StatusRow {
            state: TenantState::UsedAfterChange,
            protocols_used_after_change: vec![Protocol::Imap4],
            ..announced.clone()
        };
        assert!(compared(&announced, &used).is_some_and(|(is_worse, _)| is_worse));
        let later = StatusRow { effective_date: "2026-12-08".parse().ok(), ..announced.clone() };
        assert_eq!(
            compared(&announced, &later),
            Some((false, "effective_date: 2026-12-01 -> 2026-12-08".to_owned()))
        );
    }
}

//! What changed between two decisions, tenant by tenant, and why.

use std::collections::BTreeMap;

use lightsout_model::verdict::{ProtocolAssessment, Reason, TenantAssessment};

/// A tenant that the second decision tells something else of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub tenant_id: String,
    pub display_name: Option<String>,
    /// Verdict, `None` where the decision does not have the tenant.
    pub before: Option<String>,
    pub after: Option<String>,
    /// What differs, in words with numbers.
    pub why: Vec<String>,
}

/// The tenants whose verdict, reasons or protocol verdicts differ, sorted by tenant id.
#[must_use]
pub fn compare(before: &[TenantAssessment], after: &[TenantAssessment]) -> Vec<Change> {
    let mut pairs: BTreeMap<&str, [Option<&TenantAssessment>; 2]> = BTreeMap::new();
    for (at, tenants) in [before, after].into_iter().enumerate() {
        for tenant in tenants {
            pairs.entry(&tenant.tenant_id).or_default()[at] = Some(tenant);
        }
    }
    pairs.into_iter().filter_map(|(tenant_id, [before, after])| change(tenant_id, before, after)).collect()
}

fn change(
    tenant_id: &str,
    before: Option<&TenantAssessment>,
    after: Option<&TenantAssessment>,
) -> Option<Change> {
    let mut why = Vec::new();
    match (before, after) {
        (Some(before), Some(after)) => {
            why.extend(protocols(before, after));
            let reasons = |tenant: &TenantAssessment| -> Vec<Reason> {
                tenant.reasons.iter().chain(&tenant.evidence_reasons).cloned().collect()
            };
            let (was, is) = (reasons(before), reasons(after));
            let told = |reason: &Reason| {
                // The rule's own protocols are told above, with their numbers.
                !matches!(reason, Reason::InUse { .. } | Reason::Attempted { .. } | Reason::Unused)
            };
            let codes = |reasons: &[Reason], others: &[Reason]| {
                let mut codes: Vec<&str> = reasons
                    .iter()
                    .filter(|reason| told(reason))
                    .map(Reason::code)
                    .filter(|code| others.iter().all(|other| other.code() != *code))
                    .collect();
                codes.dedup();
                codes.into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            why.extend(codes(&was, &is).into_iter().map(|code| format!("no longer {code}")));
            why.extend(codes(&is, &was).into_iter().map(|code| format!("now {code}")));
            if why.is_empty() && before.verdict == after.verdict {
                return None;
            }
        }
        (None, Some(_)) => why.push("was in neither lake nor roster".to_owned()),
        (Some(_), None) => why.push("is in neither lake nor roster any more".to_owned()),
        (None, None) => return None,
    }
    Some(Change {
        tenant_id: tenant_id.to_owned(),
        display_name: after.or(before).and_then(|tenant| tenant.display_name.clone()),
        before: before.map(|tenant| tenant.verdict.to_string()),
        after: after.map(|tenant| tenant.verdict.to_string()),
        why,
    })
}

fn protocols(before: &TenantAssessment, after: &TenantAssessment) -> Vec<String> {
    let mut pairs: BTreeMap<_, [Option<&ProtocolAssessment>; 2]> = BTreeMap::new();
    for (at, tenant) in [before, after].into_iter().enumerate() {
        for protocol in &tenant.protocols {
            pairs.entry(protocol.protocol).or_default()[at] = Some(protocol);
        }
    }
    let told = |protocol: Option<&ProtocolAssessment>| {
        protocol.map_or_else(
            || "not seen".to_owned(),
            |p| format!("{} ({} users, {} sign-ins)", p.verdict.as_str(), p.users, p.sign_ins),
        )
    };
    let differs = |[before, after]: &[Option<&ProtocolAssessment>; 2]| {
        before.map(|protocol| protocol.verdict) != after.map(|protocol| protocol.verdict)
    };
    pairs
        .into_iter()
        .filter(|(_, pair)| differs(pair))
        .map(|(protocol, [before, after])| format!("{protocol}: {} -> {}", told(before), told(after)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_model::protocol::Protocol;
    use lightsout_model::verdict::{ProtocolVerdict, TenantVerdict};

    fn tenant(id: &str, verdict: TenantVerdict, imap: ProtocolVerdict, users: u64) -> TenantAssessment {
        TenantAssessment {
            tenant_id: id.to_owned(),
            display_name: None,
            verdict,
            reasons: vec![Reason::Unused],
            evidence_reasons: Vec::new(),
            objections: Vec::new(),
            dismissals: Vec::new(),
            protocols: vec![ProtocolAssessment {
                protocol: Protocol::Imap4,
                in_scope: true,
                verdict: imap,
                users,
                sign_ins: users * 2,
                interrupted: 0,
                blocked: 0,
                failures: 0,
                unknown: 0,
                last_seen: None,
            }],
            protocols_in_use: Vec::new(),
            protocols_clear: Vec::new(),
            users,
            first_day: None,
            last_day: None,
            days_seen: BTreeMap::new(),
            lookback_days_seen: BTreeMap::new(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn only_tenants_that_changed_are_told_and_why() {
        let same = tenant("a", TenantVerdict::NoImpact, ProtocolVerdict::Unused, 0);
        let before = vec![
            same.clone(),
            tenant("b", TenantVerdict::NoImpact, ProtocolVerdict::Unused, 0),
            tenant("c", TenantVerdict::NoImpact, ProtocolVerdict::Unused, 0),
        ];
        let mut gap = tenant("c", TenantVerdict::InsufficientEvidence, ProtocolVerdict::Unproven, 0);
        gap.evidence_reasons = vec![Reason::NoRecords];
        let after = vec![
            same,
            tenant("b", TenantVerdict::Warning, ProtocolVerdict::InUse, 2),
            gap,
            tenant("d", TenantVerdict::NoImpact, ProtocolVerdict::Unused, 0),
        ];
        let changes = compare(&before, &after);
        let told: Vec<(&str, String)> =
            changes.iter().map(|change| (change.tenant_id.as_str(), change.why.join("; "))).collect();
        assert_eq!(
            told,
            [
                ("b", "imap4: unused (0 users, 0 sign-ins) -> in_use (2 users, 4 sign-ins)".to_owned()),
                (
                    "c",
                    "imap4: unused (0 users, 0 sign-ins) -> unproven (0 users, 0 sign-ins); now no_records"
                        .to_owned()
                ),
                ("d", "was in neither lake nor roster".to_owned()),
            ]
        );
        assert!(compare(&before, &before).is_empty());
    }
}

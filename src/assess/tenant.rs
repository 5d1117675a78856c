//! The verdict of one tenant, from its coverage and its protocols. The rules are tried in order and
//! the first that applies decides, so the reasons are those of that rule alone.

use std::collections::BTreeSet;

use super::Proof;
use super::coverage;
use super::protocols::{self, Finding};
use crate::campaign::Campaign;
use crate::evidence::{ProtocolEvidence, TenantEvidence, Window};
use crate::protocol::Protocol;
use crate::tenant::RosterTenant;
use crate::verdict::{ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment, TenantVerdict};

/// `scope` is the campaign's, whole groups, in report order.
pub(super) fn assess(
    campaign: &Campaign,
    scope: &[Protocol],
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    window: Window,
    proof: Proof,
) -> TenantAssessment {
    let mut coverage = coverage::judge(campaign, settings, evidence, window);
    coverage.reasons.retain(|reason| match proof {
        Proof::Settled => true,
        Proof::Covered => !matches!(reason, Reason::NotSettled { .. }),
        Proof::NotAsked => false,
    });
    let found = Found::new(campaign, scope, evidence, coverage.reasons);
    let (verdict, reasons) = found.decide(settings);
    TenantAssessment {
        tenant_id: evidence.tenant_id.clone(),
        display_name: settings.and_then(|settings| settings.display_name.clone()),
        verdict,
        reasons,
        protocols: found.rows(),
        protocols_in_use: found.in_use().map(|finding| finding.protocol).collect(),
        protocols_clear: found.clear(),
        users: evidence.users_in_scope,
        first_day: coverage.first_day,
        last_day: coverage.last_day,
        days_seen: coverage.days_seen,
        gaps: coverage.gaps,
        evidence_reasons: found.evidence_reasons,
    }
}

/// Everything the rules look at.
struct Found<'a> {
    campaign: &'a Campaign,
    evidence: &'a TenantEvidence,
    evidence_reasons: Vec<Reason>,
    scope: &'a [Protocol],
    /// One for each protocol in scope, in report order.
    in_scope: Vec<Finding>,
    /// `other_legacy`, as far as it counts for the tenant.
    unattributed: Finding,
}

impl<'a> Found<'a> {
    fn new(
        campaign: &'a Campaign,
        scope: &'a [Protocol],
        evidence: &'a TenantEvidence,
        evidence_reasons: Vec<Reason>,
    ) -> Self {
        let sufficient = evidence_reasons.is_empty();
        let of = |protocol| evidence.protocols.get(&protocol).cloned().unwrap_or_default();
        let in_scope =
            scope.iter().map(|&protocol| Finding::new(protocol, &of(protocol), sufficient)).collect();
        let other_legacy = of(Protocol::OtherLegacy).exchange_or_unnamed;
        let unattributed = Finding::unattributed(&other_legacy, sufficient);
        Self { campaign, evidence, evidence_reasons, scope, in_scope, unattributed }
    }

    /// The first that applies.
    fn decide(&self, settings: Option<&RosterTenant>) -> (TenantVerdict, Vec<Reason>) {
        if let Some(note) = settings.and_then(|settings| settings.exclude.clone()) {
            return (TenantVerdict::Excluded, vec![Reason::Excluded { note }]);
        }
        let in_use: Vec<Reason> = self.in_use().map(in_use_reason).collect();
        if !in_use.is_empty() {
            return (TenantVerdict::Warning, in_use);
        }
        let unproven = self.unproven_reasons();
        if !unproven.is_empty() {
            return (TenantVerdict::InsufficientEvidence, unproven);
        }
        (TenantVerdict::NoImpact, self.no_impact_reasons())
    }

    /// In scope or unattributed, and in use.
    fn in_use(&self) -> impl Iterator<Item = &Finding> {
        let judged = self.in_scope.iter().chain([&self.unattributed]);
        judged.filter(|finding| finding.verdict == ProtocolVerdict::InUse)
    }

    /// Asked only where nothing is in use, so that every doubt of a protocol counts.
    fn unproven_reasons(&self) -> Vec<Reason> {
        let mut reasons = self.evidence_reasons.clone();
        let judged = self.in_scope.iter().chain([&self.unattributed]);
        reasons.extend(judged.flat_map(Finding::doubts));
        reasons.extend(self.client_doubts());
        reasons
    }

    /// Client apps that may be any protocol.
    fn client_doubts(&self) -> impl Iterator<Item = Reason> {
        let (unrecognised, not_stated) = (self.evidence.unrecognised_doubts, self.evidence.not_stated_doubts);
        let unrecognised =
            (unrecognised > 0).then_some(Reason::UnrecognisedClient { sign_ins: unrecognised });
        let not_stated = (not_stated > 0).then_some(Reason::ClientNotStated { sign_ins: not_stated });
        unrecognised.into_iter().chain(not_stated)
    }

    fn no_impact_reasons(&self) -> Vec<Reason> {
        let attempted: Vec<Reason> = self
            .in_scope
            .iter()
            .filter(|finding| finding.verdict == ProtocolVerdict::Attempted)
            .map(|finding| Reason::Attempted { protocol: finding.protocol, sign_ins: finding.attempts })
            .collect();
        if attempted.is_empty() { vec![Reason::Unused] } else { attempted }
    }

    /// The protocols in scope whose whole group can be switched off unnoticed, also in a tenant
    /// where another can't.
    fn clear(&self) -> Vec<Protocol> {
        // An unattributed or unknown client may be any protocol: such a doubt keeps all of them.
        let doubt_of_all = !self.evidence_reasons.is_empty()
            || !self.unattributed.is_clear()
            || self.client_doubts().next().is_some();
        if doubt_of_all {
            return Vec::new();
        }
        let kept: BTreeSet<Protocol> = self
            .in_scope
            .iter()
            .filter(|finding| !finding.is_clear())
            .flat_map(|finding| self.campaign.group_of(finding.protocol))
            .copied()
            .collect();
        self.scope.iter().filter(|protocol| !kept.contains(protocol)).copied().collect()
    }

    /// Rows of `protocol_usage`: every protocol in scope and every other seen.
    fn rows(&self) -> Vec<ProtocolAssessment> {
        let sufficient = self.evidence_reasons.is_empty();
        let nothing = ProtocolEvidence::default();
        let shown: BTreeSet<Protocol> =
            self.scope.iter().chain(self.evidence.protocols.keys()).copied().collect();
        shown
            .into_iter()
            .map(|protocol| {
                let evidence = self.evidence.protocols.get(&protocol).unwrap_or(&nothing);
                let finding = Finding::new(protocol, evidence, sufficient);
                protocols::row(&finding, evidence, self.scope.contains(&protocol))
            })
            .collect()
    }
}

fn in_use_reason(finding: &Finding) -> Reason {
    let (users, sign_ins) = (finding.usage.users, finding.usage.sign_ins);
    match finding.protocol {
        Protocol::OtherLegacy => Reason::UnattributedLegacyUse { users, sign_ins },
        protocol => Reason::InUse { protocol, users, sign_ins },
    }
}

//! The verdict of one tenant, from its coverage and its protocols. The rules are tried in order and
//! the first that applies decides, so the reasons are those of that rule alone.

use std::collections::BTreeSet;

use super::coverage::{self, Coverage};
use super::protocols::{self, Finding};
use super::settings::SettingsFinding;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{FilteredExport, PastUsage, ProtocolEvidence, TenantEvidence, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::{
    ProtocolAssessment, ProtocolVerdict, Reason, TenantAssessment, TenantVerdict,
};

/// `scope` is the campaign's, whole groups, in report order.
pub(super) fn assess(
    campaign: &Campaign,
    scope: &[Protocol],
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    window: Window,
) -> TenantAssessment {
    let coverage = coverage::judge(campaign, settings, evidence, window);
    let proved = SettingsFinding::new(campaign, scope, settings, evidence, window);
    let found = Found::new(campaign, scope, evidence, &coverage, proved, window);
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
        lookback_days_seen: coverage.lookback_days_seen,
        gaps: coverage.gaps,
        objections: found.objections(),
        dismissals: evidence.dismissals.clone(),
        evidence_reasons: found.evidence_reasons,
    }
}

/// Everything the rules look at.
struct Found<'a> {
    campaign: &'a Campaign,
    evidence: &'a TenantEvidence,
    evidence_reasons: Vec<Reason>,
    /// What keeps every protocol of the tenant from being cleared.
    doubts: Vec<Reason>,
    /// What settings, roster and reports say.
    proved: SettingsFinding,
    scope: &'a [Protocol],
    /// One for each protocol in scope or seen, in report order.
    findings: Vec<Finding>,
    /// `other_legacy`, as far as it counts for the tenant.
    unattributed: Finding,
}

impl<'a> Found<'a> {
    fn new(
        campaign: &'a Campaign,
        scope: &'a [Protocol],
        evidence: &'a TenantEvidence,
        coverage: &Coverage,
        proved: SettingsFinding,
        window: Window,
    ) -> Self {
        let evidence_reasons = coverage.reasons.clone();
        let doubts = client_doubts(evidence).chain(doubts(evidence, &evidence_reasons)).collect();
        let sufficient = evidence_reasons.is_empty();
        // What nobody sees can't have gone silent.
        let has_ended = |past: &PastUsage| {
            past.silence_needed_days
                .is_some_and(|needed| coverage.silent_days(past.last_day, window.end) >= needed)
        };
        let nothing = ProtocolEvidence::default();
        let of = |protocol| evidence.protocols.get(&protocol).unwrap_or(&nothing);
        let shown: BTreeSet<Protocol> = scope.iter().chain(evidence.protocols.keys()).copied().collect();
        let findings = shown
            .into_iter()
            .map(|protocol| {
                Finding::new(protocol, of(protocol), sufficient, has_ended, proved.beside(protocol))
            })
            .collect();
        let unattributed = Finding::unattributed(of(Protocol::OtherLegacy), sufficient, has_ended);
        Self { campaign, evidence, evidence_reasons, doubts, proved, scope, findings, unattributed }
    }

    fn in_scope(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| self.scope.contains(&finding.protocol))
    }

    /// The first that applies.
    fn decide(&self, settings: Option<&RosterTenant>) -> (TenantVerdict, Vec<Reason>) {
        if let Some(note) = settings.and_then(|settings| settings.exclude.clone()) {
            return (TenantVerdict::Excluded, vec![Reason::Excluded { note }]);
        }
        if self.in_scope().all(|finding| finding.verdict == ProtocolVerdict::AlreadyOff) {
            return (TenantVerdict::Excluded, vec![self.proved.excluded()]);
        }
        let in_use: Vec<Reason> = self.in_use().flat_map(Finding::in_use).collect();
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
        let judged = self.in_scope().chain([&self.unattributed]);
        judged.filter(|finding| finding.verdict == ProtocolVerdict::InUse)
    }

    /// Asked only where nothing is in use, so that every doubt of a protocol counts.
    fn unproven_reasons(&self) -> Vec<Reason> {
        self.evidence_reasons.iter().cloned().chain(self.all_doubts()).collect()
    }

    fn all_doubts(&self) -> impl Iterator<Item = Reason> {
        let judged = self.in_scope().chain([&self.unattributed]);
        judged.flat_map(Finding::doubts).chain(self.doubts.iter().cloned())
    }

    fn objections(&self) -> Vec<Reason> {
        self.in_use().flat_map(Finding::in_use).chain(self.all_doubts()).collect()
    }

    fn no_impact_reasons(&self) -> Vec<Reason> {
        let attempted: Vec<Reason> = self
            .in_scope()
            .filter(|finding| finding.verdict == ProtocolVerdict::Attempted)
            .map(|finding| Reason::Attempted { protocol: finding.protocol, sign_ins: finding.attempts })
            .collect();
        if attempted.is_empty() { vec![Reason::Unused] } else { attempted }
    }

    /// The protocols in scope that are still on and whose whole group can be switched off unnoticed, also in
    /// a tenant where another can't.
    fn clear(&self) -> Vec<Protocol> {
        // An unattributed or unknown client may be any protocol: such a doubt keeps all of them.
        let doubt_of_all =
            !self.evidence_reasons.is_empty() || !self.unattributed.is_clear() || !self.doubts.is_empty();
        if doubt_of_all {
            return Vec::new();
        }
        let kept: BTreeSet<Protocol> = self
            .in_scope()
            .filter(|finding| !finding.keeps_nothing())
            .flat_map(|finding| self.campaign.group_of(finding.protocol))
            .copied()
            .collect();
        let on = self.in_scope().filter(|finding| finding.verdict != ProtocolVerdict::AlreadyOff);
        on.map(|finding| finding.protocol).filter(|protocol| !kept.contains(protocol)).collect()
    }

    /// Rows of `protocol_usage`: every protocol in scope and every other seen. A doubt that may be any
    /// protocol leaves each of them unproven that is not in use.
    fn rows(&self) -> Vec<ProtocolAssessment> {
        let nothing = ProtocolEvidence::default();
        let row = |finding: &Finding| {
            let evidence = self.evidence.protocols.get(&finding.protocol).unwrap_or(&nothing);
            let mut row = protocols::row(finding, evidence, self.scope.contains(&finding.protocol));
            if finding.is_clear() && !self.doubts.is_empty() {
                row.verdict = ProtocolVerdict::Unproven;
            }
            row
        };
        self.findings.iter().map(row).collect()
    }
}

/// Client apps that may be any protocol.
fn client_doubts(evidence: &TenantEvidence) -> impl Iterator<Item = Reason> + use<> {
    let reason = |sign_ins: u64, reason: fn(u64) -> Reason| (sign_ins > 0).then(|| reason(sign_ins));
    [
        reason(evidence.unrecognised_doubts, |sign_ins| Reason::UnrecognisedClient { sign_ins }),
        reason(evidence.not_stated_doubts, |sign_ins| Reason::ClientNotStated { sign_ins }),
        reason(evidence.legacy_agent_doubts, |sign_ins| Reason::LegacyAgentElsewhere { sign_ins }),
    ]
    .into_iter()
    .flatten()
}

/// What may be usage and can't be ruled out, beside client apps.
fn doubts<'e>(
    evidence: &'e TenantEvidence,
    evidence_reasons: &'e [Reason],
) -> impl Iterator<Item = Reason> + use<'e> {
    let TenantEvidence { tenant_mismatches: sign_ins, rejected, refused, .. } = evidence;
    let mismatch = (*sign_ins > 0).then_some(Reason::TenantMismatch { sign_ins: *sign_ins });
    let rejected = (rejected.records > 0)
        .then(|| Reason::RejectedRecords { records: rejected.records, paths: rejected.paths.clone() });
    let refused = (refused.files > 0)
        .then(|| Reason::RefusedFiles { files: refused.files, paths: refused.paths.clone() });
    // Without them the other files may prove enough.
    let suffices =
        |category: &Category| !evidence_reasons.iter().any(|reason| reason.category() == Some(*category));
    let filtered = evidence.coverage.iter().filter(move |(category, _)| !suffices(category));
    let filtered = filtered.flat_map(|(category, coverage)| {
        let reason =
            |export: &FilteredExport| Reason::FilteredExport { category: *category, export: export.clone() };
        coverage.filtered.iter().map(reason)
    });
    mismatch.into_iter().chain(rejected).chain(refused).chain(filtered)
}

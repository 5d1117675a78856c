//! The content of one notice to one tenant before it is put into words: its dates, and which protocols it
//! is about. A change that was announced keeps the dates and protocols that it was announced with.

use chrono::NaiveDate;

use super::locale::Locale;
use super::notice::NoticeKind;
use super::{NoticeContext, NotifyError};
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::evidence::Month;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};

#[derive(Debug)]
pub(super) struct NoticeContent<'a> {
    pub(super) kind: NoticeKind,
    pub(super) locale: Locale,
    /// Turned off, on hold, or done, as the kind is; else the scope. In report order.
    pub(super) protocols: Vec<Protocol>,
    /// In scope and known to be off without this change.
    pub(super) already_off: Vec<Protocol>,
    /// In use, and a matter of this notice.
    pub(super) in_use: Vec<Protocol>,
    pub(super) change: Option<&'a Change>,
    pub(super) notice_date: NaiveDate,
    /// The day of the change; for kinds that announce none, the day that the campaign sets.
    pub(super) effective_date: NaiveDate,
    pub(super) month: Option<Month>,
}

impl<'a> NoticeContent<'a> {
    /// Fails if a message about a change has none to tell of, or a usage report no month.
    pub(super) fn of(
        kind: NoticeKind,
        context: &NoticeContext<'a>,
        tenant: &TenantAssessment,
    ) -> Result<Self, NotifyError> {
        let change = match kind {
            NoticeKind::NoImpact
            | NoticeKind::SelectedProtocols
            | NoticeKind::Hold
            | NoticeKind::FollowUp
            | NoticeKind::Released
            | NoticeKind::Withdrawn
            | NoticeKind::Rescheduled
            | NoticeKind::UsedAfterChange
            | NoticeKind::Corrected
            | NoticeKind::OptedIn => context.changes.get(&tenant.tenant_id),
            NoticeKind::Warning | NoticeKind::InsufficientEvidence | NoticeKind::UsageReport => None,
        };
        let nothing = |expected| {
            let tenant_id = tenant.tenant_id.clone();
            NotifyError::NothingToTell { kind: kind.as_str(), tenant_id, expected }
        };
        let scope = context.campaign.scope();
        let of_change = |all: fn(&Change) -> Vec<Protocol>| {
            let all = change.map(all).unwrap_or_default();
            context.protocols_told.filter(|_| !all.is_empty()).map_or(all, <[Protocol]>::to_vec)
        };
        let protocols = match (kind, change) {
            (NoticeKind::Hold, change) => change.map(Change::on_hold).unwrap_or_default(),
            (NoticeKind::FollowUp, change) => change.map(Change::off).unwrap_or_default(),
            (NoticeKind::UsedAfterChange, _) => of_change(Change::used_after_change),
            (NoticeKind::Withdrawn, _) => of_change(Change::announced),
            (
                NoticeKind::Released | NoticeKind::Rescheduled | NoticeKind::Corrected | NoticeKind::OptedIn,
                _,
            ) => of_change(Change::pending),
            (_, Some(change)) => change.announced(),
            (NoticeKind::NoImpact, None) => still_on(context, tenant, &scope),
            (NoticeKind::SelectedProtocols, None) => still_on(context, tenant, &tenant.protocols_clear),
            _ => scope.clone(),
        };
        if let Some(expected) = expected(kind)
            && protocols.is_empty()
        {
            return Err(nothing(expected));
        }
        let month = Month::of(context.assessment.window);
        if kind == NoticeKind::UsageReport && month.is_none() {
            return Err(nothing("a window that is one calendar month"));
        }
        let on = still_on(context, tenant, &scope);
        let announced = |protocol: &Protocol| change.is_some_and(|c| c.protocols.contains_key(protocol));
        let already_off =
            scope.iter().filter(|p| !on.contains(p) && !announced(p)).copied().collect::<Vec<_>>();
        // "Other clients" may be any protocol, so they are a matter of every hold.
        let concerns = |protocol: &&Protocol| {
            !matches!(kind, NoticeKind::Hold | NoticeKind::UsedAfterChange)
                || **protocol == Protocol::OtherLegacy
                || context.campaign.group_of(**protocol).iter().any(|other| protocols.contains(other))
        };
        let in_use = tenant.protocols_in_use.iter().filter(concerns).copied().collect();
        let announcing = matches!(kind, NoticeKind::NoImpact | NoticeKind::SelectedProtocols);
        Ok(Self {
            kind,
            locale: Locale(context.language(&tenant.tenant_id)),
            notice_date: change
                .filter(|_| announcing)
                .map_or(context.notice_date, |change| change.announced_on),
            effective_date: change.map_or_else(|| context.effective_date(), |change| change.effective_date),
            month: month.filter(|_| kind == NoticeKind::UsageReport),
            protocols,
            already_off,
            in_use,
            change,
        })
    }

    /// What keeps the notice's protocols from being cleared, other than usage.
    pub(super) fn doubts<'t>(&self, tenant: &'t TenantAssessment) -> Vec<&'t Reason> {
        let mut doubts: Vec<&Reason> = Vec::new();
        for reason in tenant.reasons.iter().chain(&tenant.evidence_reasons) {
            let of_protocol =
                |protocol: &Protocol| *protocol == Protocol::OtherLegacy || self.protocols.contains(protocol);
            let told = match reason {
                Reason::Excluded { .. }
                | Reason::InUse { .. }
                | Reason::InUseByReport { .. }
                | Reason::UnattributedLegacyUse { .. }
                | Reason::Attempted { .. }
                | Reason::AlreadyOff { .. }
                | Reason::Unused => false,
                Reason::SmtpReport { .. } => of_protocol(&Protocol::SmtpAuth),
                Reason::UnknownOutcome { protocol, .. }
                | Reason::UsedBeforeWindow { protocol, .. }
                | Reason::UsedAfterWindow { protocol, .. } => of_protocol(protocol),
                Reason::NoRecords
                | Reason::CategoryMissing { .. }
                | Reason::Gap { .. }
                | Reason::NotSettled { .. }
                | Reason::WindowLongerThanHistory { .. }
                | Reason::ColumnMissing { .. }
                | Reason::UnrecognisedClient { .. }
                | Reason::ClientNotStated { .. }
                | Reason::DaysMissing { .. }
                | Reason::NearIdle { .. }
                | Reason::LegacyAgentElsewhere { .. }
                | Reason::TenantMismatch { .. }
                | Reason::RejectedRecords { .. }
                | Reason::RefusedFiles { .. }
                | Reason::FilteredExport { .. } => true,
            };
            if told && !doubts.contains(&reason) {
                doubts.push(reason);
            }
        }
        doubts
    }

    /// What becomes of a protocol of the change.
    pub(super) fn state(&self, protocol: Protocol) -> Option<&'a ProtocolChange> {
        self.change?.protocols.get(&protocol)
    }
}

/// What a message about a change needs.
const fn expected(kind: NoticeKind) -> Option<&'static str> {
    match kind {
        NoticeKind::Hold => Some("a change with a protocol on hold"),
        NoticeKind::FollowUp => Some("a change with a protocol that was turned off"),
        NoticeKind::Released | NoticeKind::Rescheduled | NoticeKind::Corrected | NoticeKind::OptedIn => {
            Some("a change with a protocol that is still to be turned off")
        }
        NoticeKind::Withdrawn => Some("a change that was withdrawn"),
        NoticeKind::UsedAfterChange => Some("a change with a protocol that was used after it was turned off"),
        NoticeKind::NoImpact
        | NoticeKind::Warning
        | NoticeKind::SelectedProtocols
        | NoticeKind::InsufficientEvidence
        | NoticeKind::UsageReport => None,
    }
}

/// Those of the protocols that neither settings nor roster show to be off. Usage comes before both.
pub(super) fn still_on(
    context: &NoticeContext,
    tenant: &TenantAssessment,
    protocols: &[Protocol],
) -> Vec<Protocol> {
    let roster = context.roster_tenant(&tenant.tenant_id);
    let by_roster = roster.map_or_else(|| protocols.to_vec(), |roster| roster.still_on(protocols));
    let is_on = |protocol: &&Protocol| {
        tenant.protocols_in_use.contains(protocol)
            || by_roster.contains(protocol) && !tenant.is_already_off(**protocol)
    };
    protocols.iter().filter(is_on).copied().collect()
}

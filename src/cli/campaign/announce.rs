//! `lightsout campaign announce`: picks tenants, fixes their day, records it, writes their notices.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;

use super::super::deciding;
use super::super::shared::{Global, parse_day};
use super::desk::{Common, Decided, Desk, Files, tenant_of};
use super::notices::{Sending, Told, told_on_stderr};
use super::{passed_over, rows};
use crate::error::{Error, Result};
use lightsout_campaign::announce::{
    Selection, announceable, effective_date, pick, tell_otherwise, told_otherwise,
};
use lightsout_campaign::event::ChangeKind;
use lightsout_campaign::{AnnouncedTenant, Event};
use lightsout_decisions::decision::DecisionRow;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::evidence::WhoRow;
use lightsout_model::protocol::Protocol;
use lightsout_notify::lists::ListRow;
use lightsout_notify::notice::NoticeKind;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The decision to announce [default: the campaign's latest]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Announce to N tenants, drawn by the seed [default: the campaign's, else
    /// everybody eligible]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    wave: Option<u32>,
    /// What the draw begins with; another seed is another wave [default: follows
    /// from the decision]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The day that the notices are given, from which the days count [default: today]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    notice_date: Option<NaiveDate>,
    /// Who announces it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Also write, for sending, the warnings and the requests for evidence of all
    /// other tenants
    #[arg(long)]
    warnings: bool,
    #[command(flatten)]
    files: Files,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut desk = Desk::open(&arguments.common, global).await?;
    let row = desk.decision(arguments.decision.as_deref())?;
    let mut decided = desk.decided(&row)?;
    deciding::same_id(&row, &decided.assessment)?;
    same_rules(&desk.campaign, &mut decided.campaign, &row.decision_id)?;
    young_enough(&row, decided.campaign.max_decision_age_days, desk.now)?;
    let today = desk.now.date_naive();
    if today < row.window_end {
        return Err(Error::Announce(format!(
            "decision {} is of the days before {}, and it is {today}",
            row.decision_id, row.window_end
        )));
    }
    let notice_date = arguments.notice_date.unwrap_or(today);
    if notice_date < today {
        return Err(Error::Usage {
            flag: "--notice-date",
            expected: format!("a day that has not passed, {today} or later"),
            found: notice_date.to_string(),
        });
    }
    let effective = effective_date(&decided.campaign, notice_date);
    if effective <= notice_date && decided.campaign.effective_date.is_some() {
        return Err(Error::Announce(format!(
            "the campaign's effective_date {effective} has come; expected one after {notice_date}: set it in the \
             campaign file and assess again"
        )));
    }
    let queries = desk.queries().await?;
    let now_judged = desk.judge_now(&decided, &queries).await?;
    let who = queries.who(&decided.campaign, decided.window, "*").await?;

    let by_whom = arguments.by.as_deref();
    let lock = desk.turn().await?;
    let picked = pick(&Selection {
        campaign: &decided.campaign,
        assessment: &decided.assessment,
        roster: &decided.roster,
        now_judged: &now_judged,
        ledger: &desk.ledger,
        wave: arguments.wave,
        seed: arguments.seed,
        now: desk.now,
        notice_date: arguments.notice_date,
        by_whom,
    });
    let mut sending = Sending::begin(&arguments.files, "announced")?;
    let (told, changes) = about_to_be(&desk, &decided, &picked.events);
    sending.rehearse(&desk, &decided, told, &changes, &who)?;
    desk.record(&lock, &picked.events).await?;
    if arguments.warnings {
        let told = told_otherwise(&decided.assessment, &decided.roster, &desk.ledger);
        let history = desk.queries().await?.of_campaign("campaign_history", &desk.campaign.name).await?;
        let events = tell_otherwise(&decided.campaign, &row.decision_id, &told, &history, desk.now, by_whom);
        desk.record(&lock, &events).await?;
    }
    drop(lock);

    // Notices of the whole announcement, so that a run that was cut short is made whole.
    let of_this = |tenant: &&AnnouncedTenant| tenant.announcement.announcement_id == picked.announcement_id;
    let announced: Vec<&AnnouncedTenant> = desk.ledger.tenants.values().filter(of_this).collect();
    let tenants: Vec<String> = announced.iter().map(|tenant| tenant.change.tenant_id.clone()).collect();
    let told = announced.iter().filter_map(|tenant| {
        told_of(&decided, &tenant.change.tenant_id, tenant.announcement.kind, tenant.change.announced())
    });
    let of = |row: &ListRow| desk.ledger.tenants.get(&row.tenant_id);
    let written = || -> Result<_> {
        sending.tell(&desk, &decided, decided.window, told.collect(), &who)?;
        let notices = sending.finish(
            &desk,
            &[
                ("kind", &|row| of(row).map(|tenant| tenant.announcement.kind.as_str().to_owned())),
                ("announced_on", &|row| of(row).map(|tenant| tenant.change.announced_on.to_string())),
                ("announcement_id", &|row| of(row).map(|tenant| tenant.announcement.announcement_id.clone())),
            ],
        )?;
        let warnings =
            arguments.warnings.then(|| warn(&desk, &decided, &who, &arguments.files)).transpose()?;
        Ok((notices, warnings))
    };
    let (notices, warnings) = written().map_err(Error::recorded)?;
    let tenants = tenants.iter().map(String::as_str);
    arguments.common.output.write(&[rows::announced(&desk.ledger, &desk.names()?, tenants)?])?;
    if !global.quiet {
        passed_over::tell(&picked, effective);
        let days = (effective - notice_date).num_days();
        if !picked.events.is_empty() && days < i64::from(decided.campaign.notice_days) {
            eprintln!(
                "  that is {days} days after the notice, where notice_days says {}",
                decided.campaign.notice_days
            );
        }
        eprintln!("{}", told_on_stderr(notices, &arguments.files.out));
        if let Some(warnings) = warnings {
            eprintln!(
                "of warnings and of missing evidence: {}",
                told_on_stderr(warnings, &arguments.files.out)
            );
        }
    }
    Ok(0)
}

/// The rules are those of the decision; who is told in which wave is as the file says now.
fn same_rules(file: &Campaign, decided: &mut Campaign, decision_id: &str) -> Result<()> {
    decided.waves.clone_from(&file.waves);
    // `assess --window-days` stands in the decision alone.
    let same = Campaign { window_days: decided.window_days, ..file.clone() } == *decided;
    if same {
        return Ok(());
    }
    Err(Error::Announce(format!(
        "the rules of campaign {} are others than those of decision {decision_id}; decide by them first: \
         lightsout assess --campaign {}",
        file.name, file.name
    )))
}

fn told_of(decided: &Decided, tenant_id: &str, kind: ChangeKind, protocols: Vec<Protocol>) -> Option<Told> {
    let kind = match kind {
        ChangeKind::NoImpact => NoticeKind::NoImpact,
        ChangeKind::SelectedProtocols => NoticeKind::SelectedProtocols,
    };
    let assessment = tenant_of(&decided.assessment, tenant_id)?.clone();
    Some(Told { kind: Some(kind), assessment, protocols, notice_date: None })
}

/// What the ledger will say once these events are recorded.
fn about_to_be(desk: &Desk, decided: &Decided, events: &[Event]) -> (Vec<Told>, BTreeMap<String, Change>) {
    let mut changes = BTreeMap::new();
    let mut told = Vec::new();
    for event in events {
        let protocols: Vec<Protocol> =
            event.protocols.split(';').filter_map(|protocol| protocol.parse().ok()).collect();
        let tenant = tenant_of(&decided.assessment, &event.tenant_id);
        let kind = tenant.and_then(|tenant| announceable(&decided.campaign, tenant)).map(|(kind, _)| kind);
        told.extend(kind.and_then(|kind| told_of(decided, &event.tenant_id, kind, protocols.clone())));
        let change = Change {
            tenant_id: event.tenant_id.clone(),
            decision_id: event.decision_id.clone().unwrap_or_default(),
            announced_on: desk.now.date_naive(),
            effective_date: event.effective_date.unwrap_or(NaiveDate::MAX),
            protocols: protocols.into_iter().map(|protocol| (protocol, ProtocolChange::Pending)).collect(),
        };
        changes.insert(event.tenant_id.clone(), change);
    }
    (told, changes)
}

/// Warnings and requests for evidence: nothing is announced in them.
fn warn(
    desk: &Desk,
    decided: &Decided,
    who: &BTreeMap<String, Vec<WhoRow>>,
    files: &Files,
) -> Result<(usize, usize)> {
    let otherwise = told_otherwise(&decided.assessment, &decided.roster, &desk.ledger);
    let told = otherwise.into_iter().map(|(_, tenant)| Told {
        kind: NoticeKind::of(tenant.verdict),
        assessment: tenant.clone(),
        protocols: tenant.protocols_in_use.clone(),
        notice_date: None,
    });
    let mut sending = Sending::begin(files, "warned")?;
    sending.tell(desk, decided, decided.window, told.collect(), who)?;
    sending.finish(desk, &[])
}

/// A decision's age counts from when it was made. One made after the time that it is said to be, as
/// in a rehearsal of past days, counts from the end of its window.
fn young_enough(row: &DecisionRow, max_days: u32, now: DateTime<Utc>) -> Result<()> {
    let made_at = if row.decided_at <= now {
        row.decided_at
    } else {
        lightsout_model::evidence::midnight(row.window_end)
    };
    let age = now - made_at;
    if age <= TimeDelta::days(max_days.into()) {
        return Ok(());
    }
    Err(Error::Announce(format!(
        "decision {} is {} days old, made at {}, where max_decision_age_days permits {max_days}; ingest what is \
         new, then: lightsout assess --campaign {}",
        row.decision_id,
        age.num_days(),
        made_at.format("%Y-%m-%d %H:%M"),
        row.campaign,
    )))
}

//! `lightsout campaign recheck`: is what was announced still true?

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Files};
use super::rows;
use crate::cli::failure::Result;
use lightsout_campaign::EventKind;
use lightsout_output::text::count;
use lightsout_workflow::campaign::CampaignState;
use lightsout_workflow::campaign::recheck::{Rechecked, recheck};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    pub(super) files: Files,
}

/// Exit code 4 if something was put on hold, or was used after it had been turned off.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let rechecked = recheck(&mut state, &arguments.files.settings()).await?;
    let rows = rows::on_hold(&state.campaign, &state.ledger, &rechecked.judged, &state.names()?)?;
    arguments.common.output.write(&[rows])?;
    tell(&rechecked, &state, &arguments.files, global);
    Ok(exit_code(&rechecked))
}

pub(super) fn exit_code(rechecked: &Rechecked) -> u8 {
    let worse = rechecked.count(EventKind::Held) + rechecked.count(EventKind::UsedAfterChange);
    if worse > 0 { 4 } else { 0 }
}

pub(super) fn tell(rechecked: &Rechecked, state: &CampaignState, files: &Files, global: &Global) {
    // Also when quiet: it says that a change did not take.
    for used in &rechecked.still_used {
        let tenant_id = &used.tenant_id;
        lightsout_output::stderr!(
            "{tenant_id} still uses {}, which was turned off on {}; see: lightsout explain {tenant_id}",
            used.protocol,
            used.off_on
        );
    }
    for held in rechecked.held(state) {
        let on_hold = format!("put on hold: {}, because of {}", held.tenant_id, held.codes.join(", "));
        match held.cleared_then {
            Some((codes, made_by)) => lightsout_output::stderr!(
                "{on_hold}; {} was already in the evidence of its announcement, which {made_by} cleared: the \
                 rules have changed, not the log",
                codes.join(", ")
            ),
            None if global.quiet => {}
            None => lightsout_output::stderr!("{on_hold}"),
        }
    }
    if global.quiet {
        return;
    }
    let on_hold = state.ledger.tenants.values().filter(|tenant| !tenant.holds.is_empty()).count();
    lightsout_output::stderr!(
        "holds recorded: {}; releases recorded: {}; {on_hold} of {} {} something on hold",
        rechecked.count(EventKind::Held),
        rechecked.count(EventKind::Released),
        count(state.ledger.tenants.len() as u64, "tenant", "tenants"),
        if on_hold == 1 { "has" } else { "have" },
    );
    if on_hold > 0 {
        lightsout_output::stderr!("{}", files.summary(rechecked.notices));
    }
    let rescheduled = rechecked.events.iter().filter(|event| event.event == EventKind::Rescheduled);
    let dates: Vec<_> = rescheduled.filter_map(|event| event.effective_date).collect();
    if let Some(date) = dates.first() {
        lightsout_output::stderr!(
            "the holds of {} ended after the day of the change, so the new day is {date}; see lists/rescheduled.csv",
            count(dates.len() as u64, "tenant", "tenants")
        );
    }
}

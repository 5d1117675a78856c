//! What to do next: the steps that this decision leaves, each with commands that can be typed as they are.

use std::collections::BTreeSet;

use serde::Serialize;

use super::data::Snapshot;
use super::model::Model;
use crate::closing;
use lightsout_config::campaign_file::EMBEDDED;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::verdict::{Reason, TenantAssessment, TenantVerdict};
use lightsout_output::text::{count, number};

/// One thing to do.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    title: String,
    text: String,
    /// Word by word: a line may end between words, and not at a hyphen of one.
    commands: Vec<Vec<String>>,
    /// A file of the same run to work from.
    file: Option<&'static str>,
}

impl Step {
    fn new(title: String, text: String, commands: &[String], file: Option<&'static str>) -> Self {
        let words = |command: &String| command.split_whitespace().map(str::to_owned).collect();
        Self { title, text, commands: commands.iter().map(words).collect(), file }
    }
}

/// The flags that make a command speak of the same campaign and window.
struct Flags {
    campaign: String,
    window: String,
}

impl Flags {
    fn of(snapshot: &Snapshot<'_>) -> Self {
        Self::with(snapshot.campaign, snapshot.assessment.window)
    }

    fn with(campaign: &Campaign, window: Window) -> Self {
        let campaign = match EMBEDDED.iter().position(|(name, _)| *name == campaign.name) {
            Some(0) => String::new(),
            Some(_) => format!(" --campaign {}", campaign.name),
            // Its name is no place to find it by.
            None => " --campaign FILE".to_owned(),
        };
        let window = format!(" --as-of {} --window-days {}", window.end, window.days());
        Self { campaign, window }
    }
}

/// In the order that they should be done in.
/// `is_kept`: the lake has this decision.
pub(super) fn steps(model: &Model<'_>, snapshot: &Snapshot<'_>, is_kept: bool) -> Vec<Step> {
    let flags = Flags::of(snapshot);
    let with = |verdict| -> Vec<&TenantAssessment> {
        model.tenants.iter().copied().filter(|tenant| tenant.verdict == verdict).collect()
    };
    let id = &snapshot.assessment.decision_id;
    let Flags { campaign, window } = &flags;
    let (warned, undecided) = (with(TenantVerdict::Warning), with(TenantVerdict::InsufficientEvidence));
    let clear = with(TenantVerdict::NoImpact).len();
    let mut steps = Vec::new();
    if model.tenants.is_empty() {
        let commands = ["lightsout ingest my-logs/", "lightsout assess"].map(str::to_owned);
        let text = "The lake holds no tenant, and the roster names none.".to_owned();
        steps.push(Step::new("Bring logs in".to_owned(), text, &commands, None));
    }
    steps.extend(warn(&warned, &flags));
    steps.extend(prove(&undecided, snapshot, &flags));
    steps.extend(look(&undecided, snapshot, &flags));
    if clear > 0 {
        let text = format!(
            "Read the drafts, then announce. Nothing in a tenant is changed by that; the change comes {} after the \
             notice, and opting out is possible until then.",
            count(snapshot.campaign.notice_days.into(), "day", "days")
        );
        let mut commands = vec![
            format!("lightsout notices --decision {id}"),
            format!("lightsout campaign announce{campaign} --decision {id}"),
        ];
        if !is_kept {
            commands.insert(0, format!("lightsout assess{campaign}{window}"));
        }
        let title = format!("Announce to {} with no impact", tenants(clear));
        steps.push(Step::new(title, text, &commands, Some("lists/no_impact.csv")));
        steps.push(Step::new(
            "Recheck after each collection".to_owned(),
            "Protocols that are used again, or lack logs, go on hold.".to_owned(),
            &[format!("lightsout campaign recheck{campaign}")],
            None,
        ));
    }
    steps
}

fn tenants(n: usize) -> String {
    count(n as u64, "tenant", "tenants")
}

fn warn(warned: &[&TenantAssessment], flags: &Flags) -> Option<Step> {
    let first = warned.first()?;
    let Flags { campaign, window } = flags;
    let selected = warned.iter().filter(|tenant| !tenant.protocols_clear.is_empty()).count();
    let partly = if selected > 0 {
        format!(
            " {} of them may still be told which protocols go off unnoticed (lists/selected_protocols.csv).",
            number(selected as u64)
        )
    } else {
        String::new()
    };
    let commands = [
        format!("lightsout report who{campaign}{window} --output who.csv"),
        format!("lightsout explain {}{campaign}{window}", argument(&first.tenant_id)),
    ];
    Some(Step::new(
        format!("Warn {}", tenants(warned.len())),
        format!("See who still uses it and with what, and move that to modern authentication.{partly}"),
        &commands,
        Some("lists/warning.csv"),
    ))
}

/// What exports and time can cure.
fn prove(undecided: &[&TenantAssessment], snapshot: &Snapshot<'_>, flags: &Flags) -> Option<Step> {
    let lacking: Vec<&TenantAssessment> =
        undecided.iter().copied().filter(|tenant| !tenant.evidence_reasons.is_empty()).collect();
    let first = lacking.first()?;
    let Flags { campaign, window } = flags;
    let mut commands = vec![
        format!("lightsout explain {}{campaign}{window}", argument(&first.tenant_id)),
        "lightsout ingest new-logs/".to_owned(),
        format!("lightsout assess{campaign} --roster roster.csv"),
    ];
    let mut text = "Export the missing logs, or state the days without sign-ins; explain says which. Then \
                    decide again."
        .to_owned();
    if let Some((as_of, settled)) = closing::earlier_as_of(&lacking, snapshot.assessment.window.end) {
        text = format!("{text} An earlier day would give {} a verdict now.", tenants(settled));
        commands.push(format!("lightsout assess{campaign} --roster roster.csv --as-of {as_of}"));
    }
    let title = format!("Complete the logs of {}", tenants(lacking.len()));
    Some(Step::new(title, text, &commands, Some("coverage_gaps.csv")))
}

/// What a person has to look at: sign-ins that leave a doubt, whatever the coverage.
fn look(undecided: &[&TenantAssessment], snapshot: &Snapshot<'_>, flags: &Flags) -> Option<Step> {
    let Flags { campaign, window } = flags;
    let first_day = snapshot.assessment.window.first;
    let mut commands = BTreeSet::new();
    let mut doubtful = 0;
    for tenant in undecided {
        let mut leaves_open = false;
        for reason in &tenant.reasons {
            let command = match reason {
                Reason::UsedBeforeWindow { .. } => {
                    let days = snapshot.campaign.lookback_days.max(1);
                    format!("lightsout report who{campaign} --as-of {first_day} --window-days {days}")
                }
                Reason::UsedAfterWindow { last_day: Some(day), .. } => {
                    let as_of = day.succ_opt().unwrap_or(*day);
                    format!("lightsout report who{campaign} --as-of {as_of}")
                }
                Reason::UnrecognisedClient { .. } | Reason::ClientNotStated { .. } => {
                    format!("lightsout report unclear_clients{campaign}{window}")
                }
                Reason::UnknownOutcome { .. } => format!("lightsout report attempts{campaign}{window}"),
                _ => continue,
            };
            commands.insert(command);
            leaves_open = true;
        }
        doubtful += usize::from(leaves_open);
    }
    let commands: Vec<String> = commands.into_iter().collect();
    let text = "Usage before the window may be a monthly or quarterly job; usage after the window is not in its counts yet; \
                sign-ins whose client or outcome the log does not tell may be legacy.";
    let title = format!("Review what {} leave open", tenants(doubtful));
    (doubtful > 0).then(|| Step::new(title, text.to_owned(), &commands, None))
}

/// Flags that make a command speak of a campaign and window.
pub(super) fn flags(campaign: &Campaign, window: Window) -> String {
    let Flags { campaign, window } = Flags::with(campaign, window);
    campaign + &window
}

/// An id as one word of any shell; one that is none has to be looked up.
pub(super) fn argument(tenant_id: &str) -> &str {
    let plain = tenant_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits = (1..=64).contains(&tenant_id.len()) && !tenant_id.starts_with('-');
    if plain && fits { tenant_id } else { "TENANT" }
}

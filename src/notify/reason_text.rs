//! Reasons as sentences, each with its numbers and the one thing that would cure it: which export, which
//! range to declare, from which day a verdict is possible, how often to collect.

use super::locale::Locale;
use super::phrases;
use lightsout_model::evidence::{Filter, Window};
use lightsout_model::language::Language;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{CoverageGap, Reason, TenantAssessment};
use lightsout_output::text::{count, plain_short};

const NOTE_CHARACTERS_MAX: usize = 200;
/// Runs of days that one sentence names.
const RUNS_MAX: usize = 8;
/// Files that one sentence names.
const PATHS_MAX: usize = 3;
const PATH_CHARACTERS_MAX: usize = 120;
/// How long Entra ID keeps sign-ins.
const KEPT: &str = "7 days, with a P1 or P2 licence 30";
/// How often they have to be collected therefore.
const OFTEN: &str = "at least every 7 days, with a P1 or P2 licence every 30";

/// The sentence of one reason.
#[must_use]
pub fn reason_text(reason: &Reason) -> String {
    let (what, cure) = told(reason, None);
    sentence(reason.code(), &what, cure)
}

/// The sentences of a tenant: the reasons of its verdict, then what else its evidence lacks.
///
/// The gaps of one category are one sentence, and so is a history that is too short in several: one thing
/// cures them together.
#[must_use]
pub fn reasons_text(tenant: &TenantAssessment, window: Window) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    // What is off needs no evidence, and no cure for it.
    let needs_none = tenant.reasons.iter().any(|reason| matches!(reason, Reason::AlreadyOff { .. }));
    let evidence_reasons = tenant.evidence_reasons.iter().filter(|_| !needs_none);
    for reason in tenant.reasons.iter().chain(evidence_reasons) {
        let (what, cure) = told_together(reason, tenant, window);
        let sentence = sentence(reason.code(), &what, cure);
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// What cures a gap; `None` for one that is permitted, and where the logs were not asked to prove anything.
#[must_use]
pub fn gap_cure(gap: &CoverageGap, tenant: &TenantAssessment, window: Window) -> Option<String> {
    let its_own = |reason: &&Reason| match reason {
        Reason::Gap { category, days, .. } => *category == gap.category && *days == gap.days,
        Reason::WindowLongerThanHistory { category, first_covered_day, .. } => {
            *category == gap.category && gap.days.last < *first_covered_day
        }
        _ => false,
    };
    let of_its_category = |reason: &&Reason| match reason {
        Reason::CategoryMissing { category } | Reason::ColumnMissing { category, .. } => {
            *category == gap.category
        }
        Reason::NoRecords => true,
        _ => false,
    };
    let reasons = || tenant.evidence_reasons.iter();
    let raised = reasons().find(its_own).or_else(|| reasons().find(of_its_category));
    raised.filter(|_| gap.is_too_long()).and_then(|reason| told_together(reason, tenant, window).1)
}

/// A reason with those that the same thing cures.
fn told_together(reason: &Reason, tenant: &TenantAssessment, window: Window) -> (String, Option<String>) {
    let together = |of: &dyn Fn(&Reason) -> bool| -> Vec<&Reason> {
        tenant.evidence_reasons.iter().filter(|other| of(other)).collect()
    };
    match reason {
        Reason::Gap { category, permitted_days, .. } => {
            let gaps = together(&|other| matches!(other, Reason::Gap { category: of, .. } if of == category));
            if gaps.len() > 1 {
                several_gaps(*category, *permitted_days, &gaps)
            } else {
                told(reason, Some(window))
            }
        }
        Reason::CategoryMissing { category } => {
            let (what, cure) = told(reason, Some(window));
            let is_filtered = |other: &Reason| matches!(other, Reason::FilteredExport { category: of, .. } if of == category);
            // It is there, and counts for nothing: what cures that is told with it.
            (what, cure.filter(|_| !tenant.reasons.iter().any(is_filtered)))
        }
        Reason::DaysMissing { category, .. } => {
            let (what, cure) = told(reason, Some(window));
            let is_gap = |other: &Reason| matches!(other, Reason::Gap { category: of, .. } if of == category);
            // What closes the gaps brings these days too.
            (what, cure.filter(|_| together(&is_gap).is_empty()))
        }
        Reason::WindowLongerThanHistory { .. } => {
            let short = together(&|other| matches!(other, Reason::WindowLongerThanHistory { .. }));
            history(&short, Some(window))
        }
        _ => told(reason, Some(window)),
    }
}

fn sentence(code: &str, what: &str, cure: Option<String>) -> String {
    match cure {
        Some(cure) => format!("{code}: {what}; {cure}"),
        None => format!("{code}: {what}"),
    }
}

/// What is the case, and the cure if there is one. Days to declare are named if the window is known.
fn told(reason: &Reason, window: Option<Window>) -> (String, Option<String>) {
    let users = |n: &u64| count(*n, "user", "users");
    let sign_ins = |n: &u64| count(*n, "sign-in", "sign-ins");
    let cured = |what: String, cure: String| (what, Some(cure));
    match reason {
        Reason::Excluded { note } => {
            (format!("the roster excludes it: {}", plain_short(note, NOTE_CHARACTERS_MAX)), None)
        }
        Reason::InUse { protocol, users: n, sign_ins: s } => {
            (format!("{protocol} is in use by {}, {}", users(n), sign_ins(s)), None)
        }
        Reason::UnattributedLegacyUse { users: n, sign_ins: s } => {
            let used = "used legacy clients at Exchange Online whose protocol the log does not name";
            (format!("{} {used}, {}", users(n), sign_ins(s)), None)
        }
        Reason::NoRecords => cured(
            "the lake has no logs of it".to_owned(),
            "export its SignInLogs and NonInteractiveUserSignInLogs and ingest them".to_owned(),
        ),
        Reason::CategoryMissing { category } => cured(
            format!("no log of {category} sign-ins covers a day of the window"),
            format!(
                "export it ({}); if its files are here and don't name their log, ingest them with --category {category}; or \
                 if it is known to be empty, ingest a file of the tenant with --tenant ID --category {category} --covers {}",
                where_to_export(*category),
                declared(window)
            ),
        ),
        Reason::Gap { category, days, permitted_days } => cured(
            format!(
                "{category}: no log from {} to {}, {} days, but at most {permitted_days} in a row are permitted",
                days.first,
                days.last,
                days.length_days()
            ),
            format!(
                "export those days while they are kept ({KEPT}); or if the log is complete and was silent, ingest it \
                 with --covers {}..{}",
                days.first, days.last
            ),
        ),
        Reason::NotSettled { category, last_provable_day: Some(day) } => cured(
            format!("{category}: the log proves nothing after {day}, because records arrive late"),
            format!(
                "collect the log again, then repeat; or if it was collected since and was silent, ingest it with \
                 --covers {}{}",
                match (day.succ_opt(), window.and_then(|window| window.end.pred_opt())) {
                    (Some(first), Some(last)) if first <= last => format!("{first}..{last}"),
                    _ => "FROM..TO, until yesterday".to_owned(),
                },
                // What was announced is judged until today, whatever the decision's window was.
                window.map_or_else(String::new, |_| {
                    format!("; or decide with --as-of {}", day.succ_opt().unwrap_or(*day))
                })
            ),
        ),
        Reason::NotSettled { category, last_provable_day: None } => cured(
            format!("{category}: nothing says until when the log is complete"),
            "collect the log again, then repeat; or state the days that it is complete for with --covers".to_owned(),
        ),
        Reason::DaysMissing { category, weekdays, expected, seen, needed, missing } => cured(
            format!(
                "{category}: sign-ins are expected {}; the logs have {seen} of {expected} such days, {needed} are needed",
                on_weekdays(weekdays)
            ),
            format!(
                "export the missing days while they are kept ({KEPT}); or if the log is complete and was silent, ingest \
                 it with --covers {}..{}",
                missing.first, missing.last
            ),
        ),
        Reason::NearIdle { category, days_seen, window_days } => cured(
            format!(
                "{category}: sign-ins on {days_seen} of {window_days} days, too few to tell a silent log from a lost one"
            ),
            format!(
                "if the log is complete, say so: ingest it with --covers {}, or set logs_from and logs_to in the roster",
                declared(window)
            ),
        ),
        Reason::WindowLongerThanHistory { .. } => history(&[reason], window),
        Reason::ColumnMissing { category, columns } => cured(
            format!(
                "{category}: files that would cover the window lack the column {}",
                columns.join(" and ")
            ),
            "export them again with all columns".to_owned(),
        ),
        Reason::UnknownOutcome { protocol, sign_ins: s } => cured(
            format!(
                "{protocol}: {} without a status, which counts neither as success nor as failure",
                sign_ins(s)
            ),
            "export those days again with the status of each sign-in".to_owned(),
        ),
        Reason::UsedBeforeWindow { protocol, users: n, sign_ins: s } => cured(
            format!(
                "{protocol} was used before the window by {}, {}: it may be a monthly or quarterly job",
                users(n),
                sign_ins(s)
            ),
            format!(
                "see who that is (lightsout report who --as-of {}) and move it to modern authentication; or once you know \
                 that it does not come back, dismiss the doubt with lightsout lake dismiss",
                window.map_or_else(|| "the window's first day".to_owned(), |window| window.first.to_string())
            ),
        ),
        Reason::UsedAfterWindow { protocol, users: n, sign_ins: s, last_day } => {
            let as_of = last_day.and_then(|day| day.succ_opt());
            let as_of = as_of.map_or_else(|| "a later day".to_owned(), |day| day.to_string());
            cured(
                format!(
                    "{protocol} was used after the window by {}, {}{}",
                    users(n),
                    sign_ins(s),
                    last_day.map_or_else(String::new, |day| format!(", last on {day}"))
                ),
                format!(
                    "see who that is (lightsout report who --as-of {as_of}) and move it to modern authentication; or decide \
                     for those days too, with --as-of {as_of}: the verdict is then a warning"
                ),
            )
        }
        Reason::UnrecognisedClient { sign_ins: s } => cured(
            format!("{} by unknown client apps", sign_ins(s)),
            "see what they are: lightsout report unclear_clients".to_owned(),
        ),
        Reason::ClientNotStated { sign_ins: s } => cured(
            format!("{} that name no client app", sign_ins(s)),
            "export them again with it; lightsout report unclear_clients shows them".to_owned(),
        ),
        Reason::LegacyAgentElsewhere { sign_ins: s } => cured(
            format!("{} with the user agent that Exchange sets for Basic Authentication, to another resource", sign_ins(s)),
            "see which applications they are (lightsout report unclear_clients); dismiss what is no mail client with \
             lightsout lake dismiss"
                .to_owned(),
        ),
        Reason::TenantMismatch { sign_ins: s } => cured(
            format!("{} whose home and resource tenants are both others: it may be another tenant's log", sign_ins(s)),
            "ingest these files again with the right --tenant".to_owned(),
        ),
        Reason::RejectedRecords { records, paths } => cured(
            format!(
                "{} could not be read and may be usage{}",
                count(*records, "record", "records"),
                in_paths(paths)
            ),
            "export these records again, or ingest a whole copy of the file; or look at them (lightsout sql \"SELECT path, \
             line, detail FROM rejects WHERE reads_as = 'unclear'\") and dismiss the doubt with lightsout lake dismiss"
                .to_owned(),
        ),
        Reason::RefusedFiles { files, paths } => cured(
            format!(
                "{} refused that may hold its sign-ins{}",
                count(*files, "file was", "files were"),
                in_paths(paths)
            ),
            "ingest them in a form that lightsout reads; or if they hold no sign-ins, dismiss the doubt with lightsout \
             lake dismiss"
                .to_owned(),
        ),
        Reason::FilteredExport { category, export } => cured(
            format!(
                "{category}: {} ({}, {} to {}) {} {}, as if a filter had been set",
                count(export.sources, "download", "downloads"),
                export.shape,
                export.first_day,
                export.last_day,
                if export.sources == 1 { "shows" } else { "show" },
                filter_shown(&export.filter, Locale(Language::English))
            ),
            format!(
                "download the log again without a filter; or if it is complete, ingest it with --covers {}",
                declared(window)
            ),
        ),
        Reason::SmtpReport { senders, unplaced } => smtp_report(*senders, *unplaced, window),
        Reason::InUseByReport { senders, days, stated } => {
            let senders = count(*senders, "sender", "senders");
            let of = if *stated {
                format!("of {} to {}", days.first, days.last)
            } else {
                format!("of at most 90 days until {}", days.last)
            };
            let what = format!(
                "the SMTP AUTH clients report {of} names {senders}; it counts messages, not sign-ins, and does not say \
                 on which days"
            );
            (format!("smtp_auth is in use: {what}"), None)
        }
        Reason::AlreadyOff { collected_at } => {
            let when = collected_at.map_or_else(
                || "the roster says so".to_owned(),
                |at| format!("settings of {} show it", at.date_naive()),
            );
            (format!("Basic Authentication is already off for the whole scope; {when}"), None)
        }
        Reason::Attempted { protocol, sign_ins: s } => {
            (format!("{protocol} was only attempted, {}, and never used", sign_ins(s)), None)
        }
        Reason::Unused => ("nothing in scope was used or attempted".to_owned(), None),
    }
}

/// Several gaps of one category. Days that no export held any more come again with every collection, and
/// so does the silence of people who are there on some days: which of them it is the reader knows.
fn several_gaps(category: Category, permitted_days: u32, gaps: &[&Reason]) -> (String, Option<String>) {
    let days =
        || gaps.iter().filter_map(|gap| if let Reason::Gap { days, .. } = gap { Some(days) } else { None });
    let mut runs: Vec<String> = days()
        .take(RUNS_MAX)
        .map(|run| format!("{} to {} ({})", run.first, run.last, run.length_days()))
        .collect();
    if let Some(more @ 1..) = gaps.len().checked_sub(RUNS_MAX) {
        runs.push(format!("and {more} more"));
    }
    let what = format!(
        "{category}: no log on {} runs of more than the {permitted_days} days that are permitted: {}",
        gaps.len(),
        runs.join(", ")
    );
    let silent = days().next().zip(days().next_back()).map(|(first, last)| {
        format!(
            "if an export no longer held them, collect {OFTEN}, which is as long as sign-ins are kept; if the log is \
             complete and they were silent, say so once: ingest it with --covers {}..{}, or set logs_from and logs_to \
             in the roster",
            first.first, last.last
        )
    });
    (what, silent)
}

/// A history that begins within the window, in one category or several: the one that needs longest decides.
fn history(reasons: &[&Reason], window: Option<Window>) -> (String, Option<String>) {
    let found: Vec<_> = reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::WindowLongerThanHistory { category, first_covered_day, possible_from } => {
                Some((category, first_covered_day, possible_from))
            }
            _ => None,
        })
        .collect();
    let begins: Vec<String> =
        found.iter().map(|(category, first, _)| format!("{category} on {first}")).collect();
    let is_behind = |window: Window| found.iter().all(|(_, first, _)| **first >= window.end);
    let place = if window.is_some_and(is_behind) { "after" } else { "within" };
    let what = format!("the log begins {place} the window, {}", begins.join(", "));
    let cure = found.iter().map(|(_, _, possible_from)| **possible_from).max().map(|possible_from| {
        // The window that ends with this one and begins when one that is possible then would.
        let shorter = window
            .map(|window| window.days() - (possible_from - window.end).num_days())
            .filter(|days| *days > 0)
            .map_or_else(|| "--window-days".to_owned(), |days| format!("--window-days {days}"));
        format!(
            "keep collecting, {OFTEN}, and a verdict is possible with --as-of {possible_from}; before that for a \
             shorter window alone ({shorter})"
        )
    });
    (what, cure)
}

/// Where the log of a category is found.
const fn where_to_export(category: Category) -> &'static str {
    match category {
        Category::Interactive => {
            "SignInLogs in a diagnostic setting; \"User sign-ins (interactive)\" in the portal; /auditLogs/signIns of Graph"
        }
        Category::NonInteractive => {
            "NonInteractiveUserSignInLogs in a diagnostic setting; \"User sign-ins (non-interactive)\" in the portal; \
             /auditLogs/signIns of Graph beta with signInEventTypes nonInteractiveUser, as v1.0 leaves it out"
        }
        _ => "its own category in a diagnostic setting",
    }
}

fn on_weekdays(weekdays: &str) -> String {
    if weekdays == "every day" { weekdays.to_owned() } else { format!("on {weekdays}") }
}

/// Why senders of the "SMTP AUTH clients" report leave SMTP AUTH unproven.
fn smtp_report(senders: u64, unplaced: u64, window: Option<Window>) -> (String, Option<String>) {
    let days = declared(window).replace("..", "_");
    let again = format!(
        "download it again for the days of the window and name the file with them, as in smtp_{days}.csv"
    );
    let named = |n: u64| count(n, "sender", "senders");
    let report = "smtp_auth: the SMTP AUTH clients report names";
    let cure = "since October 2024 the report has a column for the authentication protocol";
    match (senders, unplaced) {
        (0, unplaced) => (
            format!("{report} {} who may have been active outside the window alone", named(unplaced)),
            Some(again),
        ),
        (senders, 0) => (
            format!("{report} {} and does not say how they authenticated", named(senders)),
            Some(format!("{again}; {cure}")),
        ),
        (senders, unplaced) => (
            format!(
                "{report} {} and does not say how they authenticated, and {} who may have been active outside the window \
                 alone",
                named(senders),
                named(unplaced)
            ),
            Some(format!("{again}; {cure}")),
        ),
    }
}

/// Some of the files, as far as they fit.
fn in_paths(paths: &[String]) -> String {
    let shown: Vec<String> =
        paths.iter().take(PATHS_MAX).map(|path| plain_short(path, PATH_CHARACTERS_MAX)).collect();
    match shown.as_slice() {
        [] => String::new(),
        shown => format!(": {}", shown.join(", ")),
    }
}

/// What a filter seems to have let through alone.
pub(super) fn filter_shown(filter: &Filter, locale: Locale) -> String {
    let short = |text: &str| plain_short(text, NOTE_CHARACTERS_MAX);
    match filter {
        Filter::ClientApp(app) if app.is_empty() => locale.text(phrases::FILTER_NO_CLIENT_APP).to_owned(),
        Filter::ClientApp(app) => locale.fill(phrases::FILTER_CLIENT_APP, &[("app", &short(app))]),
        Filter::NoSuccess => locale.text(phrases::FILTER_NO_SUCCESS).to_owned(),
        Filter::User => locale.text(phrases::FILTER_USER).to_owned(),
        Filter::Application(_) => locale.text(phrases::FILTER_APPLICATION).to_owned(),
        Filter::Stated(filter) => locale.fill(phrases::FILTER_STATED, &[("filter", &short(filter))]),
    }
}

fn declared(window: Option<Window>) -> String {
    let days = window.and_then(|window| Some(format!("{}..{}", window.first, window.end.pred_opt()?)));
    days.unwrap_or_else(|| "FROM..TO".to_owned())
}

#[cfg(test)]
mod tests;

//! Where a campaign stands, for a person at a screen: counts by state, what is to be done and for whom, the days to come,
//! then every tenant.

use std::fmt::Write as _;

use chrono::NaiveDate;

use crate::fitted_table;
use lightsout_campaign::status::StatusRow;
use lightsout_campaign::work_list::{Task, WorkList};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::Reason;
use lightsout_notify::reason_text;
use lightsout_output::text::{count, plain, plain_short};

/// Tenants that a task lists; the others are counted.
const TENANTS_MAX: usize = 20;
/// Days of the calendar.
const DAYS_MAX: usize = 10;
const NAME_CHARACTERS_MAX: usize = 40;

/// The work list and the tenants, in lines of at most `width` characters.
#[must_use]
pub fn text(campaign: &str, rows: &[StatusRow], today: NaiveDate, width: u16) -> String {
    let list = WorkList::of(rows, today);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut text, campaign, &list, rows, width);
    text
}

fn write(
    out: &mut String,
    campaign: &str,
    list: &WorkList<'_>,
    rows: &[StatusRow],
    width: u16,
) -> std::fmt::Result {
    let lines = Lines { width: usize::from(width) };
    let tenants = count(list.tenants as u64, "tenant", "tenants");
    lines.write(out, "", &format!("campaign {campaign} on {}: {tenants}", list.today))?;
    let counts = list.counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| format!("{state} {count}")).collect();
    if !counts.is_empty() {
        lines.write(out, "  ", &counts.join(", "))?;
    }
    for (task, rows) in list.tasks.iter().filter(|(_, rows)| !rows.is_empty()) {
        write_task(out, *task, rows, &lines)?;
    }
    if !list.calendar.is_empty() {
        let day = |(day, tenants): &(NaiveDate, usize)| {
            format!("{day} ({})", count(*tenants as u64, "tenant", "tenants"))
        };
        let mut days: Vec<String> = list.calendar.iter().take(DAYS_MAX).map(day).collect();
        if list.calendar.len() > DAYS_MAX {
            days.push(format!("{} more days", list.calendar.len() - DAYS_MAX));
        }
        lines.write(out, "", &format!("to come: {}", days.join(", ")))?;
    }
    if !rows.is_empty() {
        writeln!(out, "{}", table(rows, width))?;
    }
    Ok(())
}

fn write_task(out: &mut String, task: Task, rows: &[&StatusRow], lines: &Lines) -> std::fmt::Result {
    lines.write(out, "", &format!("{} ({}): {}", task.as_str(), rows.len(), task.what_to_do()))?;
    for row in rows.iter().take(TENANTS_MAX) {
        lines.write(out, "  ", &told(task, row))?;
        for reason in reasons(task, row) {
            lines.write(out, "    ", &plain(&reason_text(reason)))?;
        }
    }
    if rows.len() > TENANTS_MAX {
        lines.write(out, "  ", &format!("and {} more", rows.len() - TENANTS_MAX))?;
    }
    Ok(())
}

fn reasons(task: Task, row: &StatusRow) -> &[Reason] {
    match task {
        Task::OnHold => &row.hold_reasons,
        Task::AskForEvidence => &row.missing_evidence,
        Task::UsedAfterChange | Task::Overdue | Task::DueToday => &[],
    }
}

fn told(task: Task, row: &StatusRow) -> String {
    let name = name(row);
    let day = row.effective_date.map(|day| day.to_string()).unwrap_or_default();
    match task {
        Task::UsedAfterChange => {
            let last = row.last_used.map(|day| format!(", last on {day}")).unwrap_or_default();
            format!("{name}: {}{last}", listed(&row.protocols_used_after_change))
        }
        Task::Overdue => format!("{name}: {}, since {day}", listed(&row.protocols_pending)),
        Task::DueToday => format!("{name}: {}", listed(&row.protocols_pending)),
        Task::OnHold => format!("{name}: {}, for {day}", listed(&row.protocols_on_hold)),
        Task::AskForEvidence if row.contacts.is_empty() => format!("{name}: the roster has no contact"),
        Task::AskForEvidence => format!("{name}: {}", plain(&row.contacts.join(", "))),
    }
}

fn name(row: &StatusRow) -> String {
    let name = row.display_name.as_deref().unwrap_or(&row.tenant_id);
    plain_short(name, NAME_CHARACTERS_MAX)
}

fn listed(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(", ")
}

fn table(rows: &[StatusRow], width: u16) -> String {
    let row = |row: &StatusRow| {
        let counted = [
            (row.protocols_pending.len(), "pending"),
            (row.protocols_on_hold.len(), "on hold"),
            (row.protocols_opted_out.len(), "opted out"),
            (row.protocols_off.len(), "off"),
            (row.protocols_used_after_change.len(), "used after it was off"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let counted: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
        vec![
            name(row),
            row.state.to_string(),
            row.effective_date.map(|day| day.to_string()).unwrap_or_default(),
            counted.join(", "),
            row.next_step.clone(),
        ]
    };
    let header = ["tenant", "state", "effective_date", "protocols", "next_step"];
    fitted_table(&header, rows.iter().map(row), width)
}

/// Lines that end before a screen does.
struct Lines {
    width: usize,
}

impl Lines {
    /// Writes a sentence, wrapped between words, every line with the same indent.
    fn write(&self, out: &mut String, indent: &str, sentence: &str) -> std::fmt::Result {
        let mut line = String::new();
        for word in sentence.split(' ') {
            let length = indent.len() + line.chars().count() + usize::from(!line.is_empty());
            if !line.is_empty() && length + word.chars().count() > self.width {
                writeln!(out, "{indent}{line}")?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(out, "{indent}{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_campaign::status::TenantState;
    use lightsout_model::change::HoldCause;

    fn row(id: &str, state: TenantState) -> StatusRow {
        StatusRow {
            state,
            display_name: Some(format!("Tenant {id} of a rather long name, Limited")),
            ..StatusRow::of_nothing(id)
        }
    }

    fn list() -> Vec<StatusRow> {
        let day = |day: u32| NaiveDate::from_ymd_opt(2026, 12, day);
        let pending = |row: StatusRow, on| StatusRow {
            effective_date: day(on),
            protocols_pending: vec![Protocol::Pop3, Protocol::Imap4],
            next_step: "apply, then confirm".to_owned(),
            ..row
        };
        vec![
            pending(row("a", TenantState::Due), 1),
            pending(row("b", TenantState::Announced), 9),
            StatusRow {
                effective_date: day(1),
                protocols_on_hold: vec![Protocol::SmtpAuth],
                hold_causes: vec![HoldCause::Coverage],
                hold_reasons: vec![Reason::NoRecords],
                next_step: "supply the missing logs, then recheck".to_owned(),
                contacts: vec!["it@c.example.com".to_owned(), "help\u{1b}[2J@c.example.com".to_owned()],
                ..row("c", TenantState::OnHold)
            },
        ]
    }

    #[test]
    fn every_line_fits_the_screen_and_says_who_what_and_when() {
        let today = NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day");
        for width in [80, 120] {
            let text = text("smtp-auth-2026", &list(), today, width);
            for line in text.lines() {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
            assert!(text.starts_with("campaign smtp-auth-2026 on 2026-12-01: 3 tenants\n"), "{text}");
            assert!(text.contains("on_hold 1, due 1, announced 1"), "{text}");
            assert!(text.contains("due_today (1): lightsout campaign apply"), "{text}");
            assert!(text.contains("no_records: "), "{text}");
            // A long line is broken between the contacts.
            assert!(text.contains("it@c.example.com,") && text.contains("help[2J@c.example.com"), "{text}");
            assert!(text.contains("to come: 2026-12-09 (1 tenant)"), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
    }

    #[test]
    fn of_many_tenants_a_task_lists_some() {
        let today = NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day");
        let rows: Vec<StatusRow> = (0..TENANTS_MAX + 5)
            .map(|n| StatusRow {
                missing_evidence: vec![Reason::NoRecords],
                ..row(&n.to_string(), TenantState::NotEligible)
            })
            .collect();
        let text = text("smtp-auth-2026", &rows, today, 80);
        assert!(text.contains("ask_for_evidence (25): ") && text.contains("  and 5 more\n"), "{text}");
        assert!(text.contains("the roster has no contact"), "{text}");
    }
}

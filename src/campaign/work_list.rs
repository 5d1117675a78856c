//! What is to be done in a campaign, out of where its tenants stand: counts by state, what was used after it was turned
//! off, what is due or overdue, what is on hold, and whom to ask for evidence.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::status::{StatusRow, TenantState};
use lightsout_model::change::HoldCause;

/// Why a tenant is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Something that was turned off was used afterwards.
    UsedAfterChange,
    /// The day has passed, and something is still to be turned off.
    Overdue,
    DueToday,
    OnHold,
    /// The logs say too little, and somebody can be asked for more.
    AskForEvidence,
}

impl Task {
    pub const ALL: [Self; 5] =
        [Self::UsedAfterChange, Self::Overdue, Self::DueToday, Self::OnHold, Self::AskForEvidence];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsedAfterChange => "used_after_change",
            Self::Overdue => "overdue",
            Self::DueToday => "due_today",
            Self::OnHold => "on_hold",
            Self::AskForEvidence => "ask_for_evidence",
        }
    }

    /// What is to be done, in a line.
    #[must_use]
    pub const fn what_to_do(self) -> &'static str {
        match self {
            Self::UsedAfterChange => {
                "see that the script ran everywhere; lightsout campaign correct if it did not"
            }
            Self::Overdue | Self::DueToday => "lightsout campaign apply --runbook, run it, then confirm",
            Self::OnHold => "resolve the stated cause, then lightsout campaign recheck",
            Self::AskForEvidence => "ask the contacts for the logs, ingest them, then lightsout assess",
        }
    }

    /// The tasks of a tenant, the most urgent first.
    #[must_use]
    pub fn of(row: &StatusRow, today: NaiveDate) -> Vec<Self> {
        let mut tasks = Vec::new();
        if !row.protocols_used_after_change.is_empty() {
            tasks.push(Self::UsedAfterChange);
        }
        if !row.protocols_pending.is_empty()
            && let Some(day) = row.effective_date.filter(|day| *day <= today)
        {
            tasks.push(if day < today { Self::Overdue } else { Self::DueToday });
        }
        if !row.protocols_on_hold.is_empty() {
            tasks.push(Self::OnHold);
        }
        // Without logs a hold for lost coverage does not end either.
        if !row.missing_evidence.is_empty() || row.hold_causes.contains(&HoldCause::Coverage) {
            tasks.push(Self::AskForEvidence);
        }
        tasks
    }
}

/// See the file's first lines.
#[derive(Debug)]
pub struct WorkList<'a> {
    pub today: NaiveDate,
    pub tenants: usize,
    /// Every state, also those that no tenant is in.
    pub counts: Vec<(TenantState, usize)>,
    /// Every task with its tenants, the most pressing tenant first.
    pub tasks: Vec<(Task, Vec<&'a StatusRow>)>,
    /// The days to come on which something is to be turned off, each with its number of tenants.
    pub calendar: Vec<(NaiveDate, usize)>,
}

impl<'a> WorkList<'a> {
    #[must_use]
    pub fn of(rows: &'a [StatusRow], today: NaiveDate) -> Self {
        let count = |state: TenantState| rows.iter().filter(|row| row.state == state).count();
        let mut by_task: BTreeMap<Task, Vec<&StatusRow>> = BTreeMap::new();
        let mut calendar: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        for row in rows {
            for task in Task::of(row, today) {
                by_task.entry(task).or_default().push(row);
            }
            if !row.protocols_pending.is_empty()
                && let Some(day) = row.effective_date.filter(|day| *day > today)
            {
                *calendar.entry(day).or_default() += 1;
            }
        }
        for rows in by_task.values_mut() {
            rows.sort_by(|a, b| (a.effective_date, &a.tenant_id).cmp(&(b.effective_date, &b.tenant_id)));
        }
        let tasks = Task::ALL.map(|task| (task, by_task.remove(&task).unwrap_or_default()));
        Self {
            today,
            tenants: rows.len(),
            counts: TenantState::ALL.map(|state| (state, count(state))).to_vec(),
            tasks: tasks.to_vec(),
            calendar: calendar.into_iter().collect(),
        }
    }

    /// The tenants of a task.
    #[must_use]
    pub fn of_task(&self, task: Task) -> &[&'a StatusRow] {
        self.tasks.iter().find(|(of, _)| *of == task).map_or(&[], |(_, rows)| rows.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_model::protocol::Protocol;
    use lightsout_model::verdict::Reason;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn pending(id: &str, effective: &str) -> StatusRow {
        StatusRow {
            state: TenantState::Due,
            effective_date: Some(day(effective)),
            protocols_pending: vec![Protocol::Imap4],
            ..StatusRow::of_nothing(id)
        }
    }

    #[test]
    fn the_day_before_is_overdue_and_the_day_after_is_in_the_calendar() {
        let rows = [pending("a", "2026-12-02"), pending("b", "2026-12-01"), pending("c", "2026-11-30")];
        let list = WorkList::of(&rows, day("2026-12-01"));
        let ids = |task: Task| -> Vec<&str> {
            list.of_task(task).iter().map(|row| row.tenant_id.as_str()).collect()
        };
        assert_eq!((ids(Task::Overdue), ids(Task::DueToday)), (vec!["c"], vec!["b"]));
        assert_eq!(list.calendar, [(day("2026-12-02"), 1)]);
        assert_eq!(list.tenants, 3);
    }

    #[test]
    fn a_hold_for_lost_coverage_is_to_be_cured_and_asked_for() {
        let held = StatusRow {
            state: TenantState::OnHold,
            protocols_on_hold: vec![Protocol::Pop3],
            hold_causes: vec![HoldCause::Coverage],
            ..StatusRow::of_nothing("a")
        };
        let used = StatusRow { hold_causes: vec![HoldCause::Usage], ..held.clone() };
        let undecided = StatusRow { missing_evidence: vec![Reason::NoRecords], ..StatusRow::of_nothing("b") };
        let today = day("2026-12-01");
        assert_eq!(Task::of(&held, today), [Task::OnHold, Task::AskForEvidence]);
        assert_eq!(Task::of(&used, today), [Task::OnHold]);
        assert_eq!(Task::of(&undecided, today), [Task::AskForEvidence]);
    }

    #[test]
    fn used_after_the_change_comes_first_and_every_state_is_counted() {
        let used = StatusRow {
            state: TenantState::UsedAfterChange,
            protocols_used_after_change: vec![Protocol::Imap4],
            ..pending("a", "2026-12-01")
        };
        assert_eq!(Task::of(&used, day("2026-12-01")), [Task::UsedAfterChange, Task::DueToday]);
        let rows = [used];
        let counts = WorkList::of(&rows, day("2026-12-01")).counts;
        assert_eq!(counts.len(), TenantState::ALL.len());
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), 1);
    }
}

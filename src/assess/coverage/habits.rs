//! On which weekdays a log has sign-ins as a rule, and how many. Counted on the eight weeks before the window
//! where there are four or more of them, so that what is lost in the window changes nothing here; else from the
//! first day seen to the window's end.

use chrono::{Datelike as _, NaiveDate, Weekday};

use super::days::{Calendar, Status, twice_median, weeks_before};
use super::window_days;
use lightsout_model::campaign::EvidenceRules;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::RosterTenant;

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Working weeks, the most usual first.
const WORKING_WEEKS: [[Weekday; 5]; 3] = [
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
    [Weekday::Sun, Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu],
    [Weekday::Sat, Weekday::Sun, Weekday::Mon, Weekday::Tue, Weekday::Wed],
];

/// So many percentage points more of its days than of Monday to Friday have to be seen of another week.
const WEEK_LEAD_MIN_PERCENT: u32 = 10;

/// Weeks of history that are enough to count on them alone.
const WEEKS_ALONE_MIN: u32 = 4;

/// See the file's first lines.
#[derive(Debug)]
pub(super) struct Habits {
    rules: EvidenceRules,
    expected: [bool; 7],
    is_near_idle: bool,
    is_busy: bool,
    /// Twice the median of the records of expected days that were seen.
    twice_usual: u64,
}

fn index(weekday: Weekday) -> usize {
    weekday.num_days_from_monday() as usize
}

/// The days that habits are counted on, and whether all lie before the window.
fn base(rules: &EvidenceRules, calendar: &Calendar) -> (NaiveDate, NaiveDate, bool) {
    let window = calendar.window();
    let first_seen = calendar.first_seen().unwrap_or(window.first);
    let history = first_seen.max(weeks_before(window.first, rules.history_weeks));
    let long_enough = history <= weeks_before(window.first, WEEKS_ALONE_MIN);
    let mut days = history.iter_days().take_while(|day| *day < window.first);
    if long_enough && days.any(|day| calendar.has_any(day)) {
        (history, window.first, true)
    } else {
        (history, window.end, false)
    }
}

impl Habits {
    pub(super) fn of(rules: &EvidenceRules, calendar: &Calendar, settings: Option<&RosterTenant>) -> Self {
        let (first, end, is_history) = base(rules, calendar);
        let mut days = [0_u32; 7];
        let mut seen = [0_u32; 7];
        let mut records: [Vec<u32>; 7] = Default::default();
        for day in first.iter_days().take_while(|day| *day < end) {
            let weekday = index(day.weekday());
            days[weekday] += 1;
            if calendar.is_seen(day) {
                seen[weekday] += 1;
                records[weekday].push(calendar.records_on(day));
            }
        }
        let workdays = settings.and_then(|settings| settings.workdays.clone());
        let workdays = workdays.unwrap_or_else(|| best_covered(&days, &seen, is_history));
        // One busy Sunday is no habit, where history tells; without history every one is taken for one, as of
        // the others it may be that was lost.
        let is_habit =
            |weekday: usize| !is_history || seen[weekday] * 100 >= rules.idle_percent * days[weekday];
        let has_work = |weekday: Weekday| {
            let weekday = index(weekday);
            is_habit(weekday) && twice_median(records[weekday].clone()) >= 2 * u64::from(rules.busy_median)
        };
        let expected = WEEK.map(|weekday| workdays.contains(&weekday) || has_work(weekday));
        let is_near_idle = (0..7)
            .all(|weekday| seen[weekday] * 100 < rules.idle_percent * days[weekday] || days[weekday] == 0);
        let mut of_expected: Vec<u32> = WEEK
            .iter()
            .filter(|weekday| expected[index(**weekday)])
            .flat_map(|weekday| records[index(*weekday)].clone())
            .collect();
        let twice_usual = twice_median(of_expected.clone());
        if !is_history {
            // Of a day that is not there nobody knows how many it would have had. Taken for many, a log never
            // seems quieter, and so in need of fewer days, because days were lost.
            let expects = |day: &NaiveDate| expected[index(day.weekday())];
            let missing = window_days(calendar.window()).filter(expects);
            of_expected
                .extend(missing.filter(|day| calendar.status(*day) == Status::Missing).map(|_| u32::MAX));
        }
        let is_busy = twice_median(of_expected) >= 2 * u64::from(rules.busy_median);
        Self { rules: rules.clone(), expected, is_near_idle, is_busy, twice_usual }
    }

    /// Whether sign-ins are usual on that day of the week.
    pub(super) fn expects(&self, day: NaiveDate) -> bool {
        self.expected[index(day.weekday())]
    }

    /// No weekday has sign-ins in as many of its weeks as would be a habit.
    pub(super) fn is_near_idle(&self) -> bool {
        self.is_near_idle
    }

    /// Whether so many silent days, of so many expected ones, are believable in a log of so many records: where
    /// four are usual, a quarter of the days.
    pub(super) fn permits_silent_days(&self, silent: usize, expected: usize) -> bool {
        silent as u64 * self.twice_usual <= 2 * expected as u64
    }

    /// So many of the expected days may be missing.
    pub(super) fn missing_days_max(&self, category: Category, expected: usize) -> usize {
        let per_month = match category {
            Category::Interactive => self.rules.days_missing_max_interactive,
            _ if self.is_busy => self.rules.days_missing_max,
            _ => return expected * self.rules.days_missing_percent as usize / 100,
        };
        // The numbers are of a window of thirty days, which has twenty working days or more.
        expected * per_month as usize / WORKING_DAYS
    }

    /// The expected weekdays in words.
    pub(super) fn weekdays(&self) -> String {
        let expected: Vec<Weekday> =
            WEEK.into_iter().filter(|weekday| self.expected[index(*weekday)]).collect();
        in_words(&expected)
    }
}

const WORKING_DAYS: usize = 20;

/// The working week with the largest share of its days seen. Without history the days that were lost have a say in
/// it, so another week than Monday to Friday has to lead by a tenth: a lost Friday must not make an office one that
/// works from Sunday to Thursday.
fn best_covered(days: &[u32; 7], seen: &[u32; 7], is_history: bool) -> Vec<Weekday> {
    let leads = |week: &[Weekday; 5], other: &[Weekday; 5], by_percent: u32| {
        let sum = |week: &[Weekday; 5], of: &[u32; 7]| week.iter().map(|day| of[index(*day)]).sum::<u32>();
        let (days_of_week, days_of_other) = (sum(week, days).max(1), sum(other, days).max(1));
        let of_other = sum(other, seen) * 100 + by_percent * days_of_other;
        sum(week, seen) * 100 * days_of_other > of_other * days_of_week
    };
    let [usual, others @ ..] = &WORKING_WEEKS;
    let lead_min = if is_history { 0 } else { WEEK_LEAD_MIN_PERCENT };
    let mut best = usual;
    for week in others {
        if leads(week, best, 0) && leads(week, usual, lead_min) {
            best = week;
        }
    }
    best.to_vec()
}

/// "Monday to Friday", "Sunday to Thursday", "every day", or a list.
fn in_words(weekdays: &[Weekday]) -> String {
    let name = |weekday: Weekday| match weekday {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    };
    if weekdays.len() == WEEK.len() {
        return "every day".to_owned();
    }
    // The one that none comes before begins a run of the week.
    let first = weekdays.iter().find(|weekday| !weekdays.contains(&weekday.pred()));
    let run = |first: Weekday| {
        std::iter::successors(Some(first), |weekday| Some(weekday.succ())).take(weekdays.len())
    };
    match first {
        Some(first) if weekdays.len() > 2 && run(*first).all(|weekday| weekdays.contains(&weekday)) => {
            let last = run(*first).last().unwrap_or(*first);
            format!("{} to {}", name(*first), name(last))
        }
        _ => weekdays.iter().map(|weekday| name(*weekday)).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_told_as_a_person_would() {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        assert_eq!(in_words(&[Mon, Tue, Wed, Thu, Fri]), "Monday to Friday");
        assert_eq!(in_words(&[Mon, Tue, Wed, Thu, Sun]), "Sunday to Thursday");
        assert_eq!(in_words(&[Mon, Tue, Wed, Sat, Sun]), "Saturday to Wednesday");
        assert_eq!(in_words(&WEEK), "every day");
        assert_eq!(in_words(&[Mon, Tue, Wed, Fri]), "Monday, Tuesday, Wednesday, Friday");
    }
}

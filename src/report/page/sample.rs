//! Pages of any number of invented tenants, for the tests here and for a browser: evidence is drawn, and
//! judged by the rules themselves.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Weekday};

use super::campaign::Standing;
use super::data::{Links, Snapshot, rows_of_users};
use super::render;
use lightsout_assess::assess;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{
    CategoryCoverage, DailyCounts, DayRange, ExchangeOrUnnamed, ProtocolEvidence, TenantEvidence, UserCount,
    Window, midnight,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::Assessment;
use lightsout_query::page_usage::{BusyUser, PageUsage, UsageByDay};

const FIRST: [&str; 12] = [
    "Alder", "Brook", "Copper", "Dune", "Elm", "Fern", "Glen", "Harbour", "Ivory", "Juniper", "Kestrel",
    "Linden",
];
const SECOND: [&str; 10] = [
    "Academy",
    "Bakery",
    "Clinic",
    "Dairy",
    "Engineering",
    "Freight",
    "Gardens",
    "Hospital Trust",
    "Insurance Group",
    "Joinery",
];
/// Of a campaign without a ledger.
pub(super) const NOTHING_ANNOUNCED: Standing<'static> = Standing { rows: &[], today: NaiveDate::MAX };

const APPS: [&str; 3] = ["Office 365 Exchange Online", "Outlook 2010", "Scan to mail"];

/// Names that would be markup, if a page let them.
pub(super) const HOSTILE: [&str; 5] = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</style><svg onload=alert(1)>",
    "{{ script }} {% raw %} & <b>bold</b> '",
    "\u{202e}gnp.exe\u{0}\u{200b}",
];

/// Draws the same numbers every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }

    /// The same, as a place in a list.
    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("below a length")
    }
}

pub(super) struct Sample {
    pub(super) campaign: Campaign,
    pub(super) assessment: Assessment,
    pub(super) usage: PageUsage,
}

pub(super) fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).expect("a day of 2026")
}

pub(super) fn tenant_id(n: usize) -> String {
    format!("{:08x}-0000-4000-8000-{n:012}", n.wrapping_mul(2_654_435_761) % (1 << 32))
}

/// Both logs, from a day to another.
pub(super) fn covered(first: NaiveDate, last: NaiveDate) -> TenantEvidence {
    let days = CategoryCoverage {
        records: records(&[DayRange { first, last }]),
        first_seen: Some(first),
        latest_at: last.succ_opt().map(|next| midnight(next) + TimeDelta::hours(24)),
        ..CategoryCoverage::default()
    };
    TenantEvidence {
        records: 1_000,
        coverage: [Category::Interactive, Category::NonInteractive].map(|of| (of, days.clone())).into(),
        ..TenantEvidence::default()
    }
}

/// A hundred records on each of the days.
pub(super) fn records(ranges: &[DayRange]) -> DailyCounts {
    let days = |range: &DayRange| {
        let DayRange { first, last } = *range;
        first.iter_days().take_while(move |day| *day <= last).map(|day| (day, 100))
    };
    DailyCounts::of(ranges.iter().flat_map(days))
}

fn evidence(n: usize, window: Window, scope: &[Protocol], draw: &mut Draw) -> TenantEvidence {
    let (first, last) = (window.first - Days::new(60), window.end - Days::new(1));
    let in_window = |offset| window.first + Days::new(offset);
    let mut tenant = match n % 10 {
        // A gap in the middle, a history that is too short, a log that lags, none at all.
        3 => {
            let mut tenant = covered(first, last);
            let days = tenant.coverage.get_mut(&Category::NonInteractive).expect("it was made");
            let end = in_window(draw.below(8) + 2);
            days.records = records(&[
                DayRange { first, last: end },
                DayRange { first: end + Days::new(draw.below(9) + 6), last },
            ]);
            tenant
        }
        4 => covered(in_window(draw.below(15) + 12), last),
        5 => covered(first, last - Days::new(draw.below(6) + 1)),
        6 if n.is_multiple_of(4) => TenantEvidence::default(),
        _ => covered(first, last),
    };
    tenant.tenant_id = tenant_id(n);
    if n % 10 < 3 {
        for _ in 0..=draw.below(3) {
            let at = draw.index(if n.is_multiple_of(7) { 15 } else { 4 });
            let protocol = scope.get(at).copied().unwrap_or(Protocol::OtherLegacy);
            let users = [1, 3, 12, 60, 400][draw.index(5)] + draw.below(3);
            let usage = UserCount { users, sign_ins: users * (draw.below(90) + 1) };
            let used = ProtocolEvidence {
                usage,
                failures: draw.below(40),
                last_seen: Some(midnight(last) + TimeDelta::minutes(draw.below(1440) as i64)),
                exchange_or_unnamed: ExchangeOrUnnamed { usage, ..ExchangeOrUnnamed::default() },
                ..ProtocolEvidence::default()
            };
            tenant.protocols.insert(protocol, used);
        }
        tenant.users_in_scope = tenant.protocols.values().map(|of| of.usage.users).max().unwrap_or(0);
    }
    if n % 10 == 9 {
        let tried = ProtocolEvidence {
            failures: draw.below(900) + 1,
            last_seen: Some(midnight(last)),
            ..ProtocolEvidence::default()
        };
        tenant.protocols.insert(scope[1], tried);
    }
    tenant
}

impl Sample {
    /// So many tenants; the first few, if asked for, with hostile names.
    pub(super) fn of(tenants: usize, hostile: bool) -> Self {
        let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("embedded");
        let window = Window::before(day(11, 2), campaign.window_days);
        let scope = campaign.scope();
        let mut draw = Draw(7);
        let evidence: Vec<TenantEvidence> =
            (0..tenants).map(|n| evidence(n, window, &scope, &mut draw)).collect();
        let name = |n: usize| match HOSTILE.get(n) {
            Some(name) if hostile => (*name).to_owned(),
            _ => format!("{} {} {n}", FIRST[n % FIRST.len()], SECOND[n / FIRST.len() % SECOND.len()]),
        };
        let roster = (0..tenants).filter(|n| n % 17 != 16).map(|n| {
            let exclude = (n % 40 == 39).then(|| "moves to another provider".to_owned());
            let display_name = Some(name(n));
            (
                tenant_id(n),
                RosterTenant { tenant_id: tenant_id(n), display_name, exclude, ..RosterTenant::default() },
            )
        });
        let roster = Roster { tenants: roster.collect() };
        let assessment = Assessment {
            decision_id: "0123456789abcdef0123456789abcdef".to_owned(),
            campaign: campaign.name.clone(),
            window,
            tenants: assess(&campaign, &roster, &evidence, window),
        };
        let days = days(&assessment, &mut draw);
        let who = who(&assessment, hostile, &mut draw);
        Self { campaign, assessment, usage: PageUsage { days, who } }
    }

    pub(super) fn page(&self) -> String {
        let Self { campaign, assessment, usage } = self;
        render(&Snapshot { campaign, assessment, usage, standing: NOTHING_ANNOUNCED }, &Links::BESIDE)
            .expect("a page")
    }
}

/// Workdays with a rhythm, weekends with little; what is left over falls on the last day.
fn days(assessment: &Assessment, draw: &mut Draw) -> UsageByDay {
    let window = assessment.window;
    let mut total: BTreeMap<Protocol, UserCount> = BTreeMap::new();
    for row in assessment.tenants.iter().flat_map(|tenant| &tenant.protocols).filter(|row| row.sign_ins > 0) {
        let of = total.entry(row.protocol).or_default();
        *of = UserCount { users: of.users + row.users, sign_ins: of.sign_ins + row.sign_ins };
    }
    let mut of_protocol = |total: UserCount| {
        let mut left = total.sign_ins;
        let mut days = BTreeMap::new();
        for day in window.first.iter_days().take_while(|day| *day < window.end) {
            let rest = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            let share = total.sign_ins / if rest { 120 } else { 24 };
            let last = day.succ_opt() == Some(window.end);
            let sign_ins = if last { left } else { (share - share.min(draw.below(share / 3 + 2))).min(left) };
            left -= sign_ins;
            if sign_ins > 0 {
                let users = (total.users / if rest { 4 } else { 2 } + draw.below(total.users / 4 + 1))
                    .clamp(1, sign_ins);
                days.insert(day, UserCount { users, sign_ins });
            }
        }
        days
    };
    total.into_iter().map(|(protocol, total)| (protocol, of_protocol(total))).collect()
}

fn who(assessment: &Assessment, hostile: bool, draw: &mut Draw) -> BTreeMap<String, Vec<BusyUser>> {
    let rows = rows_of_users(assessment);
    let mut who = BTreeMap::new();
    for tenant in &assessment.tenants {
        let wanted = rows.get(tenant.tenant_id.as_str()).copied().unwrap_or(0);
        let users = usize::try_from(tenant.users).expect("few").min(wanted);
        let user = |n: usize, draw: &mut Draw| BusyUser {
            protocol: tenant.protocols_in_use[n % tenant.protocols_in_use.len()],
            user: match HOSTILE.get(n) {
                Some(name) if hostile => (*name).to_owned(),
                _ => format!("user.{n}@{}.example.com", &tenant.tenant_id[..8]),
            },
            app: (n % 4 != 3).then(|| APPS[n % APPS.len()].to_owned()),
            sign_ins: draw.below(500) + 1,
            last_seen: Some(
                midnight(assessment.window.end) - TimeDelta::minutes(draw.below(9_000) as i64 + 1),
            ),
        };
        if users > 0 {
            who.insert(tenant.tenant_id.clone(), (0..users).map(|n| user(n, draw)).collect());
        }
    }
    who
}

//! The days between notice and change: no clock that somebody sets, and no order of commands, takes one of them away.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use lightsout_campaign::guards::{DecisionAge, Stop, days};
use lightsout_campaign::plan::Due;
use lightsout_campaign::{Event, EventKind};
use lightsout_model::protocol::Protocol;

use crate::world::{World, day, noon, tenant};

#[tokio::test]
async fn a_clock_a_year_fast_turns_nothing_off_early() {
    let mut world = World::of(1);
    let decision = world.decision();
    world.announce(&decision, None, None, noon(0)).await;
    for (wall, due) in [(0, 0), (29, 0), (30, 1)] {
        world.wall = Some(noon(wall));
        assert_eq!(world.apply(noon(365)).await.len(), due, "day {wall}, said to be day 365");
        let confirmed = world.clone().confirm(1, None, noon(365)).await;
        assert_eq!(confirmed.events.len(), due, "day {wall}: {:?}", confirmed.refused);
    }

    // Announced as if it had been forty days ago: the days count from today.
    let mut world = World::of(1);
    world.wall = Some(noon(41));
    world.announce(&decision, None, None, noon(1)).await;
    assert_eq!(world.apply(noon(41)).await, []);
    world.wall = Some(noon(71));
    assert_eq!(world.apply(noon(71)).await.len(), 1);

    // Announced as if it were a year later: the tenant was told that day.
    let mut world = World::of(1);
    world.wall = Some(noon(0));
    world.announce(&decision, None, None, noon(365)).await;
    world.wall = Some(noon(300));
    assert_eq!(world.apply(noon(500)).await, []);
}

#[tokio::test]
async fn a_hold_of_a_clock_a_year_fast_ends_by_the_real_one() {
    let mut world = World::of(1);
    let decision = world.decision();
    world.announce(&decision, None, None, noon(0)).await;
    world.logs_end(1, 10);
    world.wall = Some(noon(10));
    let events = world.recheck(noon(375)).await;
    assert_eq!(events[0].event, EventKind::Held);
    world.wall = Some(noon(11));
    world.logs_are_back(1);
    let events = world.recheck(noon(11)).await;
    assert_eq!(events.iter().map(|event| event.event).collect::<Vec<_>>(), [EventKind::Released]);
    world.wall = Some(noon(30));
    assert_eq!(world.apply(noon(30)).await.len(), 1, "on its day");
}

#[tokio::test]
async fn fewer_days_than_the_campaign_gives_must_be_chosen() {
    let mut world = World::of(1);
    world.campaign.effective_date = Some(day(12));
    let decision = world.decision();
    let age = DecisionAge { decision_id: "d", window: world.window() };
    let refused = days(&world.campaign, age, None, false, noon(0)).expect_err("too few");
    let told = refused.to_string();
    assert!(matches!(refused, Stop::ShortNotice { days: 12, notice_days: 30, .. }), "{told}");
    assert!(told.contains("2026-11-13 leaves 12 days") && told.contains("the campaign gives 30"), "{told}");
    assert_eq!(days(&world.campaign, age, None, true, noon(0)), Ok((day(0), day(12))));
    world.campaign.effective_date = Some(day(30));
    assert_eq!(days(&world.campaign, age, None, false, noon(0)), Ok((day(0), day(30))), "just enough");

    // The announcement keeps it, and the shorter time is counted from the real day as well.
    world.campaign.effective_date = Some(day(12));
    world.announce(&decision, None, None, noon(0)).await;
    let announcement = world.ledger().await.tenants[&tenant(1)].announcement.clone();
    assert_eq!((announcement.short_notice, announcement.notice_days), (true, Some(12)));
    world.wall = Some(noon(11));
    assert_eq!(world.apply(noon(12)).await, []);
    world.wall = Some(noon(12));
    assert_eq!(world.apply(noon(12)).await.len(), 1);
}

#[test]
fn the_age_of_a_decision_counts_from_the_end_of_its_window() {
    let world = World::of(1);
    let age = DecisionAge { decision_id: "d", window: world.window() };
    let max = i64::from(world.campaign.max_decision_age_days);
    assert!(days(&world.campaign, age, None, false, noon(max - 1)).is_ok());
    let refused = days(&world.campaign, age, None, false, noon(max + 1)).expect_err("too old").to_string();
    assert!(
        refused.contains("ended") && refused.contains("assess again with the same --campaign"),
        "{refused}"
    );
}

/// A command, some days after the one before, by a clock that is so many days off.
#[derive(Debug, Clone)]
struct Step {
    after_days: i64,
    clock_off_days: i64,
    command: Command,
}

#[derive(Debug, Clone)]
enum Command {
    Announce,
    OptOut(Option<Protocol>),
    OptIn,
    Withdraw,
    Recheck,
    Confirm(Option<Protocol>),
    Correct,
    LogsEnd,
    LogsAreBack,
    Uses(Protocol),
    Stops(Protocol),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let protocol =
        || prop::sample::select(vec![Protocol::Imap4, Protocol::Pop3, Protocol::ExchangeWebServices]);
    let command = prop_oneof![
        3 => Just(Command::Announce),
        1 => prop::option::of(protocol()).prop_map(Command::OptOut),
        1 => Just(Command::OptIn),
        1 => Just(Command::Withdraw),
        2 => Just(Command::Recheck),
        2 => prop::option::of(protocol()).prop_map(Command::Confirm),
        1 => Just(Command::Correct),
        1 => Just(Command::LogsEnd),
        1 => Just(Command::LogsAreBack),
        1 => protocol().prop_map(Command::Uses),
        1 => protocol().prop_map(Command::Stops),
    ];
    let clock = prop_oneof![6 => Just(0_i64), 1 => -40_i64..0, 2 => 1_i64..60, 1 => Just(365)];
    let step = (0_i64..32, clock, command).prop_map(|(after_days, clock_off_days, command)| Step {
        after_days,
        clock_off_days,
        command,
    });
    prop::collection::vec(step, 1..12)
}

async fn run(world: &mut World, now: DateTime<Utc>, command: &Command) {
    let today = (now.date_naive() - day(0)).num_days();
    let one = |protocol: &Option<Protocol>| protocol.map(|protocol| vec![protocol]);
    match command {
        Command::Announce => {
            let decision = world.decision();
            world.announce(&decision, None, None, now).await;
        }
        Command::OptOut(protocol) => drop(world.opt_out(1, one(protocol).as_deref(), now).await),
        Command::OptIn => drop(world.opt_in(1, None, now).await),
        Command::Withdraw => drop(world.withdraw(1, now).await),
        Command::Recheck => drop(world.recheck(now).await),
        Command::Confirm(protocol) => drop(world.confirm(1, one(protocol).as_deref(), now).await),
        Command::Correct => drop(world.correct(1, None, now).await),
        Command::LogsEnd => world.logs_end(1, today),
        Command::LogsAreBack => world.logs_are_back(1),
        Command::Uses(protocol) => world.uses(1, *protocol, today),
        Command::Stops(protocol) => world.uses(1, *protocol, 100_000),
    }
}

fn names(event: &Event, protocol: Protocol) -> bool {
    event.protocol_list().contains(&protocol)
}

/// What is wrong with turning a protocol off now, told from the events as they stand, one after the other, and not from
/// the ledger.
fn objection(events: &[Event], protocol: Protocol, wall: DateTime<Utc>, notice_days: i64) -> Option<String> {
    let since =
        events.iter().rposition(|event| event.event == EventKind::Announced && names(event, protocol));
    let Some(since) = since else { return Some("never announced".to_owned()) };
    let announced = events[since].recorded_at.expect("recorded");
    if (wall.date_naive() - announced.date_naive()).num_days() < notice_days {
        return Some(format!("announced on {announced}"));
    }
    let last = |kinds: &[EventKind]| {
        let after = events[since..].iter().rev();
        after
            .filter(|event| names(event, protocol))
            .map(|event| event.event)
            .find(|kind| kinds.contains(kind))
    };
    if last(&[EventKind::Withdrawn]).is_some() {
        return Some("withdrawn".to_owned());
    }
    if last(&[EventKind::OptedOut, EventKind::OptedIn]) == Some(EventKind::OptedOut) {
        return Some("opted out".to_owned());
    }
    if last(&[EventKind::Held, EventKind::Released]) == Some(EventKind::Held) {
        return Some("on hold".to_owned());
    }
    let of_new_date = events[since..].iter().rev().find(|event| event.event == EventKind::Rescheduled);
    let new_date = of_new_date.and_then(|event| event.recorded_at);
    new_date.filter(|at| (wall - *at).num_days() < notice_days).map(|at| format!("a new date since {at}"))
}

async fn planned(world: &World, now: DateTime<Utc>) -> (Vec<Due>, World) {
    let mut world = world.clone();
    (world.apply(now).await, world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_sequence_of_commands_turns_off_what_has_not_had_its_days(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut world = World::of(1);
        world.reads_by_query = false;
        let notice_days = i64::from(world.campaign.notice_days);
        let mut wall = noon(0);
        for step in &steps {
            wall += TimeDelta::days(step.after_days) + TimeDelta::minutes(1);
            world.wall = Some(wall);
            let before = world.events.len();
            runtime.block_on(run(&mut world, wall + TimeDelta::days(step.clock_off_days), &step.command));
            // Nothing is recorded as off that might not be turned off.
            for at in before..world.events.len() {
                let event = &world.events[at];
                if event.event == EventKind::Confirmed {
                    for protocol in event.protocol_list() {
                        let since = world.events[..at].iter().rfind(|event| {
                            event.event == EventKind::Announced && names(event, protocol)
                        });
                        let announced = since.and_then(|event| event.recorded_at).expect("announced");
                        prop_assert!((wall.date_naive() - announced.date_naive()).num_days() >= notice_days);
                    }
                }
            }
            // Whatever time apply is told.
            for clock_off_days in [0, 40, 365] {
                let now = wall + TimeDelta::days(clock_off_days);
                let (due, after) = runtime.block_on(planned(&world, now));
                for protocol in due.iter().flat_map(|due| &due.protocols) {
                    let objection = objection(&after.events, *protocol, wall, notice_days);
                    prop_assert_eq!(objection, None, "{} on {}, said to be {}", protocol, wall, now);
                }
            }
        }
    }
}

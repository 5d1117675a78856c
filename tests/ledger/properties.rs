//! The state that the ledger gives does not depend on how often commands were repeated, nor on the
//! order in which their events stand.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use lightsout_campaign::Ledger;
use lightsout_model::protocol::Protocol;

use crate::world::{World, noon};

/// Commands of one day come one after the other.
fn time(day: i64, place: usize) -> DateTime<Utc> {
    noon(day) + TimeDelta::minutes(i64::try_from(place).expect("few commands"))
}

/// A command, on a day.
#[derive(Debug, Clone)]
enum Command {
    Announce {
        wave: Option<u32>,
        seed: u64,
    },
    OptOut {
        tenant: u32,
        protocol: Option<Protocol>,
    },
    Recheck,
    Confirm {
        tenant: u32,
    },
    /// These take back what others have done.
    OptIn {
        tenant: u32,
    },
    Withdraw {
        tenant: u32,
    },
    Correct {
        tenant: u32,
    },
}

impl Command {
    const fn tenant(&self) -> Option<u32> {
        match self {
            Self::OptOut { tenant, .. }
            | Self::Confirm { tenant }
            | Self::OptIn { tenant }
            | Self::Withdraw { tenant }
            | Self::Correct { tenant } => Some(*tenant),
            Self::Announce { .. } | Self::Recheck => None,
        }
    }
}

/// Commands that only go forward, as each of them can be repeated at any time.
fn commands() -> impl Strategy<Value = Vec<(DateTime<Utc>, Command)>> {
    on_days(forward(), 1..7)
}

fn all_commands() -> impl Strategy<Value = Vec<(DateTime<Utc>, Command)>> {
    let back = prop_oneof![
        (1_u32..4).prop_map(|tenant| Command::OptIn { tenant }),
        (1_u32..4).prop_map(|tenant| Command::Withdraw { tenant }),
        (1_u32..4).prop_map(|tenant| Command::Correct { tenant }),
    ];
    on_days(prop_oneof![2 => forward(), 1 => back], 1..10)
}

/// A withdrawn tenant may be drawn into the next wave in the place of another.
fn all_but_withdrawals() -> impl Strategy<Value = Vec<(DateTime<Utc>, Command)>> {
    all_commands().prop_map(|mut commands| {
        commands.retain(|(_, command)| !matches!(command, Command::Withdraw { .. }));
        commands
    })
}

fn forward() -> impl Strategy<Value = Command> {
    let protocol = prop::option::of(prop::sample::select(Protocol::ALL[..9].to_vec()));
    prop_oneof![
        (prop::option::of(1_u32..3), 0_u64..3).prop_map(|(wave, seed)| Command::Announce { wave, seed }),
        (1_u32..4, protocol).prop_map(|(tenant, protocol)| Command::OptOut { tenant, protocol }),
        Just(Command::Recheck),
        (1_u32..4).prop_map(|tenant| Command::Confirm { tenant }),
    ]
}

fn on_days(
    command: impl Strategy<Value = Command>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<(DateTime<Utc>, Command)>> {
    prop::collection::vec((0_i64..70, command), count).prop_map(|mut commands| {
        commands.sort_by_key(|(day, _)| *day);
        commands.into_iter().enumerate().map(|(place, (day, command))| (time(day, place), command)).collect()
    })
}

async fn run(world: &mut World, now: DateTime<Utc>, command: &Command) {
    let decision = world.decision();
    match command {
        Command::Announce { wave, seed } => drop(world.announce(&decision, *wave, Some(*seed), now).await),
        Command::OptOut { tenant, protocol } => {
            let protocols = protocol.map(|protocol| vec![protocol]);
            world.opt_out(*tenant, protocols.as_deref(), now).await;
        }
        Command::Recheck => drop(world.recheck(now).await),
        Command::Confirm { tenant } => drop(world.confirm(*tenant, None, now).await),
        Command::OptIn { tenant } => drop(world.opt_in(*tenant, None, now).await),
        Command::Withdraw { tenant } => drop(world.withdraw(*tenant, now).await),
        Command::Correct { tenant } => drop(world.correct(*tenant, None, now).await),
    }
}

/// Three tenants; one begins to use IMAP, one loses its logs.
fn world() -> World {
    let mut world = World::of(3);
    world.uses(2, Protocol::Imap4, 14);
    world.logs_end(3, 9);
    world
}

async fn after(commands: &[(DateTime<Utc>, Command)], repeats: &[u8]) -> (Ledger, World) {
    let mut world = world();
    for (at, (now, command)) in commands.iter().enumerate() {
        for _ in 0..=repeats.get(at).copied().unwrap_or(0) {
            run(&mut world, *now, command).await;
        }
    }
    (world.ledger().await, world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn repeating_commands_changes_nothing(commands in all_commands(), repeats in prop::collection::vec(0_u8..3, 0..10)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (once, _) = runtime.block_on(after(&commands, &[]));
        let (often, world) = runtime.block_on(after(&commands, &repeats));
        prop_assert_eq!(&once, &often);
        // Nothing is recorded twice, and a table with every event twice, in any order, says the same.
        let mut ids: Vec<&str> = world.events.iter().map(|event| event.event_id.as_str()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        prop_assert_eq!(ids.len(), all);
        let mut doubled = world.clone();
        doubled.events.extend(world.events.iter().rev().cloned());
        prop_assert_eq!(runtime.block_on(doubled.ledger()), once);
    }

    #[test]
    fn commands_that_did_something_change_nothing_when_they_are_repeated_later_in_any_order(
        commands in commands(),
        order in prop::collection::vec(0_usize..7, 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut world = world();
        let mut effective = Vec::new();
        for (now, command) in &commands {
            let before = world.events.len();
            runtime.block_on(run(&mut world, *now, command));
            if world.events.len() > before {
                effective.push((*now, command));
            }
        }
        let (ledger, events) = (runtime.block_on(world.ledger()), world.events.clone());
        for place in order {
            if let Some((now, command)) = effective.get(place % effective.len().max(1)) {
                runtime.block_on(run(&mut world, *now, command));
            }
        }
        prop_assert_eq!(&world.events, &events);
        prop_assert_eq!(runtime.block_on(world.ledger()), ledger);
    }

    #[test]
    fn one_tenants_commands_leave_the_others_as_they_are(commands in all_but_withdrawals()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (all, _) = runtime.block_on(after(&commands, &[]));
        let of_others: Vec<(DateTime<Utc>, Command)> = commands
            .iter()
            .filter(|(_, command)| command.tenant() != Some(1))
            .cloned()
            .collect();
        let (without, _) = runtime.block_on(after(&of_others, &[]));
        for (id, tenant) in all.tenants.iter().filter(|(id, _)| !id.starts_with("00000001")) {
            prop_assert_eq!(Some(tenant), without.tenants.get(id));
        }
    }
}

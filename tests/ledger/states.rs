//! What becomes of a change: one row a story.

use lightsout_campaign::announce::PassedOver;
use lightsout_campaign::{EventKind, Refusal};
use lightsout_model::change::HoldCause;
use lightsout_model::protocol::Protocol::{
    ExchangeWebServices, Imap4, MapiOverHttp, OfflineAddressBook, OutlookAnywhereRpc, Pop3, SmtpAuth,
};
use lightsout_model::verdict::Reason;

use crate::world::{World, announced, day, noon, notice_days, tenant};

/// Something that happens on a day.
#[derive(Debug, Clone, Copy)]
enum Step {
    Announce(i64),
    Uses(lightsout_model::protocol::Protocol, i64),
    LogsEnd(i64),
    LogsAreBack,
    RosterExcludes,
    RosterNoLongerExcludes,
    /// The roster says that only SMTP AUTH is still on.
    OnlySmtpIsOn,
    OptOut(Option<lightsout_model::protocol::Protocol>, i64),
    /// An opt-out that is refused; a part of the reason.
    Refused(i64, &'static str),
    Recheck(i64),
    Confirm(i64),
}

/// Of the change's protocols: how many are in each state at the end.
#[derive(Debug, PartialEq, Eq)]
struct End {
    pending: usize,
    on_hold: usize,
    opted_out: usize,
    off: usize,
    /// In the plan of the last day.
    due: usize,
}

const NINE: usize = 9;

#[tokio::test]
async fn every_story_of_a_change_ends_as_it_should() {
    use Step::{
        Announce, Confirm, LogsAreBack, LogsEnd, OnlySmtpIsOn, OptOut, Recheck, Refused, RosterExcludes,
        RosterNoLongerExcludes, Uses,
    };
    let end = |pending, on_hold, opted_out, off, due| End { pending, on_hold, opted_out, off, due };
    let stories: [(&str, i64, Vec<Step>, End); 18] = [
        ("nothing happens, and all of it is due on the day", 30, vec![Announce(0)], end(NINE, 0, 0, 0, NINE)),
        ("the day before, nothing is due", 29, vec![Announce(0)], end(NINE, 0, 0, 0, 0)),
        ("IMAP is used on day 29", 30, vec![Announce(0), Uses(Imap4, 29)], end(8, 1, 0, 0, 8)),
        (
            "a hold for usage does not go by itself",
            60,
            vec![Announce(0), Uses(Imap4, 29), Recheck(30), Uses(Imap4, 1000)],
            end(8, 1, 0, 0, 8),
        ),
        (
            "usage of one Outlook protocol keeps the group",
            30,
            vec![Announce(0), Uses(ExchangeWebServices, 12)],
            end(5, 4, 0, 0, 5),
        ),
        ("opted out on the last day", 31, vec![Announce(0), OptOut(None, 30)], end(0, 0, NINE, 0, 0)),
        (
            "the day after, an opt-out is refused",
            31,
            vec![Announce(0), Refused(31, "opting out was possible until 2026-12-01")],
            end(NINE, 0, 0, 0, NINE),
        ),
        (
            "opted out of one protocol, twice",
            30,
            vec![Announce(0), OptOut(Some(Imap4), 3), OptOut(Some(Imap4), 4)],
            end(8, 0, 1, 0, 8),
        ),
        (
            "opted out of one Outlook protocol, which keeps the group",
            30,
            vec![Announce(0), OptOut(Some(MapiOverHttp), 3)],
            end(5, 0, 4, 0, 5),
        ),
        (
            "what is opted out is not put on hold",
            30,
            vec![Announce(0), OptOut(Some(Imap4), 3), Uses(Imap4, 5)],
            end(8, 0, 1, 0, 8),
        ),
        ("the logs stop", 30, vec![Announce(0), LogsEnd(10)], end(0, NINE, 0, 0, 0)),
        (
            "the logs stop and come back",
            30,
            vec![Announce(0), LogsEnd(10), Recheck(20), LogsAreBack, Recheck(29)],
            end(NINE, 0, 0, 0, NINE),
        ),
        (
            "usage in the logs that came late",
            30,
            vec![Announce(0), LogsEnd(10), Recheck(20), LogsAreBack, Uses(Pop3, 12), Recheck(29)],
            end(8, 1, 0, 0, 8),
        ),
        (
            "the roster excludes the tenant in the middle",
            30,
            vec![Announce(0), RosterExcludes],
            end(0, NINE, 0, 0, 0),
        ),
        (
            "and takes that back",
            30,
            vec![Announce(0), RosterExcludes, Recheck(10), RosterNoLongerExcludes, Recheck(20)],
            end(NINE, 0, 0, 0, NINE),
        ),
        (
            "the logs come back on the day itself, which is too late for that day",
            30,
            vec![Announce(0), LogsEnd(10), Recheck(20), LogsAreBack],
            end(NINE, 0, 0, 0, 0),
        ),
        (
            "the tenant switches off most of it itself",
            30,
            vec![Announce(0), OnlySmtpIsOn],
            end(NINE, 0, 0, 0, 1),
        ),
        (
            "turned off, confirmed twice, and no opt-out any more",
            31,
            vec![Announce(0), OptOut(Some(SmtpAuth), 2), Recheck(30), Confirm(30), Confirm(31)],
            end(0, 0, 1, 8, 0),
        ),
    ];
    for (story, last_day, steps, expected) in stories {
        let mut world = World::of(1);
        let decision = world.decision();
        for step in &steps {
            match *step {
                Announce(day) => {
                    assert_eq!(world.announce(&decision, None, None, noon(day)).await.events.len(), 1);
                }
                Uses(protocol, from) => world.uses(1, protocol, from),
                LogsEnd(day) => world.logs_end(1, day),
                LogsAreBack => world.logs_are_back(1),
                RosterExcludes => world.settings(1).exclude = Some("moves house".to_owned()),
                RosterNoLongerExcludes => world.settings(1).exclude = None,
                OnlySmtpIsOn => world.settings(1).protocols_enabled = Some(vec![SmtpAuth]),
                OptOut(protocol, day) => {
                    let protocol = protocol.map(|protocol| vec![protocol]);
                    let done = world.opt_out(1, protocol.as_deref(), noon(day)).await;
                    assert_eq!(done.refused, [], "{story}");
                }
                Refused(day, why) => {
                    let done = world.opt_out(1, None, noon(day)).await;
                    assert!(
                        done.events.is_empty() && told(&done.refused).contains(why),
                        "{story}: {:?}",
                        done.refused
                    );
                }
                Recheck(day) => drop(world.recheck(noon(day)).await),
                Confirm(day) => assert_eq!(world.confirm(1, None, noon(day)).await.refused, [], "{story}"),
            }
        }
        let due = world.apply(noon(last_day)).await;
        let change = world.ledger().await.tenants[&tenant(1)].change.clone();
        let found = End {
            pending: change.pending().len(),
            on_hold: change.on_hold().len(),
            opted_out: change.opted_out().len(),
            off: change.off().len(),
            due: due.iter().map(|due| due.protocols.len()).sum(),
        };
        assert_eq!(found, expected, "{story}");
        assert_eq!(world.recheck(noon(last_day)).await, [], "{story}: a second recheck adds nothing");
    }
}

fn told(refused: &[Refusal]) -> String {
    refused.iter().map(|refusal| refusal.why.clone()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_wave_drawn_twice_is_the_same_wave_and_another_seed_draws_others_of_the_rest() {
    let mut world = World::of(10);
    let decision = world.decision();
    let first = world.announce(&decision, Some(4), Some(7), noon(0)).await;
    assert_eq!(first.events.len(), 4);
    let of_first = announced(&world.ledger().await);
    let again = world.announce(&decision, Some(4), Some(7), noon(1)).await;
    assert_eq!((again.events.len(), again.drawn_before), (0, Some(noon(0))));
    assert_eq!(announced(&world.ledger().await), of_first, "nobody is added");

    let second = world.announce(&decision, Some(4), Some(8), noon(1)).await;
    assert_eq!(second.events.len(), 4);
    let rest = world.announce(&decision, None, None, noon(2)).await;
    assert_eq!(rest.events.len(), 2, "everybody who is left");
    let ledger = world.ledger().await;
    assert_eq!(ledger.tenants.len(), 10, "each once");
    assert_eq!(
        ledger.tenants[&first.events[0].tenant_id].change.effective_date,
        day(notice_days(&world.campaign))
    );
    assert_eq!(
        ledger.tenants[&second.events[0].tenant_id].change.effective_date,
        day(31),
        "each with its own date"
    );
}

#[tokio::test]
async fn the_same_seed_draws_the_same_tenants_whoever_else_is_there() {
    let mut small = World::of(6);
    let mut large = World::of(12);
    let (a, b) = (small.decision(), large.decision());
    small.announce(&a, Some(3), Some(1), noon(0)).await;
    large.announce(&b, Some(6), Some(1), noon(0)).await;
    let large = announced(&large.ledger().await);
    let known: Vec<String> = (1..=6).map(tenant).collect();
    let common: Vec<_> = large.iter().filter(|id| known.contains(id)).take(3).collect();
    let drawn = announced(&small.ledger().await);
    assert!(common.iter().all(|id| drawn.contains(*id)) || drawn.iter().all(|id| large.contains(id)));
}

#[tokio::test]
async fn caps_and_exclusions_of_the_campaign_and_of_the_roster_are_kept_to() {
    let mut world = World::of(8);
    world.campaign.waves.pending_max = Some(3);
    world.campaign.waves.exclude_tenants = vec![tenant(1)];
    world.campaign.waves.exclude_clouds = vec!["GCC".to_owned()];
    world.settings(2).cloud = Some("gcc".to_owned());
    let decision = world.decision();
    world.settings(3).exclude = Some("merger".to_owned());
    world.settings(4).protocols_enabled = Some(Vec::new());
    world.uses(5, Imap4, 0);
    let picked = world.announce(&decision, None, None, noon(1)).await;
    assert_eq!(picked.events.len(), 3, "three are left, and the cap is three");
    let why = |n| picked.passed_over.get(&tenant(n));
    assert_eq!(why(1), Some(&PassedOver::ExcludedByCampaign { key: "exclude_tenants" }));
    assert_eq!(why(2), Some(&PassedOver::ExcludedByCampaign { key: "exclude_clouds" }));
    assert_eq!(why(3), Some(&PassedOver::ExcludedByRoster { note: "merger".to_owned() }));
    assert_eq!(why(4), Some(&PassedOver::AlreadyOff { campaign: None }));
    assert!(matches!(why(5), Some(PassedOver::Overtaken { reasons }) if !reasons.is_empty()));

    world.campaign.waves.exclude_tenants.clear();
    let picked = world.announce(&decision, None, None, noon(1)).await;
    assert_eq!(picked.events.len(), 0, "no room before one of the three is done");
    assert_eq!(picked.passed_over.get(&tenant(1)), Some(&PassedOver::NoRoom));
    world.opt_out(6, None, noon(2)).await;
    assert_eq!(world.announce(&decision, None, None, noon(2)).await.events.len(), 1);
}

#[tokio::test]
async fn only_what_is_not_in_use_is_announced_to_a_tenant_with_a_warning() {
    let mut world = World::of(1);
    world.uses(1, Imap4, -5);
    world.settings(1).protocols_enabled = Some(vec![Imap4, SmtpAuth, ExchangeWebServices, Pop3]);
    let decision = world.decision();
    world.announce(&decision, None, None, noon(0)).await;
    let change = world.ledger().await.tenants[&tenant(1)].change.clone();
    assert_eq!(change.announced(), [Pop3, SmtpAuth, ExchangeWebServices], "and what is off is not");
    assert_eq!(world.recheck(noon(9)).await, [], "what was in use before holds nothing up");
    assert_eq!(world.apply(noon(30)).await[0].protocols, [Pop3, SmtpAuth, ExchangeWebServices]);
}

#[tokio::test]
async fn a_hold_names_its_cause_and_only_what_it_is_about() {
    let mut world = World::of(2);
    let decision = world.decision();
    world.announce(&decision, None, None, noon(0)).await;
    world.uses(1, Imap4, 3);
    world.logs_end(2, 3);
    let events = world.recheck(noon(20)).await;
    let told: Vec<(&str, EventKind, &str)> = events
        .iter()
        .map(|event| (event.tenant_id.as_str(), event.event, event.protocols.as_str()))
        .collect();
    assert_eq!(told[0], (tenant(1).as_str(), EventKind::Held, "imap4"));
    assert_eq!((told[1].0, told[1].1, told.len()), (tenant(2).as_str(), EventKind::Held, 2));
    let ledger = world.ledger().await;
    let hold = &ledger.tenants[&tenant(1)].holds[&Imap4].0;
    assert_eq!((hold.cause, hold.reasons.len(), hold.reasons[0].code()), (HoldCause::Usage, 1, "in_use"));
    let hold = &ledger.tenants[&tenant(2)].holds[&OutlookAnywhereRpc].0;
    assert_eq!((hold.cause, hold.reasons[0].code()), (HoldCause::Coverage, "gap"));

    // Usage that shows up takes the place of lost coverage, also for a clock that lags.
    world.uses(2, OfflineAddressBook, 3);
    world.recheck(noon(19)).await;
    let holds = world.ledger().await.tenants[&tenant(2)].holds.clone();
    assert_eq!(holds[&OutlookAnywhereRpc].0.cause, HoldCause::Usage);
    assert_eq!(holds[&Imap4].0.cause, HoldCause::Coverage);
}

#[tokio::test]
async fn what_was_not_due_or_not_announced_is_not_confirmed() {
    let mut world = World::of(2);
    let decision = world.decision();
    world.announce(&decision, Some(1), None, noon(0)).await;
    let announced = announced(&world.ledger().await);
    let (told_to, other) = if announced.contains(&tenant(1)) { (1, 2) } else { (2, 1) };
    world.opt_out(told_to, Some(&[Imap4]), noon(3)).await;
    world.uses(told_to, Pop3, 4);
    world.recheck(noon(5)).await;
    let mut refused = Vec::new();
    for (n, protocols, day) in [
        (other, None, 30),
        (told_to, None, 29),
        (told_to, Some(vec![Imap4]), 30),
        (told_to, Some(vec![Pop3]), 30),
        (told_to, Some(vec![lightsout_model::protocol::Protocol::Autodiscover]), 30),
    ] {
        let done = world.confirm(n, protocols.as_deref(), noon(day)).await;
        assert!(done.events.is_empty());
        refused.push(done.refused[0].why.clone());
    }
    let parts = [
        "nothing was announced to it",
        "announced for 2026-12-01",
        "opted out of imap4",
        "on hold since",
        "not announced",
    ];
    for (why, part) in refused.iter().zip(parts) {
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(world.confirm(told_to, None, noon(30)).await.events[0].protocols.matches(';').count(), 6);
}

fn sorted(mut codes: Vec<&'static str>) -> Vec<&'static str> {
    codes.sort_unstable();
    codes
}

#[tokio::test]
async fn a_tenant_whose_log_ended_is_passed_over_as_a_recheck_would_hold_it() {
    // Of the days before the announcement: how many are missing, and what both say of it.
    for (days_missing, codes) in [
        (0, vec![]),
        (1, vec![]),
        (3, vec!["days_missing", "not_settled"]),
        (9, vec!["days_missing", "gap", "not_settled"]),
    ] {
        let mut world = World::of(2);
        let decision = world.decision();
        world.logs_end(1, 9 - days_missing);
        let picked = world.announce(&decision, None, Some(1), noon(10)).await;
        let found: Vec<&str> = match picked.passed_over.get(&tenant(1)) {
            None => vec![],
            Some(PassedOver::NotCovered { reasons }) => sorted(Reason::codes(reasons)),
            Some(other) => panic!("{days_missing} days: {other:?}"),
        };
        assert_eq!(found, codes, "{days_missing} days");
        assert_eq!(picked.events.len(), if codes.is_empty() { 2 } else { 1 }, "the other tenant is told");
        // The same log, of a change that was announced before it ended.
        let mut world = World::of(1);
        world.announce(&decision, None, None, noon(0)).await;
        world.logs_end(1, 9 - days_missing);
        world.recheck(noon(10)).await;
        let ledger = world.ledger().await;
        let held = ledger.tenants[&tenant(1)].holds.get(&Imap4);
        let held = held.map_or_else(Vec::new, |(hold, _)| sorted(Reason::codes(&hold.reasons)));
        assert_eq!(held, codes, "{days_missing} days, at the recheck");
    }
}

#[tokio::test]
async fn rejected_records_hold_a_change_until_they_are_cured() {
    let mut world = World::of(1);
    let decision = world.decision();
    world.announce(&decision, None, None, noon(0)).await;
    world.rejects(1, 3);
    world.recheck(noon(5)).await;
    let hold = world.ledger().await.tenants[&tenant(1)].holds[&Pop3].0.clone();
    assert_eq!((hold.cause, Reason::codes(&hold.reasons)), (HoldCause::Coverage, vec!["rejected_records"]));
    world.rejects(1, 0);
    world.recheck(noon(6)).await;
    assert!(world.ledger().await.tenants[&tenant(1)].holds.is_empty(), "cured");
}

/// A window that grows to twice its length may lack twice the days, and no more.
#[tokio::test]
async fn days_that_may_be_missing_grow_with_the_window() {
    for (day, missing, holds) in [(0, 1, 0), (0, 2, 9), (29, 2, 0), (29, 4, 9)] {
        let mut world = World::of(1);
        let decision = world.decision();
        world.announce(&decision, None, None, noon(0)).await;
        world.lacks_days(1, -20, missing);
        world.recheck(noon(day)).await;
        let held = world.ledger().await.tenants[&tenant(1)].holds.len();
        assert_eq!(held, holds, "{missing} days of the window until day {day}");
    }
}

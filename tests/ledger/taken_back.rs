//! What is taken back, comes too late, or turns out otherwise after the change.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use lightsout_campaign::announce::PassedOver;
use lightsout_campaign::{Event, EventKind, Ledger};
use lightsout_model::change::{HoldCause, ProtocolChange};
use lightsout_model::protocol::Protocol::{self, Imap4, MapiOverHttp, Pop3, SmtpAuth};
use lightsout_model::verdict::Reason;

use crate::world::{World, day, noon, request, tenant};

/// A tenant that everything was announced to on day 0.
async fn announced() -> World {
    let mut world = World::of(1);
    let decision = world.decision();
    assert_eq!(world.announce(&decision, None, None, noon(0)).await.events.len(), 1);
    world
}

/// What is off of the first tenant.
async fn off(world: &mut World) -> usize {
    world.ledger().await.tenants.get(&tenant(1)).map_or(0, |tenant| tenant.change.off().len())
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.event).collect()
}

#[tokio::test]
async fn a_withdrawn_announcement_turns_nothing_off_and_the_next_one_has_all_its_days() {
    let mut world = announced().await;
    world.opt_out(1, Some(&[Imap4]), noon(3)).await;
    let done = world.withdraw(1, noon(20)).await;
    assert_eq!((done.events.len(), done.events[0].protocols.matches(';').count()), (1, 8), "opted out, too");
    let again = world.withdraw(1, noon(20)).await;
    assert_eq!((again.events.len(), again.already), (0, vec![tenant(1)]));
    assert_eq!(world.apply(noon(30)).await, [], "the day that was announced first");
    for (done, why) in [
        (world.opt_out(1, None, noon(21)).await, "was withdrawn on 2026-11-21"),
        (world.confirm(1, None, noon(30)).await, "was withdrawn on 2026-11-21"),
    ] {
        assert!(done.events.is_empty() && done.refused[0].why.contains(why), "{:?}", done.refused);
    }

    let decision = world.decision();
    let second = world.announce(&decision, None, None, noon(31)).await;
    assert_eq!(second.events.len(), 1, "it can be announced again: {:?}", second.passed_over);
    let ledger = world.ledger().await;
    let change = &ledger.tenants[&tenant(1)].change;
    let kept = "nothing is left of the first but what the tenant keeps";
    assert_eq!((change.effective_date, change.pending().len()), (day(61), 8), "{kept}");
    assert_eq!(world.apply(noon(60)).await, []);
    assert_eq!(world.apply(noon(61)).await.len(), 1);
}

#[tokio::test]
async fn a_withdrawal_after_the_day_leaves_what_is_off_as_it_is() {
    let mut world = announced().await;
    world.uses(1, Imap4, 20);
    world.recheck(noon(25)).await;
    world.confirm(1, Some(&[Pop3, SmtpAuth]), noon(31)).await;
    let done = world.withdraw(1, noon(32)).await;
    assert_eq!(done.events[0].protocols.matches(';').count(), 6, "seven of nine");
    assert_eq!(world.apply(noon(40)).await, []);
    let ledger = world.ledger().await;
    assert_eq!(ledger.tenants[&tenant(1)].change.announced(), [Pop3, SmtpAuth]);
    assert!(!ledger.is_announced(&tenant(1)));

    // Announced again, what is off is not announced, and still looked at.
    world.uses(1, Imap4, 1000);
    let decision = world.decision();
    let second = world.announce(&decision, None, None, noon(41)).await;
    assert_eq!(second.events[0].protocols.matches(';').count(), 6, "{:?}", second.passed_over);
    assert_eq!(off(&mut world).await, 2);
    world.uses(1, Pop3, 45);
    assert_eq!(kinds(&world.recheck(noon(46)).await), [EventKind::UsedAfterChange]);

    // All of it off: there is nothing to withdraw, only to correct.
    let mut world = announced().await;
    world.confirm(1, None, noon(30)).await;
    let refused = world.withdraw(1, noon(31)).await.refused;
    assert!(
        refused[0].why.contains("undo.ps1") && refused[0].why.contains("campaign correct"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_opt_out_of_the_wrong_tenant_is_taken_back() {
    let mut world = announced().await;
    let refused = world.opt_in(1, None, noon(1)).await.refused;
    assert!(refused[0].why.contains("has not opted out of anything"), "{refused:?}");
    world.opt_out(1, Some(&[MapiOverHttp]), noon(3)).await;
    let done = world.opt_in(1, Some(&[MapiOverHttp]), noon(5)).await;
    assert_eq!(kinds(&done.events), [EventKind::OptedIn], "the day has not come, so it stays");
    assert_eq!(done.events[0].protocols.matches(';').count(), 3, "the whole group");
    assert_eq!(world.opt_in(1, Some(&[MapiOverHttp]), noon(6)).await.already, [tenant(1)]);
    let due = world.apply(noon(30)).await;
    assert_eq!(due[0].protocols.len(), 9);

    // The same request once more, at the very same time as the first: it counts.
    world.opt_out(1, Some(&[MapiOverHttp]), noon(3)).await;
    assert_eq!(world.apply(noon(30)).await[0].protocols.len(), 5);
    let done = world.opt_in(1, None, noon(30)).await;
    assert_eq!(kinds(&done.events), [EventKind::OptedIn, EventKind::Rescheduled]);
    assert_eq!(world.apply(noon(30)).await, [], "never on the day of the opt-in");
    let ledger = world.ledger().await;
    let change = &ledger.tenants[&tenant(1)].change;
    assert_eq!((change.effective_date, change.effective_date_before), (day(60), Some(day(30))));
    assert_eq!(world.apply(noon(60)).await[0].protocols.len(), 9);
}

/// One new date was recorded for each row of a list, and the notice told of the last one alone.
#[tokio::test]
async fn opt_ins_of_one_list_give_a_tenant_one_new_date() {
    let mut world = announced().await;
    world.opt_out(1, None, noon(3)).await;
    let requests = [request(1, Some(&[Imap4])), request(1, Some(&[MapiOverHttp]))];
    let done = world.opt_in_all(&requests, noon(31)).await;
    assert_eq!(kinds(&done.events), [EventKind::OptedIn, EventKind::OptedIn, EventKind::Rescheduled]);
    assert_eq!(done.events[2].protocols.matches(';').count(), 4, "IMAP4 and the Outlook group");
    assert_eq!(world.apply(noon(61)).await[0].protocols.len(), 5);
}

#[tokio::test]
async fn an_opt_out_that_ends_uncovers_the_hold_before_it() {
    let mut world = announced().await;
    world.uses(1, Imap4, 5);
    world.recheck(noon(6)).await;
    world.opt_out(1, Some(&[Imap4]), noon(7)).await;
    world.uses(1, Imap4, 1000);
    world.opt_in(1, Some(&[Imap4]), noon(8)).await;
    let ledger = world.ledger().await;
    let state = &ledger.tenants[&tenant(1)].change.protocols[&Imap4];
    assert_eq!(*state, ProtocolChange::OnHold { since: day(6), cause: HoldCause::Usage });
}

#[tokio::test]
async fn a_hold_that_ends_after_the_day_gets_a_new_day_and_nothing_goes_off_before() {
    let mut world = announced().await;
    world.logs_end(1, 25);
    world.recheck(noon(29)).await;
    world.logs_are_back(1);
    let events = world.recheck(noon(40)).await;
    assert_eq!(kinds(&events), [EventKind::Released, EventKind::Rescheduled]);
    assert_eq!(events[1].effective_date, Some(day(70)), "as many days as an announcement gives");
    assert_eq!(world.recheck(noon(40)).await, []);
    for (n, expected) in [(40, 0), (41, 0), (69, 0), (70, 1)] {
        assert_eq!(world.apply(noon(n)).await.len(), expected, "day {n}");
    }
    // What was turned off on the first day by somebody who did not wait for the recheck can still be said.
    let refused = world.confirm(1, None, noon(50)).await.refused;
    assert!(refused[0].why.contains("announced for 2027-01-10"), "{refused:?}");
}

#[tokio::test]
async fn usage_after_the_change_is_told_once_until_it_is_off_for_good() {
    let mut world = announced().await;
    world.confirm(1, None, noon(30)).await;
    world.uses(1, Imap4, 30);
    assert_eq!(world.recheck(noon(30)).await, [], "the day of the change itself does not count");
    let events = world.recheck(noon(33)).await;
    assert_eq!((kinds(&events), events[0].protocols.as_str()), (vec![EventKind::UsedAfterChange], "imap4"));
    let ledger = world.ledger().await;
    let used = ProtocolChange::UsedAfterChange { off_on: day(30), last_used: day(33) };
    assert_eq!(ledger.tenants[&tenant(1)].change.protocols[&Imap4], used);
    assert_eq!(world.recheck(noon(34)).await, [], "it is known");

    let refused = world.confirm(1, Some(&[Imap4]), noon(33)).await.refused;
    assert!(refused[0].why.contains("was used on 2026-12-04"), "{refused:?}");
    world.uses(1, Imap4, 1000);
    assert_eq!(world.confirm(1, Some(&[Imap4]), noon(35)).await.events.len(), 1, "turned off once more");
    assert_eq!(off(&mut world).await, 9);
    world.uses(1, Imap4, 36);
    assert_eq!(kinds(&world.recheck(noon(37)).await), [EventKind::UsedAfterChange], "and told once more");
}

#[tokio::test]
async fn a_confirmation_by_mistake_is_taken_back() {
    let mut world = announced().await;
    world.opt_out(1, Some(&[Imap4]), noon(3)).await;
    let refused = world.correct(1, None, noon(4)).await.refused;
    assert!(refused[0].why.contains("none of these protocols was confirmed"), "{refused:?}");
    world.confirm(1, None, noon(30)).await;
    assert_eq!(world.correct(1, Some(&[Pop3]), noon(31)).await.events.len(), 1);
    assert_eq!(world.correct(1, Some(&[Pop3]), noon(31)).await.already, [tenant(1)]);
    let due = world.apply(noon(31)).await;
    assert_eq!(
        (due[0].protocols.clone(), off(&mut world).await),
        (vec![Pop3], 7),
        "due again, after its days"
    );

    // It was used all along: known only once the confirmation is gone.
    world.uses(1, SmtpAuth, 32);
    world.recheck(noon(33)).await;
    world.correct(1, Some(&[SmtpAuth]), noon(33)).await;
    world.recheck(noon(34)).await;
    let ledger = world.ledger().await;
    assert_eq!(ledger.tenants[&tenant(1)].holds[&SmtpAuth].0.cause, HoldCause::Usage);
}

#[tokio::test]
async fn what_one_campaign_has_turned_off_another_does_not_announce() {
    let of = |protocols: &[Protocol]| {
        protocols.iter().map(|p| (*p, "smtp".to_owned())).collect::<BTreeMap<_, _>>()
    };
    let mut world = World::of(2);
    world.off_elsewhere = BTreeMap::from([(tenant(1), of(&[SmtpAuth])), (tenant(2), of(&Protocol::ALL))]);
    let decision = world.decision();
    let picked = world.announce(&decision, None, None, noon(0)).await;
    assert_eq!(picked.events.len(), 1);
    assert!(!picked.events[0].protocols.contains("smtp_auth"), "{}", picked.events[0].protocols);
    let why = PassedOver::AlreadyOff { campaign: Some("smtp".to_owned()) };
    assert_eq!(picked.passed_over.get(&tenant(2)), Some(&why));
}

#[tokio::test]
async fn two_hundred_tenants_whose_logs_ended_nine_days_ago_are_passed_over_and_not_held() {
    let mut world = World::of(202);
    let decision = world.decision();
    for n in 1..=200 {
        world.logs_end(n, 1);
    }
    let picked = world.announce(&decision, None, None, noon(10)).await;
    assert_eq!(picked.events.len(), 2);
    let not_covered = picked.passed_over.values().filter(|why| match why {
        PassedOver::NotCovered { reasons } => Reason::codes(reasons).contains(&"not_settled"),
        _ => false,
    });
    assert_eq!(not_covered.count(), 200);
    assert_eq!(world.recheck(noon(10)).await, [], "the recheck of the same minute holds nobody");
}

/// Events of earlier versions have neither place nor system's clock.
#[test]
fn events_of_earlier_versions_come_to_what_they_came_to() {
    let campaign = "c";
    let at = |n: i64| noon(n);
    let detail = r#"{"announcement_id":"w1","kind":"no_impact","seed":1,"wave":null,"eligible":1}"#;
    let first = Event {
        detail: Some(detail.to_owned()),
        ..Event::new(campaign, "t", EventKind::Announced, &[Imap4, Pop3], at(1))
    };
    let first = first.effective(day(31));
    let second = Event {
        detail: Some(detail.to_owned()),
        ..Event::new(campaign, "t", EventKind::Announced, &[SmtpAuth], at(2))
    };
    // Asked for at a time of the day of the announcement, before it was recorded.
    let out = Event::new(campaign, "t", EventKind::OptedOut, &[Imap4], at(1) - TimeDelta::hours(1));
    let cause = r#"{"cause":"coverage","reasons":[]}"#;
    let held = Event {
        detail: Some(cause.to_owned()),
        ..Event::new(campaign, "t", EventKind::Held, &[Pop3], at(5))
    };
    let released = Event::new(campaign, "t", EventKind::Released, &[Pop3], at(5));
    let events = vec![released, held, second, out, first.clone(), first];
    let ledger = Ledger::of(events).expect("a ledger");
    let tenant = &ledger.tenants["t"];
    assert_eq!(tenant.change.announced(), [Pop3, Imap4], "the first announcement holds");
    assert_eq!((tenant.change.opted_out(), tenant.change.on_hold()), (vec![Imap4], vec![Pop3]));
    assert_eq!((tenant.due_on(), ledger.next_position), (day(31), 5));
}

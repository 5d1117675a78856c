//! Every notice against the list of facts, `src/config/campaigns/facts.toml`: nothing that is gone, no address or message
//! id that is not in the list, and no date that is neither there nor in the notice's own data.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use super::*;
use crate::NoticeContext;
use crate::sample::campaign;
use lightsout_config::campaign_file::EMBEDDED;
use lightsout_model::change::ProtocolChange;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsFile {
    fact: Vec<Fact>,
    gone: Vec<Gone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    source: String,
    says: String,
    checked: toml::value::Datetime,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    dates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone {
    text: String,
    why: String,
}

const MONTHS: [(&str, &str); 12] = [
    ("January", "Januar"),
    ("February", "Februar"),
    ("March", "März"),
    ("April", "April"),
    ("May", "Mai"),
    ("June", "Juni"),
    ("July", "Juli"),
    ("August", "August"),
    ("September", "September"),
    ("October", "Oktober"),
    ("November", "November"),
    ("December", "Dezember"),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn facts_file() -> FactsFile {
    toml::from_str(&read("../config/campaigns/facts.toml")).expect("a list of facts")
}

impl FactsFile {
    /// What a text says that it may not. `own` are the days of the notice's own data.
    fn faults(&self, text: &str, own: &BTreeSet<NaiveDate>) -> Vec<String> {
        let mut faults = Vec::new();
        let lower = text.to_lowercase();
        for gone in self.gone.iter().filter(|gone| lower.contains(&gone.text.to_lowercase())) {
            faults.push(format!("names '{}': {}", gone.text, gone.why));
        }
        let (addresses, rest) = without_addresses(text);
        let is_source = |address: &String| self.fact.iter().any(|fact| fact.source == *address);
        faults.extend(
            addresses.into_iter().filter(|address| !is_source(address)).map(|a| format!("links to {a}")),
        );
        let words: Vec<&str> =
            rest.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let is_id = |word: &str| {
            word.strip_prefix("MC")
                .is_some_and(|number| number.len() > 4 && number.bytes().all(|b| b.is_ascii_digit()))
        };
        for id in words.iter().filter(|word| is_id(word)) {
            if !self.fact.iter().any(|fact| fact.ids.iter().any(|known| known == id)) {
                faults.push(format!("names the message {id}"));
            }
        }
        let is_fact = |date: &str| self.fact.iter().any(|fact| fact.dates.iter().any(|known| known == date));
        for date in dates_in(&words) {
            let day = NaiveDate::parse_from_str(&date, "%d %B %Y").or_else(|_| date.parse());
            if !is_fact(&date) && !day.is_ok_and(|day| own.contains(&day)) {
                faults.push(format!("names the date {date}"));
            }
        }
        faults
    }
}

/// The addresses of a text, and the text without them.
fn without_addresses(text: &str) -> (Vec<String>, String) {
    let (mut addresses, mut rest, mut left) = (Vec::new(), String::new(), text);
    while let Some(at) = left.find("https://").into_iter().chain(left.find("http://")).min() {
        rest.push_str(&left[..at]);
        left = &left[at..];
        let end = left.find(|c: char| c.is_whitespace() || "<>\"')|\\".contains(c)).unwrap_or(left.len());
        addresses.push(left[..end].trim_end_matches(['.', ',', ';']).to_owned());
        left = &left[end..];
    }
    rest.push_str(left);
    (addresses, rest)
}

/// "24 December 2026", "24. Dezember 2026", "December 2026", "in 2021", "im Jahr 2021" and 2026-12-24, each as it is
/// written in the list.
fn dates_in(words: &[&str]) -> Vec<String> {
    let number = |word: &str, digits: usize| word.len() <= digits && word.bytes().all(|b| b.is_ascii_digit());
    let year = |word: &str| word.len() == 4 && word.starts_with("20") && number(word, 4);
    let mut dates = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let after = |n: usize| words.get(at + n).copied().unwrap_or_default();
        let month = MONTHS.iter().find(|(english, german)| word == english || word == german);
        if let Some((month, _)) = month.filter(|_| year(after(1))) {
            let is_day = number(before, 2) && !before.is_empty();
            let day = if is_day { format!("{before} ") } else { String::new() };
            dates.push(format!("{day}{month} {}", after(1)));
        } else if year(word)
            && ["in", "of", "since", "until", "before", "after", "Jahr", "Jahres", "seit", "bis"]
                .contains(&before)
        {
            dates.push((*word).to_owned());
        } else if year(word)
            && after(1).len() == 2
            && number(after(1), 2)
            && let Some(day) = after(2).get(..2).filter(|day| number(day, 2))
        {
            dates.push(format!("{word}-{}-{day}", after(1)));
        }
    }
    dates
}

/// Every day that the data of a notice has, and those that follow from them.
fn own_days(context: &NoticeContext) -> BTreeSet<NaiveDate> {
    let data = serde_json::to_string(&(context.assessment, context.who)).expect("JSON");
    let words: Vec<&str> =
        data.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut days: BTreeSet<NaiveDate> = dates_in(&words).iter().filter_map(|day| day.parse().ok()).collect();
    for change in context.changes.values() {
        days.extend([change.announced_on, change.effective_date]);
        days.extend(change.protocols.values().filter_map(|state| match state {
            ProtocolChange::Pending => None,
            ProtocolChange::OptedOut { on, .. }
            | ProtocolChange::Off { on }
            | ProtocolChange::UsedAfterChange { off_on: on, .. } => Some(*on),
            ProtocolChange::OnHold { since, .. } => Some(*since),
        }));
        days.extend(change.effective_date_before);
        days.extend(change.protocols.values().filter_map(|state| match state {
            ProtocolChange::UsedAfterChange { last_used, .. } => Some(*last_used),
            _ => None,
        }));
    }
    let (campaign, window) = (context.campaign, context.assessment.window);
    days.extend([context.notice_date, context.effective_date(), window.first, window.end]);
    days.extend(window.end.pred_opt());
    days.extend(campaign.texts.checked);
    let later = |from: NaiveDate, days: u32| from.checked_add_days(chrono::Days::new(days.into()));
    days.extend(later(window.end, campaign.lookback_days));
    days.extend(later(context.notice_date, campaign.notice_days));
    days
}

#[test]
fn every_notice_of_every_campaign_says_only_what_the_list_of_facts_has() {
    let facts = facts_file();
    let mut read = 0;
    for (name, _) in EMBEDDED {
        for (kind, sample, tenant) in Sample::of_every_kind().into_iter().chain(in_german()) {
            let mut sample = sample;
            sample.campaign = campaign(name);
            let context = sample.context();
            let own = own_days(&context);
            let notice = rendered(&sample, kind, tenant);
            let (english, german) = MONTHS[sample.assessment.window.first.month0() as usize];
            for text in [&notice.title, &notice.markdown, &notice.html, &notice.json] {
                let mut text = text.replace(name, "");
                if kind == NoticeKind::UsageReport {
                    text =
                        text.replace(&format!("{english} 2026"), "").replace(&format!("{german} 2026"), "");
                    text = text.replace("2026-11", "");
                }
                assert_eq!(facts.faults(&text, &own), [""; 0], "{kind:?} of {name}:\n{text}");
                read += 1;
            }
        }
    }
    assert_eq!(read, 3 * 2 * Sample::of_every_kind().len() * 4);
}

fn in_german() -> Vec<(NoticeKind, Sample, usize)> {
    let all = Sample::of_every_kind().into_iter();
    all.map(|(kind, sample, tenant)| (kind, sample.in_german(), tenant)).collect()
}

#[test]
fn campaigns_templates_snapshots_and_clients_say_only_what_the_list_of_facts_has() {
    let facts = facts_file();
    let days =
        |days: &[&str]| days.iter().map(|day| day.parse().expect("a day")).collect::<BTreeSet<NaiveDate>>();
    for (name, text) in EMBEDDED {
        let campaign = campaign(name);
        let own = days(&["2026-11-26", "2026-12-31"]);
        let text = text.replace(name, "");
        assert_eq!(facts.faults(&text, &own), [""; 0], "{name}");
        assert!(facts.fact.iter().any(|fact| fact.source == campaign.texts.latest_information));
        let checked = campaign.texts.checked.expect("a day").to_string();
        assert!(
            facts.fact.iter().all(|fact| fact.checked.to_string() <= checked),
            "{name} is older than a fact"
        );
    }
    let clients = read("../model/clients.toml");
    assert_eq!(facts.faults(&clients, &days(&["2026-11-26"])), [""; 0]);
    let folders = ["snapshots/en", "snapshots/de", "templates/en", "templates/de"];
    for folder in folders.into_iter().chain(["templates/en/parts", "templates/de/parts"]) {
        for entry in
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder").flatten()
        {
            if entry.path().is_file() {
                let text = fs::read_to_string(entry.path()).expect("text");
                // The days of the samples are judged above, with the samples.
                let faults = facts.faults(&text, &BTreeSet::new()).into_iter();
                let faults: Vec<String> =
                    faults.filter(|fault| !fault.starts_with("names the date ")).collect();
                assert_eq!(faults, [""; 0], "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn a_closed_diagnostic_another_address_and_another_date_are_found() {
    let facts = facts_file();
    let own = BTreeSet::from(["2026-12-24".parse().expect("a day")]);
    for (text, fault) in [
        ("Ask for \"Diag: Enable Basic Auth in EXO\".", "names 'Diag:'"),
        ("See <https://aka.ms/exobasicauth>.", "names 'aka.ms/exobasicauth'"),
        (
            "See <https://learn.microsoft.com/en-us/nowhere>.",
            "links to https://learn.microsoft.com/en-us/nowhere",
        ),
        ("Message MC123456.", "names the message MC123456"),
        ("It goes off on 1 March 2026.", "names the date 1 March 2026"),
        ("It goes off in March 2026.", "names the date March 2026"),
        ("It went off in 2022.", "names the date 2022"),
        ("Abgeschaltet am 1. März 2026.", "names the date 1 March 2026"),
        ("Abgeschaltet im Jahr 2022.", "names the date 2022"),
        ("At 2026-12-25T00:00:00Z.", "names the date 2026-12-25"),
        ("On 31 December 2026.", "names the date 31 December 2026"),
    ] {
        let faults = facts.faults(text, &own);
        assert!(faults.iter().any(|found| found.starts_with(fault)), "{text}: {faults:?}");
    }
    let fine = "On 24 December 2026, at the end of December 2026 (MC786329), 2026-12-24T00:00:00Z.";
    assert_eq!(facts.faults(fine, &own), [""; 0]);
}

#[test]
fn every_fact_says_something_has_an_address_and_was_checked() {
    let facts = facts_file();
    let sources: BTreeSet<&str> = facts.fact.iter().map(|fact| fact.source.as_str()).collect();
    assert_eq!(sources.len(), facts.fact.len(), "each source once");
    for fact in &facts.fact {
        assert!(fact.source.starts_with("https://") && fact.says.ends_with('.'), "{}", fact.source);
        assert!(fact.checked.to_string().parse::<NaiveDate>().is_ok(), "{}", fact.source);
    }
}

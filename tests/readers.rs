//! The fast ways to read a record against the general one: the same row or the same reason to reject it,
//! whatever was read before. Records are of several exporters' kinds, and what happens to them is drawn:
//! bytes flipped, cut or put in, members twice, in another order, of another type, with blanks between.
//! `LIGHTSOUT_FUZZ_CASES` sets the number of cases for long runs.

use lightsout_formats::shapes::{RecordReader, Remembered, Shape};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Map, Value, json};

fn config() -> Config {
    let cases = std::env::var("LIGHTSOUT_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(150),
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::default()
    }
}

/// A record as one exporter writes it; `n` varies what is in it.
fn record(n: u32) -> Value {
    let policies: Vec<Value> = (0..n % 4)
        .map(|at| {
            json!({"id": format!("40000000-0000-4000-8000-{at:012}"), "displayName": format!("Policy \"{at}\" für alle"),
                   "enforcedGrantControls": if at % 2 == 0 { json!(["Mfa"]) } else { json!([]) }, "result": "notApplied",
                   "conditionsSatisfied": at * 7})
        })
        .collect();
    let steps: Vec<Value> = (0..n % 3)
        .map(|at| {
            let method = ["Password", "X.509 Certificate", "Mobile app notification"][(n / 3 + at) as usize % 3];
            json!({"authenticationStepDateTime": "2026-10-05T08:15:30", "authenticationMethod": method, "succeeded": at == 0})
        })
        .collect();
    let category = ["SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "AuditLogs"]
        [n as usize % 4];
    json!({
        "time": "2026-10-05T08:20:00.1234567Z", "category": category, "operationName": "Sign-in activity",
        "tenantId": "11111111-0000-4000-8000-000000000001",
        "resourceId": "/tenants/11111111-0000-4000-8000-000000000001/providers/Microsoft.aadiam",
        "resultType": n.to_string(), "resultDescription": "Invalid \u{fc}ser", "durationMs": 0,
        "callerIpAddress": "192.0.2.7", "correlationId": "30000000-0000-4000-8000-000000000001", "Level": 4,
        "location": "DE",
        "properties": {
            "id": format!("10000000-0000-4000-8000-{n:012}"), "createdDateTime": "2026-10-05T08:15:30.1234567+00:00",
            "userPrincipalName": "Jördis@example.com", "userId": format!("20000000-0000-4000-8000-{n:012}"),
            "userType": "Member", "appId": "50000000-0000-4000-8000-000000000001", "appDisplayName": "App \t \"x\"",
            "ipAddress": "192.0.2.8", "status": {"errorCode": n, "failureReason": "Wrong\u{e4}", "additionalDetails": null},
            "clientAppUsed": (["Browser", "IMAP4", "", "Other clients; POP"][n as usize / 2 % 4]),
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0",
            "deviceDetail": {"deviceId": "", "browser": null}, "riskEventTypes": [],
            "location": {"city": "Köln", "countryOrRegion": "DE", "geoCoordinates": {"latitude": -50.9375e0, "longitude": 6.96}},
            "conditionalAccessStatus": "notApplied", "appliedConditionalAccessPolicies": policies,
            "authenticationDetails": steps, "isInteractive": n.is_multiple_of(2), "authenticationProtocol": "none",
            "homeTenantId": "11111111-0000-4000-8000-000000000001", "resourceDisplayName": "Office 365 Exchange Online",
            "signInEventTypes": ["interactiveUser"], "resourceTenantId": null, "servicePrincipalId": "",
        },
    })
}

/// What happens to a record before it is text.
#[derive(Debug, Clone)]
enum Change {
    /// A member somewhere, found by counting, gets another value.
    Set(usize, Value),
    Remove(usize),
    /// A member is there once more, with this value.
    Again(usize, Value),
    Rename(usize, &'static str),
}

/// Members in the order of the text; an object may have a key twice, which a map can't.
#[derive(Debug, Clone)]
enum Tree {
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Scalar(Value),
}

impl Tree {
    fn of(value: Value, turn: usize) -> Self {
        match value {
            Value::Object(members) => Self::Object(turned(members, turn)),
            Value::Array(elements) => {
                Self::Array(elements.into_iter().map(|element| Self::of(element, turn)).collect())
            }
            scalar => Self::Scalar(scalar),
        }
    }

    fn objects(&mut self, visit: &mut impl FnMut(&mut Vec<(String, Self)>)) {
        match self {
            Self::Object(members) => {
                visit(members);
                for (_, member) in members {
                    member.objects(visit);
                }
            }
            Self::Array(elements) => elements.iter_mut().for_each(|element| element.objects(visit)),
            Self::Scalar(_) => {}
        }
    }

    fn change(&mut self, change: &Change) {
        let mut count = 0;
        self.objects(&mut |members| count += members.len());
        let (Change::Set(at, _) | Change::Remove(at) | Change::Again(at, _) | Change::Rename(at, _)) = change;
        let mut at = Some(at % count.max(1));
        self.objects(&mut |members| {
            match at {
                Some(here) if here < members.len() => match change {
                    Change::Set(_, value) => members[here].1 = Self::of(value.clone(), 0),
                    Change::Remove(_) => drop(members.remove(here)),
                    Change::Again(_, value) => {
                        let again = (members[here].0.clone(), Self::of(value.clone(), 0));
                        members.push(again);
                    }
                    Change::Rename(_, name) => (*name).clone_into(&mut members[here].0),
                },
                _ => {}
            }
            at = at.and_then(|at| at.checked_sub(members.len()));
        });
    }

    fn write(&self, blanks: &str, out: &mut String) {
        let list = |out: &mut String, open, close, len, item: &mut dyn FnMut(&mut String, usize)| {
            out.push(open);
            for at in 0..len {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(blanks);
                item(out, at);
            }
            out.push_str(blanks);
            out.push(close);
        };
        match self {
            Self::Object(members) => list(out, '{', '}', members.len(), &mut |out, at| {
                out.push_str(&Value::from(members[at].0.as_str()).to_string());
                out.push(':');
                out.push_str(blanks);
                members[at].1.write(blanks, out);
            }),
            Self::Array(elements) => {
                list(out, '[', ']', elements.len(), &mut |out, at| elements[at].write(blanks, out));
            }
            Self::Scalar(value) => out.push_str(&value.to_string()),
        }
    }
}

/// Members in another order.
fn turned(members: Map<String, Value>, turn: usize) -> Vec<(String, Tree)> {
    let mut members: Vec<_> = members.into_iter().map(|(key, value)| (key, Tree::of(value, turn))).collect();
    let len = members.len().max(1);
    members.rotate_left(turn % len);
    members
}

fn change() -> impl Strategy<Value = Change> {
    let value = || {
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!("0"),
            json!("  "),
            json!("x\\y\n\u{1f642}"),
            json!(50126),
            json!(-1.5e3),
            json!({}),
            json!([]),
            json!({"errorCode": "7", "countryOrRegion": 3, "authenticationMethod": "certificate"}),
            json!([{"authenticationMethod": "My Certificate"}, 3, null, []]),
            json!("[{\"authenticationMethod\":\"certificate\"}]"),
            json!("{\"errorCode\":5}"),
        ])
    };
    let name = prop::sample::select(vec![
        "tenantid",
        "errorCode",
        "failureReason",
        "SignInBondData",
        "properties",
        "status",
        "category",
        "time",
        "countryOrRegion",
        "id",
        "a\"b",
        "\u{fc}",
    ]);
    prop_oneof![
        3 => (any::<usize>(), value()).prop_map(|(at, value)| Change::Set(at, value)),
        2 => any::<usize>().prop_map(Change::Remove),
        2 => (any::<usize>(), value()).prop_map(|(at, value)| Change::Again(at, value)),
        2 => (any::<usize>(), name).prop_map(|(at, name)| Change::Rename(at, name)),
    ]
}

/// What happens to the text.
#[derive(Debug, Clone)]
enum Damage {
    Insert(usize, &'static str),
    Delete(usize, usize),
    Truncate(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = prop::sample::select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\t",
        "\u{1}",
        "0",
        "-",
        "e9",
        "1e999",
        "\\u",
        "\\ud83d\\ude42",
        "\\n",
        "null",
        "true",
        "\"a\":1,",
        "\"\",",
        "{}",
        "é",
        "\"properties\":{},",
        "\"status\":{},",
        "}}",
    ]);
    prop_oneof![
        6 => (any::<usize>(), piece).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        3 => (any::<usize>(), 1..40_usize).prop_map(|(at, len)| Damage::Delete(at, len)),
        1 => any::<usize>().prop_map(Damage::Truncate),
    ]
}

fn damaged(text: String, damage: &[Damage]) -> String {
    damage.iter().fold(text, |text, damage| {
        let chars: Vec<char> = text.chars().collect();
        let len = chars.len().max(1);
        match damage {
            Damage::Insert(at, piece) => {
                let (before, behind) = chars.split_at((at % len).min(chars.len()));
                before.iter().copied().chain(piece.chars()).chain(behind.iter().copied()).collect()
            }
            Damage::Delete(at, cut) => {
                let at = at % len;
                chars.iter().take(at).chain(chars.iter().skip(at + cut)).collect()
            }
            Damage::Truncate(at) => chars.iter().take(at % len).collect(),
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    let changes = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(change(), 1..4)];
    let damages = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(damage(), 1..3)];
    let blanks = prop::sample::select(vec!["", "", "", " ", "\t "]);
    (0..40_u32, 0..3_usize, changes, blanks, damages).prop_map(|(n, turn, changes, blanks, damages)| {
        let mut tree = Tree::of(record(n), turn * 5);
        for change in &changes {
            tree.change(change);
        }
        let mut text = String::new();
        tree.write(blanks, &mut text);
        damaged(text, &damages).replace('\n', " ")
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_was_read_before_a_record_reads_the_same(
        records in prop::collection::vec(text(), 1..20),
        between in prop::sample::select(vec!["\n", "\r\n", ",", "", "}\n", "\"\n"]),
    ) {
        let chunk = records.join(between);
        for shape in [Shape::Diagnostic, Shape::Graph] {
            let reader = RecordReader::json(shape);
            let mut ways = [Remembered::default(), Remembered::portable()];
            let mut at = 0;
            for record in &records {
                let expected = reader.parse(record);
                for seen in &mut ways {
                    let read = reader.parse_in(&chunk, at..at + record.len(), seen);
                    prop_assert_eq!(&read, &expected, "{}", record);
                }
                at += record.len() + between.len();
            }
        }
    }
}

/// The property would hold of a fast way that is never taken.
#[test]
fn records_that_are_alike_are_read_the_fast_way() {
    let reader = RecordReader::json(Shape::Diagnostic);
    for mut seen in [Remembered::default(), Remembered::portable()] {
        // Of a certificate, what stands beside it counts: such a record is walked through.
        let mut with_certificate = 0;
        for n in 0..300 {
            let mut text = String::new();
            Tree::of(record(n), 0).write("", &mut text);
            assert_eq!(reader.parse_in(&text, 0..text.len(), &mut seen), reader.parse(&text), "{text}");
            with_certificate += u64::from(text.contains("X.509"));
        }
        assert_eq!(with_certificate, 100);
        assert!(seen.read_fast() >= 190, "{} of 200", seen.read_fast());
    }
}

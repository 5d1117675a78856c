use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{DEPTH_MAX, ENVELOPES, Payload, records};
use crate::shapes::{Parsed, RecordReader, Shape};

/// A bare record of every shape that JSON can carry.
fn bare() -> Vec<Value> {
    let tenant = "11111111-0000-4000-8000-000000000001";
    vec![
        json!({"time": "2026-10-05T08:20:00Z", "category": "NonInteractiveUserSignInLogs",
               "operationName": "Sign-in activity", "tenantId": tenant, "resultType": "0",
               "properties": {"id": "10000000-0000-4000-8000-000000000001", "createdDateTime": "2026-10-05T08:15:30Z",
                              "userPrincipalName": "Jördis \"Jo\" \\ Berg@example.com", "clientAppUsed": "IMAP4",
                              "status": {"errorCode": 0, "failureReason": "Other."}}}),
        json!({"TimeGenerated": "2026-10-05T08:20:00Z", "CreatedDateTime": "2026-10-05T08:15:30Z", "Id": "2",
               "AADTenantId": tenant, "Category": "SignInLogs", "UserPrincipalName": "ann@example.com",
               "ClientAppUsed": "POP3", "ResultType": "50126", "Type": "SigninLogs", "Status": "{\"errorCode\":50126}"}),
        json!({"id": "3", "createdDateTime": "2026-10-05T08:15:30Z", "userId": "20000000-0000-4000-8000-000000000003",
               "clientAppUsed": "Authenticated SMTP", "status": {"errorCode": 0}, "ipAddress": "192.0.2.7"}),
        json!({"CreationTime": "2026-10-05T08:15:30", "Id": "4", "Operation": "UserLoggedIn", "RecordType": 15,
               "Workload": "AzureActiveDirectory", "OrganizationId": tenant, "UserId": "ann@example.com",
               "ExtendedProperties": [{"Name": "UserAgent", "Value": "BAV2ROPC"}]}),
    ]
}

/// How a payload is put into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Json,
    Text,
    TwiceText,
}

const CODINGS: [Coding; 3] = [Coding::Json, Coding::Text, Coding::TwiceText];

fn coded(value: &Value, coding: Coding) -> Value {
    match coding {
        Coding::Json => value.clone(),
        Coding::Text => Value::String(value.to_string()),
        Coding::TwiceText => Value::String(Value::String(value.to_string()).to_string()),
    }
}

/// The value in an envelope of the table, with members around it that mean nothing, before it and behind it.
fn wrapped(at: usize, value: &Value, coding: Coding) -> Value {
    let envelope = &ENVELOPES[at];
    let payload = match envelope.payload {
        Payload::Record => coded(value, coding),
        Payload::Records => json!([coded(value, coding)]),
        Payload::Rows if coding != Coding::Json => return coded(&wrapped(at, value, Coding::Json), coding),
        Payload::Rows => {
            let (names, cells): (Vec<_>, Vec<_>) = match value.as_object() {
                Some(members) => {
                    members.iter().map(|(name, cell)| (json!({"name": name}), cell.clone())).unzip()
                }
                None => (vec![json!({"name": "RawData"})], vec![value.clone()]),
            };
            let table = json!({"name": "PrimaryResult", "columns": names, envelope.path[0]: [cells]});
            return match envelope.path {
                ["tables" | "Tables"] => {
                    let mut table = table;
                    let rows = table.as_object_mut().expect("an object").remove(envelope.path[0]);
                    table["rows"] = rows.expect("rows");
                    json!({envelope.path[0]: [{"name": "Statistics", "columns": [], "rows": []}, table]})
                }
                _ => table,
            };
        }
    };
    let inner = envelope.path[1..]
        .iter()
        .rev()
        .fold(payload, |inner, name| json!({"a": 1, *name: inner, "zz": null}));
    json!({"@timestamp": "2026-10-05T08:20:00Z", envelope.path[0]: inner, "zzz": {"module": "azure"}})
}

/// What a record says, as the reader of a file of that shape takes it.
fn read(text: &str) -> Vec<Parsed<'static>> {
    let reader = RecordReader::json(Shape::recognise(text).unwrap_or(Shape::Diagnostic));
    let opened = match records(text) {
        Some(records) => records.into_iter().map(std::borrow::Cow::into_owned).collect(),
        None => vec![text.to_owned()],
    };
    opened
        .iter()
        .map(|record| match reader.inner().parse(record).unwrap_or_else(|why| panic!("{why}: {text}")) {
            Parsed::SignIn(sign_in) => Parsed::SignIn(Box::new(sign_in.into_owned())),
            Parsed::NotSignIn => Parsed::NotSignIn,
        })
        .collect()
}

#[test]
fn every_envelope_around_every_shape_gives_the_bare_record() {
    for record in bare() {
        let expected = read(&record.to_string());
        assert!(matches!(expected.as_slice(), [Parsed::SignIn(_)]));
        for (at, envelope) in ENVELOPES.iter().enumerate() {
            for coding in CODINGS {
                let text = wrapped(at, &record, coding).to_string();
                assert_eq!(read(&text), expected, "{:?} {coding:?}: {text}", envelope.path);
                let text = serde_json::to_string_pretty(&wrapped(at, &record, coding)).expect("JSON");
                assert_eq!(read(&text), expected, "{:?} {coding:?}, pretty", envelope.path);
            }
        }
    }
}

#[test]
fn every_pair_of_nested_envelopes_gives_the_bare_record() {
    let bare = bare();
    let expected: Vec<_> = bare.iter().map(|record| read(&record.to_string())).collect();
    for inner in 0..ENVELOPES.len() {
        for outer in 0..ENVELOPES.len() {
            // Each shape is in each envelope alone above; here they take turns.
            let shape = (inner + outer) % bare.len();
            let (record, expected) = (&bare[shape], &expected[shape]);
            let coding = CODINGS[(inner + outer) % CODINGS.len()];
            let text = wrapped(outer, &wrapped(inner, record, coding), coding).to_string();
            assert_eq!(
                &read(&text),
                expected,
                "{:?} in {:?}: {text}",
                ENVELOPES[inner].path,
                ENVELOPES[outer].path
            );
        }
    }
}

#[test]
fn objects_of_nothing_but_containers_are_lists() {
    for record in bare() {
        let expected = read(&record.to_string());
        for text in [
            serde_json::json!({ "signIns": [record] }),
            serde_json::json!({ "auditLogs": { "signIns": [record] } }),
            serde_json::json!({ "10000000-0000-4000-8000-000000000001": record }),
        ] {
            assert_eq!(read(&text.to_string()), expected, "{text}");
        }
        // What is beside the records is not lost.
        let beside = serde_json::json!({ "1": record, "2": { "clientApp": "IMAP4" } }).to_string();
        assert_eq!(records(&beside).expect("a list").len(), 2, "{beside}");
        let with_text = serde_json::json!({ "signIns": [record], "note": "of October" }).to_string();
        assert!(records(&with_text).is_none(), "{with_text}");
    }
    for nothing in [r#"{"alerts":[]}"#, r#"{"a":{"b":[]}}"#, r#"{"a":{},"b":[]}"#] {
        assert!(records(nothing).is_none(), "{nothing}");
    }
}

#[test]
fn elastic_documents_without_the_original_are_read_by_their_fields() {
    let document = json!({
        "@timestamp": "2026-10-05T08:20:00.123Z",
        "message": "Invalid password",
        "source": { "ip": "192.0.2.7" },
        "user_agent": { "original": "BAV2ROPC" },
        "event": { "action": "Sign-in activity", "outcome": "failure" },
        "azure": {
            "tenant_id": "7b1f0c52-3d5e-4a86-9c1d-2f60a8e4b913",
            "correlation_id": "00000000-0000-4000-8000-000000000001",
            "signinlogs": {
                "operation_name": "Sign-in activity",
                "category": "NonInteractiveUserSignInLogs",
                "result_type": "50126",
                "properties": {
                    "id": "10000000-0000-4000-8000-000000000001",
                    "created_at": "2026-10-05T08:20:00.123Z",
                    "client_app_used": "IMAP4",
                    "user_principal_name": "ada@example.com",
                    "status": { "error_code": 50126 },
                },
            },
        },
    });
    let record = json!({
        "time": "2026-10-05T08:20:00.123Z",
        "operationName": "Sign-in activity",
        "category": "NonInteractiveUserSignInLogs",
        "tenantId": "7b1f0c52-3d5e-4a86-9c1d-2f60a8e4b913",
        "correlationId": "00000000-0000-4000-8000-000000000001",
        "callerIpAddress": "192.0.2.7",
        "resultType": "50126",
        "properties": {
            "id": "10000000-0000-4000-8000-000000000001",
            "createdDateTime": "2026-10-05T08:20:00.123Z",
            "clientAppUsed": "IMAP4",
            "userPrincipalName": "ada@example.com",
            "userAgent": "BAV2ROPC",
            "ipAddress": "192.0.2.7",
            "status": { "errorCode": 50126, "failureReason": "Invalid password" },
        },
    });
    assert_eq!(read(&document.to_string()), read(&record.to_string()));
    let search = json!({ "hits": { "hits": [{ "_source": document.clone() }] } });
    assert_eq!(read(&search.to_string()), read(&record.to_string()));
    // Where the original is kept, it is the record, and there is one.
    let mut both = document;
    both["event"]["original"] = Value::from(record.to_string());
    assert_eq!(read(&both.to_string()), read(&record.to_string()));
}

#[test]
fn a_record_beside_its_time_is_read_behind_a_tag() {
    let record = &bare()[0];
    let expected = read(&record.to_string());
    assert_eq!(read(&format!("azure.aad: [1791187200.000000, {record}]")), expected);
    assert_eq!(read(&format!("[1791187200.000000, {record}]")), expected);
}

#[test]
fn envelopes_are_opened_four_deep_and_no_deeper() {
    let record = &bare()[0];
    let message = ENVELOPES.iter().position(|envelope| envelope.path == ["message"]).expect("in the table");
    let nested = |depth| {
        (0..depth).fold(record.clone(), |inner, _| wrapped(message, &inner, Coding::Text)).to_string()
    };
    for depth in 1..=usize::from(DEPTH_MAX) {
        assert_eq!(records(&nested(depth)).map(|records| records.len()), Some(1), "{depth}");
    }
    assert_eq!(records(&nested(usize::from(DEPTH_MAX) + 1)), None);
}

#[test]
fn the_order_of_members_does_not_matter() {
    let record = bare()[0].to_string();
    let text = Value::from(record.as_str()).to_string();
    let members = [
        "\"event\":{\"module\":\"azure\"}".to_owned(),
        format!("\"message\":{text}"),
        "\"data\":\"none\"".to_owned(),
        "\"log\":{\"offset\":1}".to_owned(),
    ];
    for turn in 0..members.len() {
        let turned: Vec<&str> =
            members.iter().cycle().skip(turn).take(members.len()).map(String::as_str).collect();
        let outer = format!("{{{}}}", turned.join(","));
        assert_eq!(records(&outer).as_deref(), Some(&[record.as_str().into()][..]), "{outer}");
    }
}

#[test]
fn lines_with_a_prefix_and_texts_of_text_are_opened() {
    let record = bare()[0].to_string();
    let text = Value::from(record.as_str()).to_string();
    for outer in [
        format!("2026-10-05T08:20:00+00:00\tazure.signins\t{record}"),
        format!("<134>1 2026-10-05T08:20:00Z host azure 1 - [a@1 b=\"c\"] {record}"),
        format!("Oct  5 08:20:00 host azure[1]: {record}"),
        format!("2026-10-05T08:20:00.123Z stdout F {record}"),
        text.clone(),
        Value::from(text.as_str()).to_string(),
        format!("[{text}]"),
        format!("{{\"message\":{}}}", Value::from(format!("<134>Oct  5 08:20:00 host azure: {record}"))),
        format!("{{\"log\":{},\"stream\":\"stdout\"}}", Value::from(format!("{record}\n"))),
    ] {
        assert_eq!(records(&outer).as_deref(), Some(&[record.as_str().into()][..]), "{outer}");
    }
}

#[test]
fn of_a_list_with_a_record_nothing_is_lost() {
    let [a, b] = [bare()[0].to_string(), bare()[2].to_string()];
    let outer = format!("{{\"records\":[{a},{{\"x\":1}},{b},\"cut\",null]}}");
    let found = records(&outer).expect("opened");
    assert_eq!(found, [a.as_str(), "{\"x\":1}", b.as_str(), "\"cut\"", "null"]);
    // The time that stands beside a record is none.
    let stream = format!("{{\"values\":[[\"1791188130123000000\",{}]]}}", Value::from(a.as_str()));
    assert_eq!(records(&stream).as_deref(), Some(&[a.as_str().into()][..]));
    let lines = Value::from(format!("{a}\n{b}\n")).to_string();
    assert_eq!(records(&format!("{{\"message\":{lines}}}")).map(|found| found.len()), Some(2));
    // An answer without a record is no reject.
    assert_eq!(records(r#"{"message":"{\"records\":[]}"}"#), Some(Vec::new()));
    assert_eq!(records(r#"{"id":"1","status":200,"body":{"value":[]}}"#), Some(Vec::new()));
}

#[test]
fn what_holds_no_record_is_not_opened() {
    for outer in [
        r#"{"message":"hello"}"#,
        r#"{"message":"{\"time\":1}"}"#,
        r#"{"error":{"code":"Forbidden"}}"#,
        r#"{"columns":[{"name":"n"}],"rows":[[1]]}"#,
        "hello {",
        "",
        "\"",
        "[1,2]",
        r#"{"message":"{\"time\""#,
    ] {
        assert_eq!(records(outer), None, "{outer}");
    }
    let bare = bare()[0].to_string();
    assert_eq!(records(&bare), None, "a bare record is none inside another");
}

/// What would take hours if a level were looked at again for every level below it.
#[test]
fn hostile_nesting_takes_no_time() {
    let record = bare()[0].to_string();
    let megabyte = 1 << 20;
    let smaller = megabyte / 4;
    let mut hostile = vec![
        format!("{{\"message\":\"{}\"}}", "\\\\".repeat(megabyte / 2)),
        format!("{{\"message\":\"{}", "\\".repeat(megabyte)),
        format!("\"{}\"", "\\\"".repeat(megabyte / 2)),
        format!("x {}", "{".repeat(smaller)),
        format!("x {}}}", "{\"message\":".repeat(smaller / 12)),
        format!("{}{record}{}", "[".repeat(1_000), "]".repeat(1_000)),
        format!("{}{record}{}", "{\"message\":".repeat(1_000), "}".repeat(1_000)),
        format!("{{{}\"z\":1}}", "\"message\":{},".repeat(smaller / 13)),
        format!("{{{}\"z\":1}}", "\"event\":{\"original\":\"x\"},".repeat(smaller / 26)),
        format!("{{\"records\":[{}1]}}", "\"\",".repeat(smaller / 3)),
        format!("{{\"columns\":[\"a\"],\"rows\":[{}1]}}", "[1],".repeat(smaller / 4)),
    ];
    let mut nested = record;
    while nested.len() < smaller {
        nested = format!("{{\"message\":{0},\"data\":{0}}}", Value::from(nested));
    }
    hostile.push(nested);
    for outer in &hostile {
        let begun = Instant::now();
        let _ = records(outer);
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}: {}", begun.elapsed(), &outer[..40]);
    }
}

// Of several payloads only the first was read: an IMAP4 sign-in beside a modern one was lost without a word.
#[test]
fn every_payload_of_an_object_is_read_and_repeats_are_read_once() {
    let sign_in = |id: &str, client: &str| {
        json!({"id": id, "createdDateTime": "2026-10-05T08:15:30Z", "userPrincipalName": "ann@example.com",
               "clientAppUsed": client, "status": {"errorCode": 0}})
    };
    let audit = json!({"category": "AuditLogs", "time": "2026-10-05T08:15:30Z", "operationName": "Add user",
                       "properties": {"id": "9"}});
    let (modern, legacy) = (sign_in("1", "Browser"), sign_in("2", "IMAP4"));
    let other_client = sign_in("1", "IMAP4");
    let less = json!({"id": "1", "createdDateTime": "2026-10-05T08:15:30Z", "userPrincipalName": "ann@example.com",
                      "clientAppUsed": "Browser"});
    let carrier = |id: &str, client: &str, original: &Value| {
        let mut record = sign_in(id, client);
        record["message"] = Value::from(original.to_string());
        record
    };
    assert_eq!(records(&carrier("1", "Browser", &less).to_string()), None, "its original says no more");
    let clients = |outer: Value| -> Vec<String> {
        let outer = outer.to_string();
        let found = records(&outer).expect("an envelope");
        let of = |record: &str| {
            let value: Value = serde_json::from_str(record).expect("a record");
            value["clientAppUsed"].as_str().unwrap_or("none").to_owned()
        };
        found.iter().map(|record| of(record)).collect()
    };
    for (outer, expected) in [
        (json!({"records": [], "value": [legacy]}), vec!["IMAP4"]),
        (json!({"records": [modern], "value": [legacy]}), vec!["Browser", "IMAP4"]),
        (
            json!({"message": legacy.to_string(), "event": {"original": modern.to_string()}}),
            vec!["Browser", "IMAP4"],
        ),
        (json!({"message": modern.to_string(), "event": {"original": modern.to_string()}}), vec!["Browser"]),
        // A program's version of the record looks like one itself.
        (carrier("1", "Browser", &legacy), vec!["Browser", "IMAP4"]),
        (carrier("1", "Browser", &other_client), vec!["Browser", "IMAP4"]),
        (json!({"records": [carrier("1", "Browser", &legacy)]}), vec!["Browser", "IMAP4"]),
        (
            json!({"data": {"ms-graph": modern}, "full_log": other_client.to_string()}),
            vec!["Browser", "IMAP4"],
        ),
        (json!({"data": {"ms-graph": modern}, "full_log": less.to_string()}), vec!["Browser"]),
        (
            json!({"event": {"original": audit.to_string()}, "message": legacy.to_string()}),
            vec!["none", "IMAP4"],
        ),
    ] {
        assert_eq!(clients(outer.clone()), expected, "{outer}");
    }
}

// The table was passed without a word.
#[test]
fn a_table_with_rows_and_no_columns_is_handed_out_to_be_rejected() {
    let columns = json!([{"name": "TimeGenerated"}, {"name": "AADTenantId"}, {"name": "ResultType"}]);
    let rows = json!([["2026-10-05T08:15:30Z", "11111111-0000-4000-8000-000000000001", "0"]]);
    let table = json!({"name": "PrimaryResult", "columns": columns, "rows": rows});
    let bare = json!({"name": "Second", "rows": rows});
    let empty = json!({"name": "Statistics", "rows": []});
    let found = |tables: Value| records(&json!({ "tables": tables }).to_string()).map(|found| found.len());
    assert_eq!(found(json!([table, empty])), Some(1));
    let outer = json!({"tables": [table, bare, empty]}).to_string();
    let opened = records(&outer).expect("opened");
    assert_eq!(opened.len(), 2);
    assert_eq!(opened[1], bare.to_string());
    assert_eq!(found(json!([bare])), None);
    let nothing = json!({"name": "PrimaryResult", "columns": columns, "rows": []});
    assert_eq!(found(json!([nothing, empty])), Some(0));
    assert_eq!(found(json!([nothing, bare])), None, "it is not an answer without records");
}

// Elastic's integration moves the agent out of the record.
#[test]
fn an_agent_that_only_the_envelope_has_is_the_records() {
    let agents = |outer: &Value| -> Vec<Option<String>> {
        let of = |sign_in: Parsed<'static>| match sign_in {
            Parsed::SignIn(sign_in) => sign_in.user_agent.map(std::borrow::Cow::into_owned),
            Parsed::NotSignIn => panic!("a sign-in"),
        };
        read(&outer.to_string()).into_iter().map(of).collect()
    };
    for mut record in bare() {
        record.as_object_mut().expect("an object").remove("ExtendedProperties");
        for outer in [
            json!({"message": record.to_string(), "user_agent": {"original": "BAV2ROPC"}}),
            json!({"user_agent.original": "BAV2ROPC", "event": {"original": record.to_string()}}),
            json!({"result": {"_raw": record.to_string(), "UserAgent": "BAV2ROPC"}}),
            json!({"hits": {"hits": [{"_source": {"message": record.to_string(), "userAgent": "BAV2ROPC"}}]}}),
        ] {
            assert_eq!(agents(&outer), [Some("BAV2ROPC".to_owned())], "{outer}");
        }
        let modern = json!({"message": record.to_string(), "user_agent": {"original": "Mozilla/5.0"}});
        assert_eq!(agents(&modern), [None], "{modern}");
        // The agent of one hit is not that of another.
        let hit = |agent: &str| json!({"_source": {"message": record.to_string(), "userAgent": agent}});
        let hits = json!({"hits": {"hits": [hit("BAV2ROPC"), hit("Mozilla/5.0")]}});
        assert_eq!(agents(&hits), [Some("BAV2ROPC".to_owned()), None]);
    }
}

// Splunk and search engines flatten what they have parsed; the client app was lost, or the file refused.
#[test]
fn a_document_whose_keys_are_paths_is_put_together_again() {
    let flat = |prefix: &str, members: &Value| {
        let mut object = json!({"_time": "x"});
        if prefix == "properties." {
            object["category"] = "SignInLogs".into();
        }
        for (name, value) in members.as_object().expect("an object") {
            object[format!("{prefix}{name}")] = value.clone();
        }
        object
    };
    let members = json!({
        "id": "1", "createdDateTime": "2026-10-05T08:15:30Z", "userPrincipalName": "ann@example.com",
        "clientAppUsed": "IMAP4", "status.errorCode": "0", "appId": "2",
    });
    let elastic = json!({
        "id": "1", "created_at": "2026-10-05T08:15:30Z", "user_principal_name": "ann@example.com",
        "client_app_used": "IMAP4", "status.error_code": 0, "app_id": "2",
    });
    for outer in [
        flat("properties.", &members),
        json!({"preview": false, "result": flat("properties.", &members)}),
        flat("data.ms-graph.", &members),
        flat("_source.", &members),
        flat("value.", &members),
        flat("azure.signinlogs.properties.", &elastic),
        {
            let mut alone = flat("azure.signinlogs.properties.", &elastic);
            alone.as_object_mut().expect("an object").remove("_time");
            alone["azure.signinlogs.category"] = "SignInLogs".into();
            alone
        },
    ] {
        let found = read(&outer.to_string());
        let [Parsed::SignIn(sign_in)] = found.as_slice() else { panic!("one sign-in: {found:?} in {outer}") };
        assert_eq!(sign_in.client_app.as_deref(), Some("IMAP4"), "{outer}");
        assert_eq!(sign_in.error_code, Some(0), "{outer}");
        assert_eq!(sign_in.sign_in_id.as_deref(), Some("1"), "{outer}");
    }
    for other in [
        json!({"host.name": "a", "log.level": "info"}),
        json!({"properties.clientAppUsed": "IMAP4", "properties": "text", "properties.id": "1"}),
    ] {
        assert_eq!(records(&other.to_string()), None, "{other}");
    }
}

// Fields beside the record in a row were rejects, each a doubt of its own.
#[test]
fn what_stands_beside_records_in_answers_is_no_reject() {
    let record = bare()[0].to_string();
    for outer in [
        json!({"preview": false, "fields": ["_time", "_raw"], "rows": [["x", record.clone()], ["y", record.clone()]]}),
        json!([{"@timestamp": "x", "@message": record.clone(), "@ptr": "y"}, {"@message": record.clone()}]),
        json!({"Results": [{"ActionType": "x", "RawEventData": record.clone()}, {"RawEventData": record.clone()}]}),
    ] {
        assert_eq!(read(&outer.to_string()).len(), 2, "{outer}");
    }
}

//! Whose a log is, and what was not read of it: a tenant is cleared only by its own log, and not while a
//! rejected record or a refused file may be its usage.

mod program;
mod unread;

use std::fmt::Write as _;
use std::io::Write as _;

use program::Place;
use serde_json::Value;

const LAKE: &str = "lake";
const AS_OF: &str = "2026-11-01";
const A: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3a";
const B: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3b";

fn diagnostic(tenant: &str, id: u32, time: &str, category: &str, client: &str) -> String {
    format!(
        r#"{{"time":"{time}","category":"{category}","operationName":"Sign-in activity","tenantId":"{tenant}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"{time}","userPrincipalName":"user{}@example.com","clientAppUsed":"{client}","homeTenantId":"{tenant}","resourceTenantId":"{tenant}","status":{{"errorCode":0}}}}}}"#,
        id % 20
    )
}

/// Both logs until some days after the window, by modern clients alone.
fn modern_log(tenant: &str, first_id: u32) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2026, 8, 3).expect("a day");
    let mut text = String::new();
    let mut id = first_id;
    for day in first.iter_days().take(95) {
        for n in 0..40 {
            let category = if n % 2 == 0 { "SignInLogs" } else { "NonInteractiveUserSignInLogs" };
            let time = format!("{day}T{:02}:{n:02}:00Z", n % 24);
            id += 1;
            writeln!(text, "{}", diagnostic(tenant, id, &time, category, "Browser")).expect("text");
        }
    }
    text
}

/// A Graph page: it names no tenant, and its records only by home and resource.
fn page(tenant: &str, client: &str) -> String {
    let record = |id: u32, client: &str| {
        format!(
            r#"{{"id":"20000000-0000-4000-8000-{id:012}","createdDateTime":"2026-10-0{id}T08:15:30Z","userPrincipalName":"scanner@example.com","userId":"30000000-0000-4000-8000-000000000001","clientAppUsed":"{client}","resourceTenantId":"{tenant}","homeTenantId":"{tenant}","signInEventTypes":["nonInteractiveUser"],"status":{{"errorCode":0}}}}"#
        )
    };
    format!(
        r#"{{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns","value":[{},{}]}}"#,
        record(5, client),
        record(6, "Browser")
    )
}

/// The verdict of a tenant and the codes of its reasons.
fn verdict(place: &Place, tenant: &str) -> (String, Vec<String>) {
    let output = place.run(LAKE, &["assess", "--as-of", AS_OF, "--out", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(place.path("out/assessment.json")).expect("an assessment");
    let rows: Vec<Value> = serde_json::from_str(&text).expect("rows");
    let row = rows.iter().find(|row| row["tenant_id"] == tenant).expect("the tenant");
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let reasons = text("reasons");
    (text("verdict"), reasons.split(';').map(str::to_owned).collect())
}

fn is_held_by(place: &Place, tenant: &str, reason: &str) {
    let (verdict, reasons) = verdict(place, tenant);
    assert_eq!(verdict, "insufficient_evidence", "{reasons:?}");
    assert_eq!(reasons, [reason]);
}

fn is_clear(place: &Place, tenant: &str) {
    let told = verdict(place, tenant);
    assert_eq!(told.0, "no_impact", "{:?}", told.1);
}

fn code(place: &Place, arguments: &[&str]) -> (i32, String) {
    let output = place.tries(LAKE, arguments);
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn a_page_is_of_the_tenant_of_its_records_or_refused() {
    let place = Place::new();
    place.write("a.json", page(A, "Authenticated SMTP").as_bytes());
    place.write("b.json", page(B, "Browser").as_bytes());
    place.write("roster.csv", format!("tenant_id,domains\n{{{A}}},contoso.onmicrosoft.com\n").as_bytes());
    let covers = ["--covers", "2026-08-01..2026-10-31"];
    let ingest = |arguments: &[&str]| {
        let all: Vec<&str> = ["ingest"].iter().chain(arguments).chain(&covers).copied().collect();
        code(&place, &all)
    };
    let (exit, told) = ingest(&["a.json", "--tenant", "contoso.onmicrosoft.com"]);
    assert_eq!(exit, 2, "{told}");
    assert!(told.contains("contoso.onmicrosoft.com") && told.contains("--roster"), "{told}");

    let (exit, told) = ingest(&["a.json", "--tenant", B]);
    assert_eq!(exit, 3, "{told}");
    assert!(told.contains(A) && told.contains(B), "it names both: {told}");

    place.write("swapped.csv", format!("path,tenant_id\na.json,{B}\nb.json,{A}\n").as_bytes());
    let (exit, told) = ingest(&["a.json", "b.json", "--tenants-from", "swapped.csv"]);
    assert_eq!((exit, told.matches("refused ").count()), (3, 2), "{told}");
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM sign_in_records"), ["0"], "no row of any is left");

    let upper = format!("{{{}}}", A.to_uppercase());
    assert_eq!(ingest(&["a.json", "--tenant", &upper]).0, 0);
    assert_eq!(verdict(&place, A).0, "warning");
    place.run(
        "other",
        &[
            &["ingest", "a.json", "--tenant", "Contoso.onmicrosoft.com", "--roster", "roster.csv"][..],
            &covers,
        ]
        .concat(),
    );
    assert_eq!(place.csv("other", "SELECT DISTINCT tenant_id FROM sign_in_records"), [A]);
}

#[test]
fn rows_of_several_customers_are_told_apart_or_refused() {
    let place = Place::new();
    let row = |id: u32, tenant: &str| {
        format!(
            r#"{{"tenant":"{tenant}","id":"2000000{id}-0000-4000-8000-000000000000","createdDateTime":"2026-10-05T08:15:30Z","userPrincipalName":"a@example.com","clientAppUsed":"IMAP4","status":{{"errorCode":0}}}}"#
        )
    };
    place.write("all.json", format!("[{},{}]", row(1, "contoso.com"), row(2, "fabrikam.com")).as_bytes());
    let (exit, told) = code(&place, &["ingest", "all.json", "--tenant", A]);
    assert_eq!(exit, 3);
    assert!(
        told.contains("contoso.com") && told.contains("fabrikam.com") && told.contains("--roster"),
        "{told}"
    );
    place.write("roster.csv", format!("tenant_id,domains\n{A},contoso.com\n{B},fabrikam.com\n").as_bytes());
    place.ingest(LAKE, &["all.json", "--roster", "roster.csv"]);
    let tenants = "SELECT tenant_id, count(*) FROM sign_in_records GROUP BY 1 ORDER BY 1";
    assert_eq!(place.csv(LAKE, tenants), [format!("{A},1"), format!("{B},1")]);
}

#[test]
fn a_rejected_record_holds_its_tenant_until_it_is_whole_or_dismissed() {
    let place = Place::new();
    place.write("logs/a.json", (modern_log(A, 0) + &modern_log(B, 10_000)).as_bytes());
    place.ingest(LAKE, &["logs"]);
    is_clear(&place, A);

    let whole = diagnostic(A, 90_001, "2026-10-06T08:15:30Z", "SignInLogs", "Browser");
    let legacy = diagnostic(A, 90_002, "2026-10-06T08:15:30Z", "SignInLogs", "IMAP4");
    let before = whole.find("homeTenantId").expect("a member");
    let cut = |record: &str| record[..record.find("clientAppUsed").expect("a member")].to_owned();
    // A modern record is no doubt, wherever it is cut behind its client; nor is one of long ago.
    let old = cut(&legacy).replace("2026-10-06", "2026-03-06");
    place.write("logs/b.json", format!("{whole}\n{}\n{old}\n{whole}\n", &whole[..before]).as_bytes());
    place.ingest(LAKE, &["logs", "--max-rejects", "10"]);
    is_clear(&place, A);

    place.write("logs/c.json", format!("{whole}\n{}\n{whole}\n", cut(&legacy)).as_bytes());
    place.ingest(LAKE, &["logs"]);
    is_held_by(&place, A, "rejected_records");
    is_clear(&place, B);
    let dismiss = |tenant: &str, doubt: &str, source: &str| {
        code(
            &place,
            &[
                "lake", "dismiss", "--tenant", tenant, "--doubt", doubt, "--source", source, "--by", "Ada",
                "--why", "seen",
            ],
        )
    };
    for (wrong, expected) in [
        (dismiss(A, "rejects", "logs/c.json"), "rejected_records"),
        (dismiss("contoso.com", "rejected_records", "logs/c.json"), A),
        (dismiss(A, "rejected_records", "logs/nothing.json"), "logs/a.json"),
    ] {
        assert_eq!(wrong.0, 2);
        assert!(wrong.1.contains(expected), "{}", wrong.1);
    }
    assert_eq!(dismiss(A, "rejected_records", "logs/a.json").0, 0);
    is_held_by(&place, A, "rejected_records");
    assert_eq!(dismiss(A, "rejected_records", "logs/c.json").0, 0);
    is_clear(&place, A);

    let again = diagnostic(A, 90_003, "2026-10-07T08:15:30Z", "SignInLogs", "IMAP4");
    place.write("logs/d.json", format!("{whole}\n{}\n{whole}\n", cut(&again)).as_bytes());
    place.ingest(LAKE, &["logs"]);
    is_held_by(&place, A, "rejected_records");
    place.write("logs/e.json", again.replace("IMAP4", "Browser").as_bytes());
    place.ingest(LAKE, &["logs"]);
    is_clear(&place, A);

    // Nobody knows whose this is: both came with it.
    place.write(
        "logs/f.json",
        format!("{}\ngarbage\n{}\n", modern_log(A, 20_000), modern_log(B, 30_000)).as_bytes(),
    );
    let (exit, told) = code(&place, &["ingest", "logs"]);
    assert_eq!(exit, 3, "{told}");
    is_held_by(&place, A, "rejected_records");
    is_held_by(&place, B, "rejected_records");
}

#[test]
fn a_cut_file_is_torn_until_a_longer_copy_comes() {
    let place = Place::new();
    let log = modern_log(A, 0);
    place.write("a.json", log.as_bytes());
    place.ingest(LAKE, &["a.json"]);
    let two = |client: &str| {
        let record = |id| diagnostic(A, id, "2026-10-06T08:15:30Z", "SignInLogs", client);
        format!(r#"{{"records":[{},{}]}}"#, record(50_001), record(50_002))
    };
    let text = two("Browser");
    for (name, bytes) in [
        ("array.json", text.as_bytes()[..text.len() - 2].to_vec()),
        ("lines.json", log.as_bytes()[..log.len() - 200].to_vec()),
        ("gzip.json", {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(log.as_bytes()).expect("memory");
            let mut bytes = gzip.finish().expect("memory");
            bytes.truncate(bytes.len() - 9);
            bytes
        }),
    ] {
        place.write(name, &bytes);
        let (exit, told) = code(&place, &["ingest", name, "--max-rejects", "50%"]);
        assert_eq!(exit, 3, "{name}: {told}");
    }
    let torn = "SELECT path, rejected FROM sources WHERE truncation = 'torn' ORDER BY path";
    let torn = place.csv(LAKE, torn);
    assert_eq!(torn.len(), 3, "{torn:?}");
    is_held_by(&place, A, "rejected_records");
    // The cut line and the broken stream have a longer copy already; the array gets one.
    place.write(
        "copy.json",
        format!("{text}\n")
            .replace(
                "]}",
                &format!(",{}]}}", &diagnostic(A, 50_003, "2026-10-06T08:15:30Z", "SignInLogs", "Browser")),
            )
            .as_bytes(),
    );
    place.ingest(LAKE, &["copy.json"]);
    is_clear(&place, A);

    place.write(
        &format!("insights-logs-signinlogs/tenantId={A}/y=2026/m=10/d=06/h=08/m=00/PT1H.json"),
        b"{\"records\":[\n",
    );
    assert_eq!(code(&place, &["ingest", "insights-logs-signinlogs"]).0, 3);
    is_held_by(&place, A, "refused_files");
}

#[test]
fn an_answer_that_says_it_is_incomplete_proves_no_day() {
    let log = modern_log(A, 0);
    let records: Vec<&str> = log.lines().collect();
    let hits: Vec<String> = records.iter().map(|record| format!(r#"{{"_source":{record}}}"#)).collect();
    let hits = hits.join(",");
    let answer = |shards_failed: u32, timed_out: bool| {
        let head = format!(r#""_shards":{{"total":5,"failed":{shards_failed}}}"#);
        format!(r#"{{"took":9,{head},"hits":{{"total":3800,"hits":[{hits}]}},"timed_out":{timed_out}}}"#)
    };
    let page = |error: &str| format!(r#"{{"value":[{}],"error":{error}}}"#, records.join(","));
    let error_first = format!(r#"{{"error":{{"code":"PartialError"}},"value":[{}]}}"#, records.join(","));
    for (text, is_complete) in [
        (answer(0, false), true),
        (answer(1, false), false),
        (answer(0, true), false),
        (page("null"), true),
        (page(r#"{"code":"UnknownError","message":""}"#), false),
        (error_first, false),
    ] {
        let place = Place::new();
        place.write("answer.json", text.as_bytes());
        let (exit, told) = code(&place, &["ingest", "answer.json"]);
        let (start, end) = (&text[..60], &text[text.len() - 60..]);
        assert_eq!(exit, if is_complete { 0 } else { 3 }, "{start} … {end}: {told}");
        let rows = place.csv(LAKE, "SELECT sum(records), sum(rows) FROM sources");
        assert_eq!(rows, ["3800,3800"], "nothing is lost: {start}");
        if is_complete {
            is_clear(&place, A);
            continue;
        }
        let (verdict, reasons) = verdict(&place, A);
        assert_eq!(verdict, "insufficient_evidence", "{start} … {end}: {reasons:?}");
        // The query is run again, and answers in full.
        place.write("again.json", answer(0, false).as_bytes());
        place.ingest(LAKE, &["again.json"]);
        is_clear(&place, A);
    }
}

#[test]
fn a_refused_file_holds_the_tenants_of_its_folder_until_it_is_read_or_passed() {
    let place = Place::new();
    place.write("in/a/log.json", modern_log(A, 0).as_bytes());
    place.write("in/b/log.json", modern_log(B, 10_000).as_bytes());
    place.write("in/a/README.md", b"# Exports of October\nfrom the portal\n");
    place.write(
        "in/a/smtp.csv",
        b"When,Who,ClientApp,Outcome\n2026-10-10T09:00:00Z,a@example.com,Authenticated SMTP,Success\n",
    );
    assert_eq!(code(&place, &["ingest", "in"]).0, 3);
    is_held_by(&place, A, "refused_files");
    is_clear(&place, B);
    let refused = "SELECT count(*) FROM sources WHERE fate = 'refused'";
    place.ingest(LAKE, &["in"]);
    assert_eq!(place.csv(LAKE, refused), ["1"], "told once, and notes hold no sign-ins");

    place.ingest(LAKE, &["in", "--skip-unrecognised"]);
    is_clear(&place, A);
    place.write(
        "in/a/smtp.csv",
        b"When,Who,ClientApp,Outcome\n2026-10-11T09:00:00Z,a@example.com,Browser,Success\n",
    );
    place.ingest(LAKE, &["in"]);
    is_held_by(&place, A, "refused_files");
    // The same path in a form that is read.
    let row = "2026-10-11T09:00:00Z,40000000-0000-4000-8000-000000000001,a@example.com,Browser,Success";
    place.write(
        "in/a/smtp.csv",
        format!("Date (UTC),Request ID,Username,Client app,Status\n{row}\n").as_bytes(),
    );
    place.ingest(LAKE, &["in", "--tenant", A, "--category", "interactive"]);
    let told = verdict(&place, A);
    assert!(!told.1.contains(&"refused_files".to_owned()), "{told:?}");
}

/// One more sign-in of a doubtful kind among two complete logs, dismissed, and then one more of it.
#[test]
fn a_dismissed_doubt_about_sign_ins_is_gone_until_more_of_them_come() {
    let with = |client: &str, outcome: &str, time: &str, resource: &str, agent: &str, id: u32| {
        diagnostic(A, id, time, "SignInLogs", client)
            .replace(r#""status":{"errorCode":0}"#, outcome)
            .replace(r#""status""#, &format!(r#"{resource}{agent}"status""#))
    };
    let success = r#""status":{"errorCode":0}"#;
    let (in_window, before) = ("2026-10-06T08:15:30Z", "2026-09-15T08:15:30Z");
    let graph =
        r#""resourceId":"00000003-0000-0000-c000-000000000000","resourceDisplayName":"Microsoft Graph","#;
    let agent = r#""userAgent":"CBAInPROD","#;
    for (doubt, client, outcome, time, resource, agent) in [
        ("unrecognised_client", "Carrier Pigeon", success, in_window, "", ""),
        ("client_not_stated", "", success, in_window, "", ""),
        ("unknown_outcome", "POP3", r#""status":null"#, in_window, "", ""),
        ("used_before_window", "POP3", success, before, "", ""),
        ("legacy_agent_elsewhere", "Browser", success, in_window, graph, agent),
    ] {
        let place = Place::new();
        place.write("log.json", modern_log(A, 0).as_bytes());
        place.write("first.json", with(client, outcome, time, resource, agent, 90_001).as_bytes());
        place.ingest(LAKE, &["log.json", "first.json"]);
        is_held_by(&place, A, doubt);
        let dismiss = |source: &[&str]| {
            let flags = ["--tenant", A, "--doubt", doubt, "--by", "Ada", "--why", "a phone of mine"];
            place.run(LAKE, &[&["lake", "dismiss"][..], &flags, source].concat());
        };
        dismiss(&["--source", "log.json"]);
        is_held_by(&place, A, doubt);
        dismiss(&[]);
        is_clear(&place, A);
        let told = place.run(LAKE, &["explain", A, "--as-of", AS_OF]);
        let told = String::from_utf8(told.stdout).expect("text");
        assert!(told.contains(&format!("dismissed: {doubt}, by Ada on ")), "{told}");
        place.write("second.json", with(client, outcome, time, resource, agent, 90_002).as_bytes());
        place.ingest(LAKE, &["second.json"]);
        is_held_by(&place, A, doubt);
    }
    let place = Place::new();
    place.write("log.json", modern_log(A, 0).as_bytes());
    place.ingest(LAKE, &["log.json"]);
    let flags = ["--tenant", A, "--doubt", "filtered_export", "--by", "Ada", "--why", "it is whole"];
    let (exit, told) = code(&place, &[&["lake", "dismiss"][..], &flags].concat());
    assert!(exit == 2 && told.contains("--covers"), "{exit}: {told}");
}

/// One thing each that once ended as "no impact" beside two complete logs of modern clients.
#[test]
fn what_stands_for_nothing_proves_nothing() {
    let at = "2026-10-06T08:15:30Z";
    let usage = |category: &str| diagnostic(A, 90_001, at, category, "IMAP4");
    let anonymous = |client: &str| {
        diagnostic(A, 90_001, at, "SignInLogs", client)
            .replace("10000000-0000-4000-8000-000000090001", "ANONYMIZED")
    };
    let cut = |text: &str| text[..text.len() - 20].to_owned();
    let flat = format!(
        r#"{{"timegenerated":"{at}","createddatetime":"{at}","tenantid":"{B}","aadtenantid":"{A}","category":"NonInteractiveUserSignInLogs","operationname":"Sign-in activity","clientappused":"IMAP4","resulttype":"0"}}"#
    );
    let modern: String = modern_log(A, 200_000).split_inclusive('\n').take(200).collect();
    let lost_tail = format!("[{},{}", diagnostic(A, 90_001, at, "SignInLogs", "Browser"), {
        let text = diagnostic(A, 90_002, at, "SignInLogs", "Browser");
        text[..text.len() - 30].to_owned()
    });
    // The id, second and user of a modern sign-in, and a user agent that only Basic Authentication has.
    let rewritten = modern_log(A, 0)
        .lines()
        .nth(2_900)
        .expect("a record of the window")
        .replace(r#""clientAppUsed":"Browser""#, r#""clientAppUsed":"","userAgent":"BAV2ROPC""#);
    // The same beside a password grant by another application, which no verdict of this campaign counts.
    let at_once = |client: &str, more: &str| {
        diagnostic(A, 90_007, at, "SignInLogs", client)
            .replace(r#""status""#, &format!(r#""userId":"u7",{more}"status""#))
    };
    let granted = format!(
        "{}\n{}\n",
        at_once(
            "Mobile Apps and Desktop clients",
            r#""authenticationProtocol":"ropc","appId":"a1","resourceId":"r1","#
        ),
        at_once("", r#""userAgent":"BAV2ROPC","#)
    );
    let cases: [(&str, String, &str, &str); 11] = [
        ("a rewritten sign-in that another record calls a password grant", granted, "warning", "unattributed_legacy_use"),
        ("a rewritten sign-in that another record calls modern", rewritten, "warning", "unattributed_legacy_use"),
        ("a reject's id that many records have", format!("{}\n{}\n", anonymous("Browser"), cut(&anonymous("IMAP4"))),
            "insufficient_evidence", "rejected_records"),
        ("the lost end of an array", lost_tail, "insufficient_evidence", "rejected_records"),
        ("a log by an unknown name", usage("UserSignInLogs"), "warning", "in_use"),
        ("the resource tenant in braces",
            usage("SignInLogs").replace(&format!(r#""resourceTenantId":"{A}""#), &format!(r#""resourceTenantId":"{{{A}}}""#)),
            "warning", "in_use"),
        ("a resource tenant that is no id",
            usage("SignInLogs").replace(&format!(r#""resourceTenantId":"{A}""#), r#""resourceTenantId":"ANONYMIZED""#),
            "warning", "in_use"),
        ("rows in lower case, of a workspace", format!("{modern}{flat}\n"), "insufficient_evidence", "rejected_records"),
        ("a record as text in a line of another shape",
            format!("{modern}{}\n", serde_json::json!({"host": "x", "log": usage("SignInLogs")})),
            "warning", "in_use"),
        ("a record as text in a member that no envelope has",
            format!("{modern}{}\n", serde_json::json!({"host": "x", "blob": usage("SignInLogs")})),
            "insufficient_evidence", "rejected_records"),
        ("rewritten ropc by an application in braces",
            usage("SignInLogs").replace(
                r#""clientAppUsed":"IMAP4""#,
                r#""clientAppUsed":"Mobile Apps and Desktop clients","authenticationProtocol":"ropc","appId":"{00000002-0000-0FF1-CE00-000000000000}","resourceId":"{00000002-0000-0FF1-CE00-000000000000}""#,
            ),
            "warning", "unattributed_legacy_use"),
    ];
    for (what, text, expected, reason) in cases {
        let place = Place::new();
        place.write("log.json", modern_log(A, 0).as_bytes());
        place.ingest(LAKE, &["log.json"]);
        is_clear(&place, A);
        place.write("more.json", text.as_bytes());
        let (exit, told) = code(&place, &["ingest", "more.json", "--max-rejects", "100%"]);
        assert!(matches!(exit, 0 | 3), "{what}: {told}");
        assert_eq!(verdict(&place, A), (expected.to_owned(), vec![reason.to_owned()]), "{what}");
    }
}

#[test]
fn a_refused_file_is_of_those_beside_it_and_an_empty_one_in_its_place_is_no_cure() {
    let place = Place::new();
    place.write("logs/log.json", modern_log(A, 0).as_bytes());
    // UTF-32, which nothing reads.
    let text = diagnostic(A, 90_001, "2026-10-06T08:15:30Z", "SignInLogs", "IMAP4");
    let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    place.write("logs/today.json", &wide);
    assert_eq!(code(&place, &["ingest", "logs"]).0, 3);
    is_held_by(&place, A, "refused_files");
    place.write("logs/today.json", b"[]");
    place.ingest(LAKE, &["logs/today.json"]);
    is_held_by(&place, A, "refused_files");
    place.write("logs/today.json", text.as_bytes());
    place.ingest(LAKE, &["logs/today.json"]);
    assert_eq!(verdict(&place, A).0, "warning");
}

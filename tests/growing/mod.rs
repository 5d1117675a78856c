//! Files that grow between two ingests: only what was appended is read where that is told right alone, else the whole
//! file; whatever was read when, the answers are those of the whole file read once.

use std::fmt::Write as _;

use lightsout_ingest::find::find;
use lightsout_ingest::{IngestReport, Progress, ingest};
use lightsout_lake::Lake;
use serde_json::Value;

use super::program::Place;
use super::{TENANT, settings};

const GROWN: &str = "grown";
const WHOLE: &str = "whole";
const AS_OF: &str = "2026-03-31";

/// One sign-in of a minute of a day of March, as a line of a storage export.
fn line(category: &str, client: &str, day: u32, minute: u32) -> String {
    let time = format!("2026-03-{day:02}T{:02}:{:02}:07Z", minute / 60, minute % 60);
    let id = format!("{day:08}-0000-4000-8000-{minute:012}");
    format!(
        r#"{{"time":"{time}","category":"{category}","operationName":"Sign-in activity","tenantId":"{TENANT}","properties":{{"id":"{id}","createdDateTime":"{time}","userPrincipalName":"user{}@example.com","clientAppUsed":"{client}","status":{{"errorCode":0}}}}}}"#,
        minute % 7
    ) + "\n"
}

fn blob(day: u32, hour: u32) -> String {
    format!(
        "logs/insights-logs-noninteractiveusersigninlogs/tenantId={TENANT}/y=2026/m=03/d={day:02}/h={hour:02}/m=00/PT1H.json"
    )
}

/// Some minutes of a day: now and then a legacy client.
fn minutes(day: u32, minutes: std::ops::Range<u32>) -> String {
    minutes.fold(String::new(), |mut text, minute| {
        let client = if minute % 31 == 0 { "IMAP4" } else { "Browser" };
        write!(text, "{}", line("NonInteractiveUserSignInLogs", client, day, minute)).expect("text");
        text
    })
}

/// Ingests paths one run after the other, each after something was done.
fn collect<'p>(
    place: &Place,
    lake: &str,
    runs: impl IntoIterator<Item = (Box<dyn FnOnce() + 'p>, String)>,
) -> Vec<IngestReport> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let now = chrono::NaiveDate::from_ymd_opt(2026, 4, 1).and_then(|day| day.and_hms_opt(3, 0, 0));
    let now = now.expect("a time").and_utc().timestamp_micros();
    runtime.block_on(async {
        let mut lake = Lake::open_or_create(&place.path(lake)).await.expect("the lake");
        let mut reports = Vec::new();
        for (at, (before, path)) in (0..).zip(runs) {
            before();
            let inputs = find(&[place.path(&path).display().to_string()]).expect("the file").inputs;
            let settings = settings(now + at);
            reports.push(ingest(&mut lake, inputs, &settings, &Progress::default()).await.expect("ingested"));
        }
        reports
    })
}

/// Ingests one file again and again, each time with another text.
fn deliver(place: &Place, lake: &str, path: &str, texts: &[String]) -> Vec<IngestReport> {
    let runs = texts.iter().map(|text| {
        let write: Box<dyn FnOnce() + '_> = Box::new(|| place.write(path, text.as_bytes()));
        (write, path.to_owned())
    });
    collect(place, lake, runs)
}

fn verify(place: &Place, lake: &str) {
    let verified = place.tries(lake, &["lake", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// What is asked of a lake: its sign-ins, usage, covered days, and what is decided.
fn answers(place: &Place, lake: &str) -> Vec<(String, String)> {
    let text = |arguments: &[&str]| {
        let output = place.run(lake, arguments);
        String::from_utf8(output.stdout).expect("text")
    };
    let sign_ins = "SELECT * EXCLUDE (source_id, source_offset) FROM sign_ins ORDER BY sign_in_id, category";
    let mut answers = vec![("sign-ins".to_owned(), text(&["sql", sign_ins, "--format", "csv"]))];
    for report in ["protocol_usage", "coverage_calendar"] {
        answers.push((report.to_owned(), text(&["report", report, "--as-of", AS_OF, "--format", "csv"])));
    }
    text(&["assess", "--as-of", AS_OF, "--out", "out"]);
    let assessment = std::fs::read_to_string(place.path("out/assessment.json")).expect("an assessment");
    let mut assessment: Value = serde_json::from_str(&assessment).expect("rows");
    for row in assessment.as_array_mut().expect("rows") {
        row["decision_id"] = Value::Null;
    }
    answers.push(("verdicts".to_owned(), assessment.to_string()));
    for file in ["protocol_usage.csv", "coverage_gaps.csv"] {
        let text = std::fs::read_to_string(place.path("out").join(file)).expect("a file");
        answers.push((file.to_owned(), text));
    }
    answers
}

fn same_answers(place: &Place, what: &str) {
    for (grown, whole) in answers(place, GROWN).iter().zip(&answers(place, WHOLE)) {
        assert_eq!(grown, whole, "{what}");
    }
}

/// Rows and rejects of the whole lake, and how much of it tails are.
fn held(place: &Place, lake: &str) -> String {
    let count = "SELECT (SELECT count(*) FROM sign_in_records) AS rows, \
                 (SELECT count(*) FROM rejects) AS rejects, \
                 (SELECT count(*) FROM sources WHERE prefix_source_id IS NOT NULL) AS tails";
    place.csv(lake, count).concat()
}

// Every ten minutes the whole day was stored again: 24 blobs of 60 records took 5,040 rows.
#[test]
fn a_day_of_ten_minute_collection_stores_each_record_once() {
    const DAY: u32 = 17;
    let place = Place::new();
    // A log of weeks, so that a day counts.
    for day in (1..30).filter(|day| *day != DAY) {
        place.write(&blob(day, 9), minutes(day, 540..600).as_bytes());
    }
    collect(&place, GROWN, [(Box::new(|| ()) as Box<dyn FnOnce()>, "logs".to_owned())]);
    let runs = (0..144).map(|step| {
        let hour = step / 6;
        let place = &place;
        let write: Box<dyn FnOnce() + '_> = Box::new(move || {
            place.write(&blob(DAY, hour), minutes(DAY, hour * 60..(step + 1) * 10).as_bytes());
        });
        (write, "logs/insights-logs-noninteractiveusersigninlogs/".to_owned())
    });
    let reports = collect(&place, GROWN, runs);
    assert_eq!(reports.iter().map(|report| report.records).sum::<u64>(), 1440);
    assert!(reports.iter().all(|report| report.records == 10 && report.files_ingested == 1));
    assert_eq!(held(&place, GROWN), format!("{},0,{}", 28 * 60 + 1440, 144 - 24));
    verify(&place, GROWN);

    collect(&place, WHOLE, [(Box::new(|| ()) as Box<dyn FnOnce()>, "logs".to_owned())]);
    assert_eq!(held(&place, WHOLE), format!("{},0,0", 28 * 60 + 1440));
    same_answers(&place, "a day of ten-minute collection");
    // Also what the decisions follow from is the same.
    let decided = "SELECT DISTINCT decision_id FROM decisions";
    assert_eq!(place.csv(GROWN, decided), place.csv(WHOLE, decided));
    let covered = &["report", "coverage", "--format", "csv"];
    assert_eq!(place.run(GROWN, covered).stdout, place.run(WHOLE, covered).stdout);
    let places = "SELECT sign_in_id, source_offset FROM sign_ins ORDER BY sign_in_id";
    assert_eq!(place.csv(GROWN, places), place.csv(WHOLE, places), "offsets of the whole file");

    // Nothing is new, and what keeps a lake small finds nothing wrong.
    let again = collect(&place, GROWN, [(Box::new(|| ()) as Box<dyn FnOnce()>, "logs".to_owned())]);
    assert_eq!((again[0].files_seen_before, again[0].records), (28 + 24, 0));
    place.run(GROWN, &["lake", "compact"]);
    place.run(GROWN, &["lake", "replay"]);
    verify(&place, GROWN);
    same_answers(&place, "compacted");
}

#[test]
fn the_order_in_which_copies_of_a_file_come_changes_no_answer() {
    let path = blob(17, 9);
    let until = |minute| minutes(17, 540..minute);
    let all = until(600);
    // Another file that begins as the first one does.
    let other = until(560) + &minutes(18, 560..590);
    let orders: [(&str, Vec<String>, u32); 5] = [
        ("growing", (1..=10).map(|step| until(540 + step * 6)).collect(), 60),
        ("the whole, then an older copy", vec![all.clone(), until(570)], 90),
        ("an older copy after a newer one", vec![until(550), until(580), until(560), all.clone()], 80),
        ("the same twice", vec![until(550), until(550), all.clone(), all.clone()], 60),
        ("rewritten", vec![until(560), other, all.clone()], 50 + 60),
    ];
    for (order, texts, rows) in orders {
        let place = Place::new();
        for day in (1..30).filter(|day| *day != 17) {
            place.write(&blob(day, 9), minutes(day, 540..600).as_bytes());
        }
        for lake in [GROWN, WHOLE] {
            collect(&place, lake, [(Box::new(|| ()) as Box<dyn FnOnce()>, "logs".to_owned())]);
        }
        deliver(&place, GROWN, &path, &texts);
        let in_all = [texts.iter().max_by_key(|text| text.len()).expect("a text").clone()];
        deliver(&place, WHOLE, &path, &in_all);
        if order == "rewritten" {
            let rewritten = [texts[1].clone()];
            deliver(&place, WHOLE, &path, &rewritten);
        }
        verify(&place, GROWN);
        let all_rows = held(&place, GROWN);
        let all_rows = all_rows.split(',').next().expect("a count");
        assert_eq!(all_rows, (28 * 60 + rows).to_string(), "{order}");
        same_answers(&place, order);
    }
}

/// What is behind the known bytes is not told right without them.
#[test]
fn a_file_whose_tail_does_not_stand_alone_is_read_as_a_whole() {
    let path = blob(17, 9);
    let begin = minutes(17, 540..550);
    let more = minutes(17, 550..560);
    let no_id = |minute: u32| {
        let line = minutes(17, minute..minute + 1);
        let from = line.find(r#""id":""#).expect("an id");
        let to = line.find(r#""createdDateTime""#).expect("a time");
        format!("{}{}", &line[..from], &line[to..])
    };
    let torn = more[..more.len() - 40].to_owned();
    let cases: [(&str, String, String, bool); 9] = [
        ("whole lines", begin.clone(), more.clone(), true),
        ("no line end between", begin.trim_end().to_owned(), format!("\n{more}"), false),
        ("in the middle of a line", begin.clone() + &more[..30], more[30..].to_owned(), false),
        ("a record without an id", begin.clone(), more.clone() + &no_id(560), false),
        ("records without ids before", begin.clone() + &no_id(560), more.clone(), true),
        ("a reject", begin.clone(), format!("{more}{{\"time\":1}}\n"), false),
        ("a reject before", format!("{begin}{{\"time\":1}}\n"), more.clone(), false),
        ("a line that is cut", begin.clone(), torn, false),
        ("blanks", begin.clone(), "\n\n".to_owned(), false),
    ];
    for (case, before, after, is_tail) in cases {
        let place = Place::new();
        let whole = format!("{before}{after}");
        let reports = deliver(&place, GROWN, &path, &[before.clone(), whole.clone()]);
        verify(&place, GROWN);
        let held = held(&place, GROWN);
        assert_eq!(held.ends_with(",1"), is_tail, "{case}: {held}");
        let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).count() as u64;
        let read = if is_tail { lines(&after) } else { lines(&whole) };
        assert_eq!(reports[1].records, read, "{case}");
        deliver(&place, WHOLE, &path, &[whole]);
        let sign_ins = "SELECT * EXCLUDE (source_id) FROM sign_ins ORDER BY sign_in_id, source_offset";
        assert_eq!(place.csv(GROWN, sign_ins), place.csv(WHOLE, sign_ins), "{case}");
    }
}

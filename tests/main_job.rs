//! The program from outside: the sample data through `run`, and what must hold of any ingest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn lightsout(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(arguments)
        .env_remove("LIGHTSOUT_LAKE")
        .output()
        .expect("the program starts")
}

/// Runs and expects exit code 0, or 3 where some records were rejected.
fn ends_with(code: i32, arguments: &[&str]) -> Output {
    let output = lightsout(arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    output
}

fn succeeds(arguments: &[&str]) -> Output {
    ends_with(0, arguments)
}

/// The job is done, but for a reject whose tenant nobody can read.
fn leaves_a_reject(arguments: &[&str]) -> Output {
    ends_with(3, arguments)
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("a file that was written")
    }
}

fn sample(name: &str) -> String {
    root().join("sample-data").join(name).display().to_string()
}

/// One record of a tenant as exporters write it.
fn record(id: u32, tenant: u32, client_app: &str, code: u32) -> String {
    format!(
        r#"{{"time":"2026-10-05T08:20:00Z","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"00000000-0000-4000-8000-{tenant:012}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"2026-10-05T08:15:{:02}.1234567Z","userId":"20000000-0000-4000-8000-{:012}","clientAppUsed":"{client_app}","resourceId":"00000002-0000-0ff1-ce00-000000000000","status":{{"errorCode":{code}}}}}}}"#,
        id % 60,
        id % 7,
    )
}

#[test]
fn the_sample_data_gives_every_verdict_and_the_reasons_it_was_made_for() {
    let place = Place::new();
    succeeds(&[
        "run",
        &sample("logs"),
        "--roster",
        &sample("roster.csv"),
        "--lake",
        &place.path("lake"),
        "--out",
        &place.path("out"),
        "--quiet",
    ]);
    let mut verdicts: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in place.read("out/assessment.csv").lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        verdicts.insert(cells[1].to_owned(), (cells[2].to_owned(), cells[3].to_owned()));
    }
    let expected = [
        ("Brackenridge Dairy", "no_impact", "unused"),
        ("Chapel Street Dental", "no_impact", "unused"),
        ("Elderfield Vineyards", "insufficient_evidence", "no_records"),
        ("Fernhill Robotics", "insufficient_evidence", "not_settled"),
        ("Harbour Lane Clinic", "no_impact", "attempted"),
        ("Juniper Academy", "warning", "in_use;unattributed_legacy_use"),
        ("Kestrel Freight", "warning", "unattributed_legacy_use"),
        ("Larkspur Trust", "insufficient_evidence", "unknown_outcome"),
        ("Moorland Games", "insufficient_evidence", "unrecognised_client"),
        ("Old Mill Printworks", "warning", "in_use"),
        ("Pinecrest Council", "insufficient_evidence", "column_missing;days_missing;client_not_stated"),
        ("Quayside Coffee", "insufficient_evidence", "window_longer_than_history"),
        ("Ravenswood Energy", "excluded", "excluded"),
        ("Saltmarsh Museum", "insufficient_evidence", "category_missing"),
        ("Stonebridge Accountants", "insufficient_evidence", "used_before_window;rejected_records"),
        ("Tidewater Legal", "insufficient_evidence", "gap;days_missing"),
        ("Violet Opera", "insufficient_evidence", "client_not_stated"),
    ];
    let expected: BTreeMap<String, (String, String)> = expected
        .into_iter()
        .map(|(name, verdict, reasons)| (name.to_owned(), (verdict.to_owned(), reasons.to_owned())))
        .collect();
    assert_eq!(verdicts, expected);
    let lists = |name: &str| place.read(&format!("out/lists/{name}.csv")).lines().count() - 1;
    assert_eq!(
        [lists("no_impact"), lists("warning"), lists("insufficient_evidence"), lists("excluded")],
        [3, 3, 10, 1]
    );
    let notices = fs::read_dir(place.path("out/notices")).expect("notices").flatten();
    let folders = notices.filter(|entry| entry.path().is_dir()).count();
    assert_eq!(folders, 16, "one for each tenant that is not excluded");
    succeeds(&["lake", "verify", "--lake", &place.path("lake"), "--quiet"]);
}

#[test]
fn a_second_ingest_changes_nothing_and_the_order_of_files_is_nothing() {
    let place = Place::new();
    let roster = sample("roster.csv");
    let run = |lake: &str, inputs: &[&str], out: &str| {
        let (lake, out) = (place.path(lake), place.path(out));
        for input in inputs {
            succeeds(&["ingest", &sample(input), "--lake", &lake, "--quiet"]);
        }
        succeeds(&["assess", "--roster", &roster, "--lake", &lake, "--out", &out, "--quiet"]);
    };
    run("a", &["logs"], "once");
    run("a", &["logs"], "twice");
    let parts = [
        "logs/ndjson",
        "logs/array",
        "logs/insights-logs-noninteractiveusersigninlogs",
        "logs/insights-logs-managedidentitysigninlogs",
        "logs/eventhub",
        "logs/insights-logs-serviceprincipalsigninlogs",
        "logs/insights-logs-signinlogs",
    ];
    run("b", &parts, "parts");
    for file in ["assessment.csv", "assessment.json", "protocol_usage.csv", "protocol_usage.parquet"] {
        let once = fs::read(place.path("once/") + file).expect("written");
        assert_eq!(once, fs::read(place.path("twice/") + file).expect("written"), "{file}, ingested twice");
        assert_eq!(
            once,
            fs::read(place.path("parts/") + file).expect("written"),
            "{file}, ingested in parts"
        );
    }
    let decisions = succeeds(&["sql", "SELECT count(*) AS n FROM decisions", "--lake", &place.path("a")]);
    assert_eq!(
        String::from_utf8_lossy(&decisions.stdout),
        "n\n1\n",
        "deciding the same again records nothing"
    );
}

/// What an ingest leaves: rows of each table and the usage that is counted from them.
fn result(place: &Place, lake: &str) -> (String, Vec<u8>) {
    let path = place.path(lake);
    let sql = "SELECT (SELECT count(*) FROM sign_in_records) AS records, \
               (SELECT count(DISTINCT sign_in_id) FROM sign_in_records) AS ids, \
               (SELECT count(*) FROM rejects) AS rejects, (SELECT count(*) FROM sources) AS sources";
    let rows = String::from_utf8_lossy(&succeeds(&["sql", sql, "--lake", &path]).stdout).into_owned();
    succeeds(&["lake", "verify", "--lake", &path, "--quiet"]);
    let out = place.path(&format!("{lake}-out"));
    succeeds(&["assess", "--as-of", "2026-11-02", "--lake", &path, "--out", &out, "--quiet"]);
    (rows, fs::read(format!("{out}/protocol_usage.csv")).expect("written"))
}

/// Pseudo-random numbers below 1, the same for the same seed (splitmix64).
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits")) / f64::from(u32::MAX)
}

#[test]
fn an_ingest_killed_at_any_moment_is_completed_by_running_it_again() {
    let seed =
        std::env::var("LIGHTSOUT_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_105);
    eprintln!("LIGHTSOUT_TEST_SEED={seed}");
    let place = Place::new();
    let logs = place.path("logs");
    fs::create_dir_all(&logs).expect("a folder");
    let mut lines = String::from("{ this is no record }\n");
    for id in 0..750 {
        lines.push_str(&record(id, id % 5, if id % 3 == 0 { "IMAP4" } else { "" }, id % 2 * 50126));
        lines.push('\n');
    }
    for file in 0..8 {
        fs::write(format!("{logs}/{file}.json"), lines.replace("10000000-", &format!("1000000{file}-")))
            .expect("a file");
    }
    let started = Instant::now();
    leaves_a_reject(&["ingest", &logs, "--lake", &place.path("undisturbed"), "--quiet"]);
    let whole = started.elapsed();
    let undisturbed = result(&place, "undisturbed");
    assert_eq!(undisturbed.0, "records,ids,rejects,sources\n6000,6000,8,8\n");
    let mut state = seed;
    let mut killed = 0;
    for moment in 0..20 {
        let name = format!("lake{moment}");
        let lake = place.path(&name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(["ingest", &logs, "--lake", &lake, "--quiet"])
            .spawn()
            .expect("the program starts");
        let delay = if moment % 2 == 0 {
            whole.mul_f64(random(&mut state))
        } else {
            // The commits are a short part of the run, and the one where a kill may hurt.
            let manifests = Path::new(&lake).join("_batches");
            while child.try_wait().expect("it runs").is_none()
                && !fs::read_dir(&manifests).is_ok_and(|mut found| found.next().is_some())
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            Duration::from_millis(80).mul_f64(random(&mut state))
        };
        std::thread::sleep(delay);
        // It may have ended by itself: then there is nothing to complete.
        let _ = child.kill();
        killed += u32::from(child.wait().expect("it ends").code().is_none());
        // Files that were in already tell of their rejects no more.
        let code = lightsout(&["ingest", &logs, "--lake", &lake, "--quiet"]).status.code();
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
        let told = format!("seed {seed}, moment {moment}: killed after {delay:?}");
        assert!(result(&place, &name) == undisturbed, "{told}: {}", result(&place, &name).0);
        let left = fs::read_dir(format!("{lake}/_batches")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{told}: no manifest stays");
    }
    assert!(killed >= 5, "only {killed} of the runs were killed before their end");
}

#[test]
fn bad_records_become_rejects_with_their_place_and_the_rest_goes_on() {
    let place = Place::new();
    let good = record(1, 1, "POP3", 0);
    let no_tenant = good.replace("tenantId", "owner");
    let late = good.replace("createdDateTime\":\"2026", "createdDateTime\":\"1999");
    let audit = good.replace("SignInLogs", "AuditLogs");
    let mut bytes = format!("{good}\n{}\n{no_tenant}\n{late}\n{audit}\n", &good[..90]).into_bytes();
    bytes.extend_from_slice(&good.as_bytes()[..200]);
    bytes.extend_from_slice(b"\xff\xfe\n");
    bytes.extend_from_slice(record(2, 1, "POP3", 0).as_bytes());
    fs::write(place.path("mixed.json"), bytes).expect("a file");
    let output =
        lightsout(&["ingest", &place.path("mixed.json"), "--lake", &place.path("lake"), "--json", "--quiet"]);
    assert_eq!(output.status.code(), Some(3), "more rejects than permitted");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    assert_eq!(report["records"], 7);
    assert_eq!(report["rows"], 2);
    assert_eq!(report["not_sign_ins"], 1);
    let sql = "SELECT line, byte_offset, reason FROM rejects ORDER BY line";
    let rejects = succeeds(&["sql", sql, "--lake", &place.path("lake")]);
    let rejects = String::from_utf8_lossy(&rejects.stdout).into_owned();
    let lines: Vec<&str> = rejects.lines().skip(1).collect();
    assert_eq!(lines.len(), 4, "{rejects}");
    assert!(lines[0].starts_with(&format!("2,{},invalid_json", good.len() + 1)), "{rejects}");
    assert!(lines[1].contains("no_tenant") && lines[2].contains("impossible_time"), "{rejects}");
    assert!(lines[3].contains("invalid_utf8"), "{rejects}");
}

#[test]
fn every_framing_and_compression_of_the_same_records_counts_the_same() {
    let place = Place::new();
    let records: Vec<String> = (0..50).map(|id| record(id, 1, "IMAP4", 0)).collect();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let (first, second) = records.split_at(20);
    let members = [gzip(&(first.join("\n") + "\n")), gzip(&second.join("\n"))].concat();
    let pretty: Vec<String> = records
        .iter()
        .map(|record| {
            let value: serde_json::Value = serde_json::from_str(record).expect("valid");
            serde_json::to_string_pretty(&value).expect("valid")
        })
        .collect();
    let framings: [(&str, Vec<u8>); 7] = [
        ("lines", records.join("\n").into_bytes()),
        ("crlf with BOM", format!("\u{feff}{}\r\n", records.join("\r\n")).into_bytes()),
        ("array", format!("[{}]", records.join(",\n")).into_bytes()),
        ("envelope", format!("{{\"records\": [{}]}}", records.join(",")).into_bytes()),
        ("pretty", pretty.join("\n").into_bytes()),
        ("two gzip members", members),
        ("zstd", zstd::encode_all(records.join("\n").as_bytes(), 1).expect("in memory")),
    ];
    for (name, bytes) in framings {
        let file = place.path(&format!("{name}.bin"));
        fs::write(&file, bytes).expect("a file");
        let output = succeeds(&["ingest", &file, "--lake", &place.path(name), "--json", "--quiet"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
        assert_eq!((&report["records"], &report["rows"]), (&50.into(), &50.into()), "{name}");
    }
}

#[test]
fn a_file_of_no_known_shape_is_refused_with_what_was_found() {
    let place = Place::new();
    fs::write(place.path("other.json"), r#"{"EventID":4624,"Computer":"pc-1"}"#).expect("a file");
    let arguments = ["ingest", &place.path("other.json"), "--lake", &place.path("lake"), "--quiet"];
    let output = lightsout(&arguments);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("other.json") && told.contains("Windows logon events"), "{told}");
    let skipping = lightsout(&[&arguments[..], &["--skip-unrecognised"]].concat());
    assert_eq!(skipping.status.code(), Some(0));
}

#[test]
fn sql_from_users_only_reads_and_only_the_lake() {
    let place = Place::new();
    fs::write(place.path("one.json"), record(1, 1, "IMAP4", 0)).expect("a file");
    succeeds(&["ingest", &place.path("one.json"), "--lake", &place.path("lake"), "--quiet"]);
    for sql in [
        "DELETE FROM sign_in_records",
        "INSERT INTO rejects SELECT * FROM rejects",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY sign_in_records TO '/tmp/stolen.csv'",
        "SELECT * FROM '/etc/passwd'",
        "SET datafusion.execution.batch_size = 1",
    ] {
        let output = lightsout(&["sql", sql, "--lake", &place.path("lake")]);
        assert_eq!(output.status.code(), Some(1), "{sql}: {}", String::from_utf8_lossy(&output.stdout));
    }
    let empty = succeeds(&[
        "sql",
        "SELECT protocol FROM sign_ins WHERE protocol = 'x'",
        "--lake",
        &place.path("lake"),
    ]);
    assert_eq!(String::from_utf8_lossy(&empty.stdout), "protocol\n", "CSV has its header without rows");
}

#[test]
fn verdicts_read_ids_category_and_client_app_of_modern_rows_and_nothing_else() {
    let place = Place::new();
    let records = ["IMAP4", "", "Browser"].map(|app| record(1, 1, app, 0)).join("\n");
    fs::write(place.path("one.json"), records).expect("a file");
    succeeds(&["ingest", &place.path("one.json"), "--lake", &place.path("lake"), "--quiet"]);
    let scans = |sql: &str| -> Vec<String> {
        let sql = format!("EXPLAIN {sql}");
        let output = succeeds(&["sql", &sql, "--lake", &place.path("lake"), "--format", "json"]);
        let plans: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
        let plan = plans[1]["plan"].as_str().expect("the physical plan");
        plan.lines().filter(|line| line.contains("file_type=parquet")).map(str::to_owned).collect()
    };
    let legacy = scans("SELECT * FROM legacy_sign_ins");
    let contested = scans(include_str!("../queries/views/contested_sign_ins.sql"));
    assert_eq!((legacy.len(), contested.len()), (1, 1), "{legacy:#?} {contested:#?}");
    for scan in legacy.iter().chain(&contested) {
        assert!(scan.contains("user_agent") && scan.contains("provably_modern=false/part-"), "{scan}");
        assert!(!scan.contains("provably_modern=true"), "{scan}");
    }
    let ids = scans(include_str!("../queries/views/contested_ids.sql"));
    assert!(ids.len() == 1 && !ids[0].contains("provably_modern=true"), "{ids:#?}");
    let rivals = scans(include_str!("../queries/views/rival_records.sql"));
    let columns = "projection=[tenant_id, sign_in_id, category, signed_in_at, emitted_at, user_id, \
                   user_principal_name, client_app, auth_method, outcome, source_id, source_offset, record_hash, \
                   provably_modern]";
    assert!(rivals.len() == 1 && rivals[0].contains(columns), "{rivals:#?}");
    assert!(rivals[0].contains("provably_modern=true"), "{rivals:#?}");
}

#[test]
fn every_real_record_of_the_samples_is_accounted_for() {
    let Some(samples) = std::env::var_os("LIGHTSOUT_SAMPLES").map(PathBuf::from) else {
        eprintln!("skipped: LIGHTSOUT_SAMPLES names no folder of real records");
        return;
    };
    let place = Place::new();
    let lake = place.path("lake");
    let ingest = |inputs: &[String]| -> serde_json::Value {
        let inputs = inputs.iter().map(String::as_str);
        let arguments: Vec<&str> =
            ["ingest", "--lake", &lake, "--json", "--quiet"].into_iter().chain(inputs).collect();
        let report: serde_json::Value =
            serde_json::from_slice(&lightsout(&arguments).stdout).expect("JSON on stdout");
        let number = |name: &str| report[name].as_u64().expect("a count");
        assert_eq!(number("files_refused"), 0, "{report}");
        assert_eq!(
            number("records"),
            number("rows") + number("rejected") + number("not_sign_ins"),
            "{report}"
        );
        report
    };
    let sign_ins = || {
        let counted = succeeds(&["sql", "SELECT count(*) AS n FROM sign_ins", "--lake", &lake]);
        String::from_utf8_lossy(&counted.stdout).into_owned()
    };
    // Forwarders carry other shapes in the same folder; these are the diagnostic ones.
    let folder = samples.join("sekoia-intake-formats");
    let mut forwarded: Vec<String> = fs::read_dir(&folder)
        .expect("a folder of samples")
        .map(|entry| entry.expect("readable").path().display().to_string())
        .filter(|path| path.contains("azure-ad__"))
        .collect();
    forwarded.sort_unstable();
    let report = ingest(&forwarded);
    assert_eq!((&report["records"], &report["rows"]), (&4.into(), &4.into()), "{report}");
    assert_eq!(sign_ins(), "n\n4\n");
    let report = ingest(&[samples.join("derived-framing").display().to_string()]);
    assert_eq!((&report["records"], &report["rows"]), (&12.into(), &12.into()), "{report}");
    assert_eq!(sign_ins(), "n\n4\n", "the same records three times more, in other framings");
    let report = ingest(&[samples.join("elastic").display().to_string()]);
    assert_eq!(report["records"], 17, "{report}");
    succeeds(&["lake", "verify", "--lake", &lake, "--quiet"]);
}

/// What broke: once a run had read its inputs, and while it waited for another writer, Ctrl-C did nothing.
#[cfg(unix)]
#[test]
fn a_command_that_waits_for_the_lock_says_so_and_can_be_ended() {
    let place = Place::new();
    let lake = place.path("lake");
    succeeds(&["ingest", "--lake", &lake, &sample("logs/ndjson")]);
    let lock = fs::File::open(place.folder.path().join("lake/_lock")).expect("the lock");
    lock.lock().expect("nobody else has it");
    let limited =
        lightsout(&["assess", "--lake", &lake, "--out", &place.path("out"), "--lock-timeout", "3s"]);
    let told = String::from_utf8_lossy(&limited.stderr);
    assert_eq!(limited.status.code(), Some(1), "{told}");
    // Said first after two seconds; who it is stands in the lock: here the ingest, which has let it go.
    assert!(told.contains("waiting for lightsout ingest (process "), "{told}");
    assert!(told.contains("is still writing to it after 3 s"), "{told}");
    for arguments in
        [&["assess", "--out", &place.path("out")][..], &["run", &sample("logs/ndjson")], &["lake", "compact"]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .args(["--lake", &lake])
            .stderr(std::process::Stdio::null())
            .current_dir(place.folder.path())
            .spawn()
            .expect("the program starts");
        // Until it waits, or has had the time to.
        std::thread::sleep(Duration::from_secs(2));
        let pid = child.id().to_string();
        assert!(child.try_wait().expect("a child").is_none(), "{arguments:?} does not wait");
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        let asked = Instant::now();
        let ended = loop {
            if let Some(ended) = child.try_wait().expect("a child") {
                break ended;
            }
            assert!(asked.elapsed() < Duration::from_secs(5), "{arguments:?} goes on");
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(ended.code(), Some(130), "{arguments:?}");
    }
}

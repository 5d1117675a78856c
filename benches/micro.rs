//! Micro benches of the way from bytes to counts: framing, parsing, classifying, a query. Records are
//! those of one template, so the figures are for comparing changes, not for promising speed; a file of
//! varied ones (`benches/compare/generate.py` writes it) is parsed where `LIGHTSOUT_BENCH_RECORDS` names it.

use std::fs::File;
use std::hint::black_box;
use std::io::{Cursor, Read};
use std::path::Path;

use chrono::NaiveDate;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::common::ScalarValue;
use lightsout_formats::classify::classify;
use lightsout_formats::encoding::Encoding;
use lightsout_formats::frame::Framer;
use lightsout_formats::shapes::{Parsed, RecordReader, Remembered, Shape};
use lightsout_formats::text::Text;
use lightsout_ingest::find::find;
use lightsout_ingest::{IngestSettings, Progress, ingest};
use lightsout_lake::Lake;
use lightsout_model::evidence::midnight;
use lightsout_query::catalog::Report;
use lightsout_query::{Queries, timestamp};

const RECORDS: usize = 2_000;

fn record(id: usize) -> String {
    let policies = [0, 1, 2, 3, 4, 5]
        .map(|policy| {
            format!(
                r#"{{"id":"40000000-0000-4000-8000-{policy:012}","displayName":"Policy {policy}","enforcedGrantControls":["Mfa"],"enforcedSessionControls":[],"result":"notApplied","conditionsSatisfied":1,"conditionsNotSatisfied":2}},"#
            )
        })
        .concat();
    format!(
        r#"{{"time":"2026-10-05T08:20:00.0000000Z","resourceId":"/tenants/00000000-0000-4000-8000-000000000001/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"NonInteractiveUserSignInLogs","tenantId":"00000000-0000-4000-8000-000000000001","resultType":"0","resultSignature":"SUCCESS","durationMs":0,"callerIpAddress":"192.0.2.7","correlationId":"30000000-0000-4000-8000-{id:012}","Level":4,"location":"DE","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"2026-10-05T08:15:30.1234567+00:00","userDisplayName":"Jördis Example","userPrincipalName":"user{id}@example.com","userId":"20000000-0000-4000-8000-{id:012}","appId":"50000000-0000-4000-8000-000000000001","appDisplayName":"Example App","ipAddress":"192.0.2.7","status":{{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"}},"clientAppUsed":"Mobile Apps and Desktop clients","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","deviceDetail":{{"deviceId":"","operatingSystem":"Windows 10","browser":"Edge 129.0"}},"location":{{"city":"Berlin","state":"Berlin","countryOrRegion":"DE","geoCoordinates":{{"latitude":52.5,"longitude":13.4}}}},"conditionalAccessStatus":"notApplied","appliedConditionalAccessPolicies":[{policies}{{}}],"authenticationDetails":[],"isInteractive":false,"homeTenantId":"00000000-0000-4000-8000-000000000001","resourceTenantId":"00000000-0000-4000-8000-000000000001","resourceId":"00000003-0000-0000-c000-000000000000","resourceDisplayName":"Microsoft Graph"}}}}"#
    )
}

/// Reads every line as a worker does.
fn parse(lines: &str, reader: &RecordReader) -> usize {
    let mut seen = Remembered::default();
    let mut start = 0;
    let mut read = 0;
    for end in memchr::memchr_iter(b'\n', lines.as_bytes()).chain([lines.len()]) {
        read += usize::from(end > start && reader.parse_in(lines, start..end, &mut seen).is_ok());
        start = (end + 1).min(lines.len());
    }
    read
}

/// The first megabytes of a file, against the least that any reader must spend.
fn varied(criterion: &mut Criterion, file: &Path) {
    const BYTES: u64 = 64 << 20;
    let mut bytes = Vec::new();
    File::open(file).and_then(|file| file.take(BYTES).read_to_end(&mut bytes)).expect("the file of records");
    let end = memchr::memrchr(b'\n', &bytes).expect("lines");
    bytes.truncate(end);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let reader = RecordReader::json(Shape::Diagnostic);
    let mut group = criterion.benchmark_group("varied records");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
    group.bench_function("newlines and UTF-8", |b| {
        b.iter(|| {
            let text = black_box(text.as_bytes());
            let valid = text.chunks(512 << 10).filter(|chunk| simdutf8::basic::from_utf8(chunk).is_ok());
            memchr::memchr_iter(b'\n', text).count() + valid.count()
        });
    });
    group.bench_function("as ingest reads", |b| b.iter(|| parse(black_box(&text), &reader)));
    group.bench_function("general reader", |b| {
        b.iter(|| text.split('\n').filter(|record| reader.parse(black_box(record)).is_ok()).count());
    });
    group.bench_function("serde_json value", |b| {
        let valid = |record: &&str| serde_json::from_str::<serde_json::Value>(black_box(record)).is_ok();
        b.iter(|| text.split('\n').filter(valid).count());
    });
    group.finish();
}

fn frame(bytes: &[u8]) -> usize {
    let reader = Box::new(Cursor::new(bytes.to_vec()));
    let text = Text::new(reader, false, Encoding::Utf8, 0);
    let (mut framer, _) = Framer::new(text).expect("in memory");
    let mut total = 0;
    while let Some(chunk) = framer.next_chunk().expect("in memory") {
        total += chunk.records().len();
    }
    total
}

/// A lake of records of which one in ten is legacy.
async fn lake(folder: &Path) -> Lake {
    let lines: Vec<String> = (0..RECORDS * 10)
        .map(|id| match id % 10 {
            0 => record(id).replace("Mobile Apps and Desktop clients", "IMAP4"),
            _ => record(id),
        })
        .collect();
    let file = folder.join("records.ndjson");
    std::fs::write(&file, lines.join("\n")).expect("a temporary file");
    let mut lake = Lake::open_or_create(&folder.join("lake")).await.expect("a new lake");
    let inputs = find(&[file.display().to_string()]).expect("the file").inputs;
    let settings = IngestSettings {
        roster: lightsout_model::tenant::Roster::default(),
        skip_unrecognised: false,
        tenant_id: None,
        category: None,
        date_order: None,
        covers: None,
        jobs: 2,
        memory_limit_bytes: 1 << 30,
        keep: lightsout_ingest::Keep::All,
        dry_run: false,
        now: 1_795_000_000_000_000,
    };
    ingest(&mut lake, inputs, &settings, &Progress::default()).await.expect("an ingest");
    lake
}

fn query(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let queries = runtime.block_on(async {
        Queries::over(&lake(folder.path()).await, 1 << 30).await.expect("a session over the lake")
    });
    let report = Report::find("protocol_usage").expect("a shipped report");
    let at = |day: u32| timestamp(midnight(NaiveDate::from_ymd_opt(2026, 10, day).expect("a day")));
    let parameters = [("lookback_start", at(1)), ("window_start", at(2)), ("window_end", at(31))]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
    let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
    let rules = [("auth_methods", text("basic,unknown")), ("app_ids", text(""))];
    let parameters = [parameters, rules.map(|(name, value)| (name.to_owned(), value)).to_vec()].concat();
    let mut group = criterion.benchmark_group("query");
    group.throughput(Throughput::Elements(RECORDS as u64 * 10));
    group.sample_size(20);
    group.bench_function("protocol_usage", |b| {
        b.iter(|| {
            let run = queries.run(report.name, report.sql, &parameters);
            runtime.block_on(run).expect("rows").len()
        });
    });
    group.finish();
}

fn benches(criterion: &mut Criterion) {
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    let lines = records.join("\n");
    let envelope = format!("{{\"records\":[{}]}}", records.join(","));

    let mut group = criterion.benchmark_group("framing");
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("lines", |b| b.iter(|| frame(black_box(lines.as_bytes()))));
    group.bench_function("envelope", |b| b.iter(|| frame(black_box(envelope.as_bytes()))));
    group.finish();

    let mut group = criterion.benchmark_group("parsing");
    group.throughput(Throughput::Bytes(lines.len() as u64));
    let reader = RecordReader::json(Shape::Diagnostic);
    group.bench_function("diagnostic, general reader", |b| {
        b.iter(|| records.iter().filter(|record| reader.parse(black_box(record)).is_ok()).count());
    });
    group.bench_function("diagnostic, as ingest reads", |b| b.iter(|| parse(black_box(&lines), &reader)));
    group.bench_function("serde_json value", |b| {
        b.iter(|| {
            let parsed =
                |record: &&String| serde_json::from_str::<serde_json::Value>(black_box(record)).is_ok();
            records.iter().filter(parsed).count()
        });
    });
    group.finish();

    if let Some(file) = std::env::var_os("LIGHTSOUT_BENCH_RECORDS") {
        varied(criterion, Path::new(&file));
    }

    let parsed: Vec<_> = records.iter().map(|record| reader.parse(record).expect("valid")).collect();
    let mut group = criterion.benchmark_group("classifying");
    group.throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("modern records", |b| {
        b.iter(|| {
            let protocol = |parsed: &&Parsed<'_>| match parsed {
                Parsed::SignIn(raw) => classify(black_box(raw)).protocol.is_some(),
                Parsed::NotSignIn => false,
            };
            parsed.iter().filter(protocol).count()
        });
    });
    group.finish();
}

criterion_group!(micro, benches, query);
criterion_main!(micro);

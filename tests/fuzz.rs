//! Mutated files of every shape through recognition, framing, parsing and the encodings: nothing panics,
//! everything ends, and every byte that is not blank is accounted for once. `LIGHTSOUT_FUZZ_CASES` sets
//! the number of cases for long runs. The run of the envelopes has a seed, `LIGHTSOUT_FUZZ_SEED`; with
//! `LIGHTSOUT_FUZZ_LOG=1` it is appended to `tests/fuzz/log.tsv`.

use std::fs;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lightsout_formats::encoding::Encoding;
use lightsout_formats::frame::{Chunk, Framer};
use lightsout_formats::framing::Framing;
use lightsout_formats::recognise::Recognised;
use lightsout_formats::shapes::envelope::{ENVELOPES, Payload, cut_payload, records};
use lightsout_formats::shapes::{RecordReader, Shape};
use lightsout_formats::text::Text;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// The golden tests' inputs, as they are stored.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let shapes = fs::read_dir(folder).expect("the fixtures").map(|shape| shape.expect("an entry").path());
    let mut paths: Vec<_> = shapes
        .filter(|shape| shape.is_dir())
        .flat_map(|shape| fs::read_dir(shape).expect("a folder").map(|file| file.expect("an entry").path()))
        .filter(|path| path.extension().is_some_and(|extension| extension != "expected"))
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a fixture")).collect();
    assert!(seeds.len() > 40, "the fixtures are there");
    seeds
});

fn config() -> Config {
    let cases = std::env::var("LIGHTSOUT_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(100),
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::default()
    }
}

/// Bytes that a failure shows as text.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Something that goes wrong on the way of a file. Places are parts of its length.
#[derive(Debug, Clone)]
enum Mutation {
    Truncate(f64),
    /// Takes its start away.
    Behead(f64),
    Flip(f64, u8),
    Delete(f64, f64),
    Repeat(f64, f64),
    Insert(f64, &'static [u8]),
    /// Puts part of another seed in.
    Splice(f64, prop::sample::Index, f64, f64),
    Join(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    const PIECES: [&[u8]; 30] = [
        b"\"",
        b"\"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"{\"value\":[",
        b"{\"records\":[",
        b"],\"@odata.nextLink\":\"x\"}",
        b"\xed\xa0\x80",
        b"#TYPE x\n",
        b"\xf0\x9f\x99\x82",
        b"{\"message\":\"{",
        b"{\"hits\":{\"hits\":[",
        b"{\"event\":{\"original\":",
        b"{\"columns\":[\"a\"],\"rows\":[[",
        b"\\\"",
        b"<134>Oct  5 08:15:30 h a: ",
        b"\r\r",
        b"\xf6",
    ];
    let part = || 0.0..1.0f64;
    prop_oneof![
        1 => part().prop_map(Mutation::Truncate),
        1 => part().prop_map(Mutation::Behead),
        3 => (part(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        2 => (part(), 0.0..0.2f64).prop_map(|(at, len)| Mutation::Delete(at, len)),
        2 => (part(), 0.0..0.2f64).prop_map(|(at, len)| Mutation::Repeat(at, len)),
        6 => (part(), prop::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        2 => (part(), any::<prop::sample::Index>(), part(), part())
            .prop_map(|(at, seed, from, to)| Mutation::Splice(at, seed, from, to)),
        1 => any::<prop::sample::Index>().prop_map(Mutation::Join),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places"
)]
fn at(bytes: &[u8], part: f64) -> usize {
    (bytes.len() as f64 * part) as usize
}

fn span(bytes: &[u8], a: f64, b: f64) -> Range<usize> {
    let (a, b) = (at(bytes, a), at(bytes, b));
    a.min(b)..a.max(b)
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    match mutation {
        Mutation::Truncate(part) => bytes.truncate(at(bytes, *part)),
        Mutation::Behead(part) => {
            bytes.drain(..at(bytes, *part));
        }
        Mutation::Flip(part, with) => {
            let at = at(bytes, *part);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= with;
            }
        }
        Mutation::Delete(part, len) => {
            bytes.drain(span(bytes, *part, (part + len).min(1.0)));
        }
        Mutation::Repeat(part, len) => {
            let again = bytes[span(bytes, *part, (part + len).min(1.0))].to_vec();
            let at = at(bytes, *part);
            bytes.splice(at..at, again);
        }
        Mutation::Insert(part, piece) => {
            let at = at(bytes, *part);
            bytes.splice(at..at, piece.iter().copied());
        }
        Mutation::Splice(part, seed, from, to) => {
            let other = seed.get(&SEEDS);
            let at = at(bytes, *part);
            bytes.splice(at..at, other[span(other, *from, *to)].iter().copied());
        }
        Mutation::Join(seed) => bytes.extend(seed.get(&SEEDS)),
    }
}

fn mutated() -> impl Strategy<Value = Bytes> {
    (any::<prop::sample::Index>(), prop::collection::vec(mutation(), 0..6)).prop_map(|(seed, mutations)| {
        let mut bytes = seed.get(&SEEDS).clone();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        Bytes(bytes)
    })
}

/// Gives a few bytes at a time, as pipes and decoders do.
struct Drip {
    bytes: io::Cursor<Vec<u8>>,
    steps: Vec<usize>,
    turn: usize,
}

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let step = self.steps[self.turn % self.steps.len()].min(buffer.len());
        self.bytes.read(&mut buffer[..step])
    }
}

/// The text of a file as the program opens it, given in drips.
fn text(bytes: &[u8], steps: &[usize]) -> (Text, Vec<u8>) {
    let (encoding, mark) = Encoding::sniff(bytes);
    let decoded = encoding.decode(&bytes[mark..]);
    let text = |steps: &[usize]| {
        let reader = Drip { bytes: io::Cursor::new(decoded.clone()), steps: steps.to_vec(), turn: 0 };
        Text::new(reader, false, encoding, mark as u64)
    };
    let mut plain = Vec::new();
    text(&[usize::MAX]).reader.read_to_end(&mut plain).expect("memory");
    (text(steps), plain)
}

/// A record or a broken part: where it lies in the text, and whether it is broken.
type Part = (Range<usize>, bool);

/// Frames a file and checks what must hold of any; also says where its first record may start.
fn frame(
    bytes: &[u8],
    steps: &[usize],
    sizes: Option<(usize, usize)>,
) -> Option<(Framing, RecordReader, Vec<Part>, usize)> {
    let (text, decoded) = text(bytes, steps);
    let mark = text.mark_bytes;
    let (mut framer, recognised) = match sizes {
        Some((head, chunk)) => Framer::in_steps(text, head, chunk).expect("memory"),
        None => Framer::new(text).expect("memory"),
    };
    let Recognised::Records(head) = recognised else { return None };
    let encoding = framer.encoding();
    let (mut at, mut stored) = (head.skip, mark + encoding.len_of(&decoded[..head.skip]) as u64);
    let mut line = 1 + newlines(&decoded[..head.skip]);
    let mut parts = Vec::new();
    let mut has_ended = false;
    while let Some(chunk) = framer.next_chunk().expect("memory") {
        // That the stream breaks off between two records is told behind its last byte.
        assert!(!has_ended, "nothing follows the end");
        has_ended = chunk.bytes.is_empty();
        assert!(!has_ended || chunk.broken.len() == 1, "a chunk has bytes, so that there is an end");
        assert_eq!(chunk.bytes[..], decoded[at..at + chunk.bytes.len()], "chunks follow each other");
        assert_eq!(chunk.offset, stored, "an offset is a place in the file as stored");
        assert_eq!(chunk.first_line, line);
        parts.extend(
            chunk_parts(&chunk).into_iter().map(|(range, broken)| (range.start + at..range.end + at, broken)),
        );
        at += chunk.bytes.len();
        stored += chunk.encoding.len_of(&chunk.bytes) as u64;
        line += newlines(&chunk.bytes);
    }
    assert_eq!(at, decoded.len(), "the whole text is handed out");
    let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    if head.framing != Framing::Document {
        let mut end = head.skip;
        for (range, _) in &parts {
            let between = &decoded[end..range.start];
            let mark_free: Vec<u8> = String::from_utf8_lossy(between).replace('\u{feff}', "").into_bytes();
            assert!(
                blank(&mark_free),
                "bytes that are no part of any record: {}",
                String::from_utf8_lossy(between)
            );
            end = range.end;
        }
        assert!(blank(&decoded[end..]), "bytes behind the last record");
    }
    for (range, broken) in &parts {
        assert!(*broken || !range.is_empty(), "an empty record");
        assert!(range.is_empty() || !blank(&decoded[range.clone()]), "a blank record");
        if !broken && let Ok(record) = std::str::from_utf8(&decoded[range.clone()]) {
            // Whether it is taken or rejected: it is one of them.
            let _ = head.reader.parse(record);
            for inner in head.reader.unwrap_record(record).into_iter().flatten() {
                let _ = head.reader.inner().parse(&inner);
            }
            let _ = head.reader.says(record);
            let _ = head.reader.content(record);
            head.reader.times(record, |_| {});
        }
    }
    Some((head.framing, head.reader, parts, head.skip))
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}

/// A chunk's records and broken parts in order: in bounds, and none over another.
fn chunk_parts(chunk: &Chunk) -> Vec<Part> {
    for (range, reason) in &chunk.broken {
        let is_place = matches!(reason.code(), "broken_off" | "broken_compression");
        assert!(is_place || !range.is_empty(), "an empty record");
    }
    let broken = chunk.broken.iter().map(|(range, _)| (range.clone(), true));
    let records = chunk.records();
    assert!(records.is_sorted_by_key(|range| range.start), "records ascend");
    assert!(chunk.broken.is_sorted_by_key(|(range, _)| range.start), "broken parts ascend");
    let mut parts: Vec<Part> = records.into_iter().map(|range| (range, false)).chain(broken).collect();
    parts.sort_by_key(|(range, _)| range.start);
    let mut end = 0;
    for (range, _) in &parts {
        assert!(range.start >= end && range.end <= chunk.bytes.len(), "{range:?} of {}", chunk.bytes.len());
        end = range.end;
    }
    parts
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_mutated_file_is_framed_and_parsed_without_loss(
        Bytes(bytes) in mutated(),
        steps in prop::collection::vec(1..5000usize, 1..8),
        sizes in (1..4000usize, 1..4000usize),
    ) {
        let whole = frame(&bytes, &[usize::MAX], None);
        let dripped = frame(&bytes, &steps, Some(sizes));
        // A smaller head may show less of a file: another shape, or a header whose quotes do not close.
        if let (Some(whole), Some(dripped)) = (whole, dripped)
            && (whole.0, whole.1.shape(), whole.1.delimiter()) == (dripped.0, dripped.1.shape(), dripped.1.delimiter())
            && whole.3 == dripped.3
        {
            prop_assert_eq!(whole.2, dripped.2, "the same records however the file is cut");
        }
    }

    #[test]
    fn any_bytes_are_framed_and_parsed_without_loss(
        start in prop::sample::select(vec!["", "{", "[", "{\"value\":[", "a,b\n", "{\"time\":1,\"category\":\"SignInLogs\"}\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        frame(&[start.as_bytes(), &bytes].concat(), &[7, 1, 100], Some((50, 20)));
    }

    #[test]
    fn every_shape_reads_any_record_of_another_without_a_panic(Bytes(bytes) in mutated()) {
        let (encoding, mark) = Encoding::sniff(&bytes);
        let text = encoding.decode(&bytes[mark..]);
        let text = String::from_utf8_lossy(&text);
        for record in text.lines().take(20) {
            for shape in [Shape::Diagnostic, Shape::LogAnalytics, Shape::Graph, Shape::Audit] {
                let _ = RecordReader::json(shape).parse(record);
            }
            let _ = Shape::recognise(record);
            let _ = RecordReader::csv(record);
        }
    }
}

/// A payload in an envelope of the table, as JSON or as text of it.
fn in_envelope(at: usize, payload: &str, is_text: bool) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let envelope = &ENVELOPES[at];
    let payload = if is_text { text(payload) } else { payload.to_owned() };
    let payload = match envelope.payload {
        Payload::Record => payload,
        Payload::Records => format!("[{payload},{payload}]"),
        Payload::Rows => format!("[[{payload}]],\"columns\":[{{\"name\":\"RawData\"}}]"),
    };
    let inner =
        envelope.path[1..].iter().rev().fold(payload, |inner, name| format!("{{{}:{inner}}}", text(name)));
    format!("{{\"@timestamp\":\"2026-10-05T08:20:00Z\",{}:{inner},\"zz\":null}}", text(envelope.path[0]))
}

/// A line of a seed in up to five envelopes, then mutated.
fn enveloped() -> impl Strategy<Value = Bytes> {
    let envelopes = prop::collection::vec((0..ENVELOPES.len(), any::<bool>()), 0..6);
    let indices = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (indices, envelopes, prop::collection::vec(mutation(), 0..4)).prop_map(
        |((seed, line), envelopes, mutations)| {
            let seed: &Vec<u8> = seed.get(&SEEDS);
            let text = String::from_utf8_lossy(seed).into_owned();
            let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
            let line = if lines.is_empty() { "{}" } else { lines[line.index(lines.len())] };
            let whole = envelopes
                .iter()
                .fold(line.to_owned(), |inner, (at, is_text)| in_envelope(*at, &inner, *is_text));
            let mut bytes = whole.into_bytes();
            for mutation in &mutations {
                mutate(&mut bytes, mutation);
            }
            Bytes(bytes)
        },
    )
}

/// Whatever is in whatever envelope: what is opened is text of its own or of the outer record, opening it again gives
/// the same, and it takes no time.
#[test]
fn mutated_envelopes_are_opened_without_a_panic_or_delay() {
    const SLOWEST: Duration = Duration::from_secs(20);
    let seed = std::env::var("LIGHTSOUT_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(17);
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..config() };
    let (cases, begun) = (config.cases, Instant::now());
    let ran = TestRunner::new(config).run(&enveloped(), |Bytes(bytes)| {
        let begun = Instant::now();
        frame(&bytes, &[usize::MAX], None);
        let text = String::from_utf8_lossy(&bytes);
        let opened = records(&text);
        prop_assert_eq!(&opened, &records(&text));
        let _ = cut_payload(&text);
        for record in opened.iter().flatten() {
            prop_assert!(!record.trim().is_empty(), "an empty record");
            let _ = RecordReader::json(Shape::Diagnostic).parse(record);
        }
        prop_assert!(begun.elapsed() < SLOWEST, "{:?}", begun.elapsed());
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    if std::env::var_os("LIGHTSOUT_FUZZ_LOG").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/log.tsv");
        let mut log = fs::OpenOptions::new().append(true).open(path).expect("the log");
        let at = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
        let line = format!("{at}\t{seed}\t{cases}\t{}\n", begun.elapsed().as_secs());
        io::Write::write_all(&mut log, line.as_bytes()).expect("written");
    }
}

/// Each piece of text, over and over, behind a good record. What is looked at again for every piece
/// would take hours.
#[test]
fn hostile_files_are_framed_without_looking_at_them_again_and_again() {
    const BYTES: usize = 1 << 16;
    let record = r#"{"time":"2026-10-05T08:22:41Z","category":"SignInLogs","tenantId":"t","properties":{}}"#;
    let header = "TimeGenerated,UserPrincipalName,ResultType,AADTenantId\n2026-10-05T08:00:00Z,a,0,t\n";
    let document = format!("[\n{record},\n");
    let tail = format!("{{\"records\":[{record}],");
    for (start, pieces) in [
        (
            document.as_str(),
            &["[", "\"", "\"\n", "{\"zzz\":{\"x\":1},{   ", "{\"zzz\":1,\"x\":\"abc,\n", "},", " {"][..],
        ),
        (&document, &["{\"time\":\n", "{\"a\":{", ",{\"id\":\"", "\u{feff}", "]", "}\n"]),
        (&tail, &["{", "[", "\"a\":{\"b\":", "\"\n", ":", "{\"value\":[", "]}"]),
        (record, &["\n{\"time\":1,\"x\":\"", "\r\n ", "\n["]),
        (header, &["\"", "\"\n,", "a,\"b\"\"\n", "\"x\",", ",", "\"a\n"]),
    ] {
        for piece in pieces {
            let bytes = [start, &piece.repeat(BYTES / piece.len())].concat();
            let found = frame(bytes.as_bytes(), &[usize::MAX], None).expect("the start is recognised");
            assert!(!found.2.is_empty(), "{piece:?}");
        }
    }
}

//! The lake that is written: commit by commit, each of two parts that are drawn and encoded beside one
//! another. What is in it follows from the settings alone, not from the machine.

mod account;
mod columns;
mod draw;
mod text;
mod truth;

use std::path::Path;
use std::sync::mpsc::sync_channel;

use arrow::array::RecordBatch;
use lightsout_lake::Lake;
use lightsout_lake::Result;
use lightsout_lake::commit::Manifest;
use lightsout_lake::schema::Table;
use lightsout_lake::write::{DataFile, DataFileWriter, write_file};

use account::Accounts;
use draw::{Draft, Drawing, Stream, World};
use truth::Truth;

/// Parts of a commit, as of an ingest with so many threads.
const PARTS: u32 = 2;
/// Rows of a row group, as ingest sorts and writes them.
const GROUP_ROWS: usize = 64 * 1024;
/// The end of the window that the truth speaks of: the records reach until the end of this day.
pub(crate) const AS_OF: &str = "2026-11-01";
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;
/// 2026-11-02 in days since 1970: no record is of this day.
pub(crate) const END_DAY: i64 = 20_759;
const WINDOW_DAYS: i64 = 30;

/// What the sources of the lake were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layout {
    /// Dumps of all tenants.
    Dump,
    /// A storage account: a file per tenant, category and day.
    Storage,
}

/// What to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) records: u64,
    pub(crate) tenants: u32,
    pub(crate) legacy_share: f64,
    pub(crate) commits: u32,
    pub(crate) days: u32,
    pub(crate) seed: u64,
    pub(crate) layout: Layout,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) records: u64,
    pub(crate) legacy_records: u64,
    pub(crate) sources: u64,
    pub(crate) coverage_entries: u64,
}

/// Data files and sources of one part of one commit.
struct Part {
    files: Vec<DataFile>,
    sources: RecordBatch,
    written: Written,
}

/// Writes the lake, and its truth as CSV.
pub(crate) async fn write(root: &Path, truth_path: &Path, settings: &Settings) -> Result<Written> {
    let mut lake = Lake::open_or_create(root).await?;
    let lock = lake.lock().await?;
    let world = World::new(settings);
    let folder = lake.root().to_owned();
    let mut written = Written::default();
    let mut truth = Truth::default();
    let (sends, receives): (Vec<_>, Vec<_>) = (0..PARTS).map(|_| sync_channel::<Result<Part>>(1)).unzip();
    let threads: Vec<_> = sends
        .into_iter()
        .zip(0..)
        .map(|(send, part)| {
            let (world, folder) = (world.clone(), folder.clone());
            std::thread::spawn(move || {
                let mut drawing = Drawing::new(world, part);
                for commit in 0..drawing.world.settings.commits {
                    let made = make(&folder, &mut drawing, commit, part);
                    let failed = made.is_err();
                    if send.send(made).is_err() || failed {
                        break;
                    }
                }
                drawing.truth
            })
        })
        .collect();
    for commit in 0..settings.commits {
        let name = name_of(settings, commit);
        let mut files = Vec::new();
        let mut sources = Vec::new();
        for receive in &receives {
            let part = receive.recv().expect("a part that was not given up")?;
            files.extend(part.files);
            sources.push(part.sources);
            written.records += part.written.records;
            written.legacy_records += part.written.legacy_records;
            written.sources += part.written.sources;
            written.coverage_entries += part.written.coverage_entries;
        }
        let sources = arrow::compute::concat_batches(&Table::Sources.file_schema(), &sources)
            .expect("batches of one table");
        files.push(write_file(lake.root(), Table::Sources, &format!("part-{name}"), &sources)?);
        let manifest = Manifest { batch_id: name, files, replaced: Vec::new() };
        let now_ms = (END_DAY + 1) * DAY_MICROS / 1_000;
        lake.commit(&lock, &manifest, now_ms).await?;
    }
    for thread in threads {
        truth.add(thread.join().expect("a part that was drawn"));
    }
    truth.write(&world, truth_path).map_err(lightsout_lake::Error::write(truth_path))?;
    Ok(written)
}

/// A batch id that the same settings always give.
fn name_of(settings: &Settings, commit: u32) -> String {
    format!("{:032x}", u128::from(settings.seed) << 64 | u128::from(commit))
}

/// A data file of one stream, begun with its first rows.
struct Writing {
    rows: Vec<Draft>,
    writer: Option<DataFileWriter>,
}

/// Draws and writes a part: its slice of time, and what is delivered again of earlier ones.
fn make(folder: &Path, drawing: &mut Drawing, commit: u32, part: u32) -> Result<Part> {
    let settings = drawing.world.settings;
    let name = name_of(&settings, commit);
    let (slices, slice) = (settings.commits * PARTS, commit * PARTS + part);
    let span = i64::from(settings.days) * DAY_MICROS;
    let start = END_DAY * DAY_MICROS - span;
    let at = |slice: u32| start + span / i64::from(slices) * i64::from(slice);
    let share = |slice: u32| settings.records * u64::from(slice) / u64::from(slices);
    let count = share(slice + 1) - share(slice);
    let mut accounts = Accounts::new(&settings, &name, slice, [at(slice), at(slice + 1)]);
    let mut written = Written { records: count, ..Written::default() };
    let mut streams: Vec<Writing> =
        Stream::ALL.iter().map(|_| Writing { rows: Vec::new(), writer: None }).collect();
    let times = drawing.sorted_times(count, at(slice), at(slice + 1));
    let last = commit + 1 == settings.commits;
    for (time, left) in times.into_iter().zip((0..count).rev()) {
        let mut draft = drawing.draw(time, if last { left + 1 } else { u64::MAX });
        accounts.count(&mut draft);
        let stream = draft.stream();
        written.legacy_records += u64::from(stream == Stream::Legacy);
        let rows = &mut streams[stream as usize].rows;
        rows.push(draft);
        if rows.len() == GROUP_ROWS {
            flush(folder, &name, part, stream, &mut streams[stream as usize], drawing, &accounts)?;
        }
    }
    let mut files = Vec::new();
    for (stream, mut writing) in Stream::ALL.into_iter().zip(streams) {
        if !writing.rows.is_empty() {
            flush(folder, &name, part, stream, &mut writing, drawing, &accounts)?;
        }
        if let Some(writer) = writing.writer {
            files.push(writer.finish()?);
        }
    }
    let (sources, rows) = accounts.rows(&drawing.world);
    written.sources = rows.0;
    written.coverage_entries = rows.1;
    Ok(Part { files, sources: sources?, written })
}

fn flush(
    folder: &Path,
    name: &str,
    part: u32,
    stream: Stream,
    writing: &mut Writing,
    drawing: &Drawing,
    accounts: &Accounts,
) -> Result<()> {
    let mut rows = std::mem::take(&mut writing.rows);
    rows.sort_unstable_by_key(|draft| (draft.tenant, draft.signed_in_at, draft.source_offset));
    let batch = columns::batch(&drawing.world, &rows, &|source| accounts.source_id(source));
    let writer = match &mut writing.writer {
        Some(writer) => writer,
        none => {
            let name = format!("part-{name}-{part}-{}", stream.suffix());
            let modern = Some(stream == Stream::Modern);
            none.insert(DataFileWriter::create(folder, Table::SignInRecords, modern, &name)?)
        }
    };
    writer.write(&batch)?;
    writer.end_row_group()
}

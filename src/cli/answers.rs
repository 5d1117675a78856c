//! What queries may take, and how their rows go out as they come: for every command that runs them.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::Args;

use super::screen::Screen;
use super::shared::{OnCluster, Output, is_special, parse_size};
use crate::cli::failure::{Failure, Result};
use lightsout_query::Error as QueryError;
use lightsout_query::answer::Limits;
use lightsout_query::{Parameter, Queries, Resources};
use lightsout_report::{Format, RowWriter};

/// What queries may take.
#[derive(Debug, Clone, Args)]
pub(super) struct QueryLimits {
    /// Print at most this many rows [default: all]
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Stop a query that takes longer, e.g. 10s or 5m [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) timeout: Option<Duration>,
    /// Memory limit for queries, e.g. 512MB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = parse_size)]
    pub(super) memory_limit: usize,
    #[command(flatten)]
    on: OnCluster,
}

impl QueryLimits {
    pub(super) fn resources(&self) -> Resources {
        Resources { memory_limit_bytes: self.memory_limit, cluster: self.on.cluster.clone() }
    }

    pub(super) const fn each(&self) -> Limits {
        Limits { rows: self.limit, time: self.timeout }
    }

    /// Runs one query and writes its rows as they come, until it ends or somebody interrupts it: to the screen if there
    /// is one, else as the output has it.
    pub(super) async fn answer(
        &self,
        queries: &Queries,
        (output, screen): (&Output, Option<&Screen>),
        name: &str,
        sql: &str,
        parameters: &[Parameter],
    ) -> Result<()> {
        let rows = async {
            let mut answer = queries.ask(name, sql, parameters, self.each()).await?;
            let is_cut = if let Some(screen) = screen {
                screen.show(answer, queries).await?.is_cut
            } else {
                let mut out = Out::open(output, &answer.schema())?;
                while let Some(batch) = answer.next().await? {
                    if !out.write(&batch)? {
                        return Ok(());
                    }
                }
                out.finish()?;
                answer.is_cut()
            };
            if let (true, Some(limit)) = (is_cut, self.limit) {
                lightsout_output::stderr!(
                    "only the first {limit} rows are shown, the limit of --limit; there are more"
                );
            }
            Ok::<(), Failure>(())
        };
        tokio::select! {
            done = rows => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::from(QueryError::Interrupted { name: name.to_owned() })),
        }
    }
}

/// `10s`, `5m`, `1h`, `500ms`.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected seconds, minutes or hours as in 10s, 5m or 1h, found '{text}'");
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| expected())?;
    let millis = match &text[digits..] {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    millis.filter(|millis| *millis > 0).map(Duration::from_millis).ok_or_else(expected)
}

/// Where rows go: a stream, or a file that has its name once it is whole.
pub(super) struct Out {
    rows: RowWriter<Sink>,
    part: Option<Part>,
    is_closed: Arc<AtomicBool>,
}

/// A file that is not whole yet; it is gone if it never is.
struct Part {
    path: PathBuf,
    part: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // It has its name by now, or nobody wants it.
        let _ = std::fs::remove_file(&self.part);
    }
}

impl Out {
    /// Opens before the first row, so that a file that can't be written is told at once.
    pub(super) fn open(output: &Output, schema: &SchemaRef) -> Result<Self> {
        let is_closed = Arc::new(AtomicBool::new(false));
        let stdout_format = || if io::stdout().is_terminal() { Format::Table } else { Format::Csv };
        let (sink, format, part) = match &output.output {
            None => {
                (Sink::new(io::stdout(), &is_closed), output.format().unwrap_or_else(stdout_format), None)
            }
            Some(path) => {
                let part = (!is_special(path)).then(|| Part { path: path.clone(), part: part_of(path) });
                let open = part.as_ref().map_or(path, |part| &part.part);
                let file = File::create(open).map_err(Failure::write(path))?;
                (Sink::new(file, &is_closed), output.format().unwrap_or(Format::Csv), part)
            }
        };
        Ok(Self { rows: RowWriter::new(sink, format, schema)?, part, is_closed })
    }

    /// Writes rows; `false` where nobody reads them any more.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<bool> {
        match self.rows.write(batch) {
            Ok(()) => Ok(true),
            // Who reads only the start has what they want.
            Err(_) if self.is_closed.load(Ordering::Relaxed) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn finish(self) -> Result<()> {
        let Self { rows, part, is_closed } = self;
        match rows.finish() {
            Err(_) if is_closed.load(Ordering::Relaxed) => return Ok(()),
            done => done?,
        }
        match &part {
            Some(Part { path, part }) => std::fs::rename(part, path).map_err(Failure::write(path)),
            None => Ok(()),
        }
    }
}

fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// Bytes to a stream that somebody may close: the writers of the formats wrap the error that says so.
struct Sink {
    out: BufWriter<Box<dyn Write + Send>>,
    is_closed: Arc<AtomicBool>,
}

impl Sink {
    fn new(out: impl Write + Send + 'static, is_closed: &Arc<AtomicBool>) -> Self {
        Self { out: BufWriter::with_capacity(64 << 10, Box::new(out)), is_closed: Arc::clone(is_closed) }
    }

    fn seen<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.is_closed.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        self.seen(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.seen(done)
    }
}

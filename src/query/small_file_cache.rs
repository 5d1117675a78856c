//! Caches the rows of small files for a session. A lake that is fed hour by hour has thousands of files of a few rows;
//! opening one costs the engine more than reading it, and each query would open it again. Only the columns that a query
//! has read are cached.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::parallel::{core_count, on_all_cores};
use lightsout_lake::LakeFile;
use lightsout_lake::schema::PARTITION;

/// A file of more bytes is read by the engine.
const BYTES_MAX: u64 = 128 * 1024;
/// Fewer files are not worth it.
const FILES_MIN: usize = 16;

/// What is kept of the small files of one table.
#[derive(Debug)]
pub(super) struct SmallFileCache {
    /// What all of it may take in memory.
    bytes_max: usize,
    cached: Mutex<CachedFiles>,
}

#[derive(Debug, Default)]
struct CachedFiles {
    chunks: Vec<Chunk>,
    /// Of a path, the chunk and the place in it.
    places: HashMap<String, (usize, usize)>,
    bytes: usize,
    /// So many columns more were too much, or could not be read: not tried again.
    refused: Option<usize>,
}

/// Files that were first read together, their rows one after the other.
#[derive(Debug)]
struct Chunk {
    files: Vec<LakeFile>,
    /// Where the rows of each file end.
    ends: Vec<usize>,
    /// The values of each column of the table, once a query has read it.
    columns: Vec<Option<ArrayRef>>,
}

/// The columns that a chunk lacks, as they were read.
struct Found {
    ends: Vec<usize>,
    columns: Vec<ArrayRef>,
    bytes: usize,
}

/// Parts the small files from the others, if they are worth it.
pub(super) fn split_small(files: Vec<&LakeFile>) -> (Vec<&LakeFile>, Vec<&LakeFile>) {
    let (small, others): (Vec<&LakeFile>, Vec<&LakeFile>) =
        files.iter().partition(|file| file.bytes <= BYTES_MAX);
    if small.len() < FILES_MIN { (Vec::new(), files) } else { (small, others) }
}

impl SmallFileCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, cached: Mutex::default() }
    }

    /// The rows of the files, of these columns; `None`: they take too much memory, or one can't be read, and
    /// the engine tells why.
    pub(super) fn read(
        &self,
        folder: &str,
        files: &[&LakeFile],
        schema: &SchemaRef,
        columns: &[usize],
    ) -> Result<Option<Vec<RecordBatch>>> {
        // Whoever comes meanwhile wants the same files: it waits, and finds them.
        let Ok(mut kept) = self.cached.lock() else { return Ok(None) };
        if !kept.has_all(folder, files, schema, columns, self.bytes_max) {
            return Ok(None);
        }
        let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); kept.chunks.len()];
        for file in files {
            if let Some((chunk, place)) = kept.places.get(&file.path) {
                wanted[*chunk].push(*place);
            }
        }
        let schema = Arc::new(schema.project(columns)?);
        let wanted = kept.chunks.iter().zip(wanted).filter(|(_, places)| !places.is_empty());
        wanted.map(|(chunk, places)| chunk.rows(places, &schema, columns)).collect::<Result<_>>().map(Some)
    }
}

impl CachedFiles {
    /// Reads what is lacking; whether all is there then.
    fn has_all(
        &mut self,
        folder: &str,
        files: &[&LakeFile],
        schema: &SchemaRef,
        columns: &[usize],
        bytes_max: usize,
    ) -> bool {
        let threads = core_count();
        let known = |file: &&&LakeFile| self.places.contains_key(&file.path);
        let new: Vec<&LakeFile> = files.iter().filter(|file| !known(file)).copied().collect();
        let known_chunks: HashSet<usize> =
            files.iter().filter_map(|file| Some(self.places.get(&file.path)?.0)).collect();
        let share = new.len().div_ceil(threads).max(1);
        let new: Vec<Chunk> = new.chunks(share).map(|files| Chunk::of(files, schema)).collect();
        let old = known_chunks.into_iter().map(|at| (Some(at), &self.chunks[at]));
        let lacking: Vec<(Option<usize>, &Chunk, Vec<usize>)> = old
            .chain(new.iter().map(|chunk| (None, chunk)))
            .map(|(at, chunk)| (at, chunk, chunk.lacks(columns)))
            .filter(|(_, _, lacks)| !lacks.is_empty())
            .collect();
        let most = lacking.iter().map(|(_, _, lacks)| lacks.len()).max().unwrap_or(0);
        if most > 0 && self.refused.is_some_and(|refused| most >= refused) {
            return false;
        }
        let bytes = AtomicUsize::new(self.bytes);
        let read = |(_, chunk, lacks): &(Option<usize>, &Chunk, Vec<usize>)| {
            chunk.read(folder, lacks, schema, &bytes, bytes_max)
        };
        let Some(found) = on_all_cores(&lacking, read) else {
            self.refused = Some(self.refused.map_or(most, |refused| refused.min(most)));
            return false;
        };
        let lacking: Vec<_> = lacking.into_iter().map(|(at, _, lacks)| (at, lacks)).collect();
        let mut new = new.into_iter();
        for ((at, lacks), found) in lacking.into_iter().zip(found) {
            let at = at.unwrap_or(self.chunks.len());
            if at == self.chunks.len() {
                let Some(chunk) = new.next() else { return false };
                let places = chunk.files.iter().enumerate();
                self.places.extend(places.map(|(place, file)| (file.path.clone(), (at, place))));
                self.chunks.push(chunk);
            }
            self.bytes += found.bytes;
            let chunk = &mut self.chunks[at];
            chunk.ends = found.ends;
            for (column, values) in lacks.into_iter().zip(found.columns) {
                chunk.columns[column] = Some(values);
            }
        }
        true
    }
}

impl Chunk {
    fn of(files: &[&LakeFile], schema: &SchemaRef) -> Self {
        // Their statistics are needed no more.
        let files = files.iter().map(|file| LakeFile { statistics: None, ..(*file).clone() });
        Self { files: files.collect(), ends: Vec::new(), columns: vec![None; schema.fields().len()] }
    }

    fn lacks(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().copied().filter(|column| self.columns[*column].is_none()).collect()
    }

    /// Reads these columns of every file; `None`: too much, or one can't be read.
    fn read(
        &self,
        folder: &str,
        columns: &[usize],
        schema: &SchemaRef,
        all_bytes: &AtomicUsize,
        bytes_max: usize,
    ) -> Option<Found> {
        let (mut ends, mut end) = (Vec::with_capacity(self.files.len()), 0);
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(self.files.len()); columns.len()];
        for file in &self.files {
            let (rows, values) = read(folder, file, columns, schema).ok()?;
            end += rows;
            ends.push(end);
            let bytes: usize =
                values.iter().map(|values| values.to_data().get_slice_memory_size().unwrap_or(0)).sum();
            if all_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > bytes_max {
                return None;
            }
            parts.iter_mut().zip(values).for_each(|(parts, values)| parts.push(values));
        }
        let joined = parts.iter().map(|parts| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).ok()
        });
        let columns = joined.collect::<Option<Vec<ArrayRef>>>()?;
        let bytes = columns.iter().map(Array::get_array_memory_size).sum();
        Some(Found { ends, columns, bytes })
    }

    /// The rows of some of its files; their columns are there.
    fn rows(&self, mut places: Vec<usize>, schema: &SchemaRef, columns: &[usize]) -> Result<RecordBatch> {
        let lacks = || DataFusionError::Internal("a column of a small file was not read".to_owned());
        let columns = columns.iter().map(|column| self.columns[*column].clone().ok_or_else(lacks));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        if places.len() == self.files.len() {
            return Ok(RecordBatch::try_new(Arc::clone(schema), columns)?);
        }
        places.sort_unstable();
        let begin = |place: usize| if place == 0 { 0 } else { self.ends[place - 1] };
        let runs =
            places.chunk_by(|a, b| a + 1 == *b).map(|run| (begin(run[0]), self.ends[run[run.len() - 1]]));
        let runs: Vec<(usize, usize)> = runs.collect();
        let some = |column: &ArrayRef| {
            let parts: Vec<ArrayRef> =
                runs.iter().map(|(from, until)| column.slice(*from, until - from)).collect();
            concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())
        };
        let columns = columns.iter().map(some).collect::<std::result::Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

/// The rows of a file, and these columns of them.
fn read(
    folder: &str,
    file: &LakeFile,
    columns: &[usize],
    schema: &SchemaRef,
) -> Result<(usize, Vec<ArrayRef>)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(Path::new(folder).join(&file.path))?)?;
    let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
    let names = columns.iter().map(|column| schema.field(*column).name().as_str());
    let stored: Vec<&str> = names.filter(|name| *name != PARTITION).collect();
    let mask = ProjectionMask::columns(reader.parquet_schema(), stored.iter().copied());
    let reader = reader.with_projection(mask).with_batch_size(rows.max(1)).build()?;
    let batches: Vec<RecordBatch> = reader.collect::<std::result::Result<_, _>>()?;
    let column = |column: &usize| -> Result<ArrayRef> {
        let field = schema.field(*column);
        if field.name() == PARTITION {
            return Ok(Arc::new(BooleanArray::from(vec![file.provably_modern; rows])));
        }
        let lacks = || DataFusionError::Execution(format!("no column {}", field.name()));
        let parts: Option<Vec<&ArrayRef>> =
            batches.iter().map(|batch| batch.column_by_name(field.name())).collect();
        match parts.ok_or_else(lacks)?.as_slice() {
            [] => Ok(arrow::array::new_empty_array(field.data_type())),
            [one] => Ok(Arc::clone(one)),
            several => Ok(concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
        }
    };
    Ok((rows, columns.iter().map(column).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::array::{StringArray, new_null_array};

    use super::*;
    use lightsout_lake::schema::Table;
    use lightsout_lake::write::DataFileWriter;

    const TABLE: Table = Table::SignInRecords;

    /// Files of three rows each.
    fn written(folder: &Path, files: usize) -> Vec<LakeFile> {
        let schema = TABLE.file_schema();
        let file = |at: usize| {
            let modern = at.is_multiple_of(2);
            let mut writer =
                DataFileWriter::create(folder, TABLE, Some(modern), &format!("part-{at}")).expect("a file");
            let columns = schema.fields().iter().map(|field| -> ArrayRef {
                match field.name().as_str() {
                    "sign_in_id" => {
                        Arc::new((0..3).map(|row| Some(format!("{at}-{row}"))).collect::<StringArray>())
                    }
                    _ => new_null_array(field.data_type(), 3),
                }
            });
            writer
                .write(&RecordBatch::try_new(Arc::clone(&schema), columns.collect()).expect("a batch"))
                .expect("rows");
            let written = writer.finish().expect("the file");
            LakeFile {
                path: written.path,
                bytes: written.bytes,
                provably_modern: Some(modern),
                statistics: None,
            }
        };
        (0..files).map(file).collect()
    }

    fn columns(names: &[&str]) -> Vec<usize> {
        let schema = TABLE.table_schema();
        names.iter().map(|name| schema.index_of(name).expect("a column")).collect()
    }

    #[test]
    fn each_file_is_read_once_with_all_rows() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = written(folder.path(), 20);
        let files: Vec<&LakeFile> = files.iter().collect();
        let table = folder.path().join(TABLE.as_str()).display().to_string();
        let kept = SmallFileCache::new(1 << 24);
        let schema = TABLE.table_schema();
        let read = |files: &[&LakeFile], names: &[&str]| {
            let batches = kept.read(&table, files, &schema, &columns(names)).expect("readable")?;
            let batch = arrow::compute::concat_batches(batches.first()?.schema_ref(), &batches);
            Some(batch.expect("batches of one schema"))
        };
        let ids = |rows: &RecordBatch| -> Vec<String> {
            let mut ids: Vec<String> = rows
                .column_by_name("sign_in_id")
                .expect("ids")
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(str::to_owned)
                .collect();
            ids.sort();
            ids
        };
        let written = |files: &[usize]| -> Vec<String> {
            let mut ids: Vec<String> =
                files.iter().flat_map(|at| (0..3).map(move |row| format!("{at}-{row}"))).collect();
            ids.sort();
            ids
        };
        // Some first, then all with a column more, then others that were read in two readings.
        let first = read(&files[..16], &["sign_in_id"]).expect("kept");
        assert_eq!(ids(&first), written(&(0..16).collect::<Vec<_>>()));
        let rows = read(&files, &[PARTITION, "sign_in_id"]).expect("kept");
        assert_eq!(ids(&rows), written(&(0..20).collect::<Vec<_>>()));
        let modern = rows.column(0).as_boolean();
        for (at, id) in rows.column(1).as_string::<i32>().iter().flatten().enumerate() {
            let file: usize = id.split('-').next().and_then(|file| file.parse().ok()).expect("a file");
            assert_eq!(modern.value(at), file.is_multiple_of(2), "{id}");
        }
        std::fs::remove_dir_all(folder.path().join(TABLE.as_str())).expect("removed");
        let some: Vec<&LakeFile> = [19, 2, 3, 0, 17, 9].map(|at| files[at]).to_vec();
        let rows = read(&some, &["sign_in_id"]).expect("kept, though the files are gone");
        assert_eq!(ids(&rows), written(&[19, 2, 3, 0, 17, 9]));
        assert!(read(&files, &["sign_in_id", "country"]).is_none(), "a column that was not asked for before");
        assert!(read(&files, &["sign_in_id"]).is_some(), "what is there stays");
    }

    #[test]
    fn files_beyond_the_memory_limit_are_left_to_the_engine() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = written(folder.path(), FILES_MIN);
        let files: Vec<&LakeFile> = files.iter().collect();
        let table = folder.path().join(TABLE.as_str()).display().to_string();
        let few = SmallFileCache::new(512);
        assert_eq!(split_small(files.clone()).0.len(), FILES_MIN);
        assert!(split_small(files[1..].to_vec()).0.is_empty(), "too few");
        let read = |names: &[&str]| {
            few.read(&table, &files, &TABLE.table_schema(), &columns(names)).expect("readable").is_some()
        };
        assert!(!read(&["sign_in_id", "user_id"]));
        assert!(read(&[PARTITION]), "and less is still tried");
    }
}

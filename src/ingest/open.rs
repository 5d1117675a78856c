//! Opens an input: its bytes, inflated, and the hash of its content, which names the source. Compression and containers
//! are told by the first bytes, never by the file name. A zip or tar archive holds several sources; tables in binary
//! formats are read as text, a line a row, by `avro` and `parquet`. What is named is what was parsed: `watch` notices
//! that a file changes while it is read.

mod avro;
mod container;
mod members;
mod parquet;
mod watch;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::sync::{Arc, Mutex};

use self::avro::AvroText;
pub use self::container::Container;
use self::parquet::ParquetText;
use self::watch::Watch;
use super::find::Input;
use crate::{Error, Result};
use lightsout_formats::encoding::{Encoding, Transcoder};
use lightsout_formats::text::Text;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
    /// A member of an archive.
    Zip,
    Tar,
    /// Tables, which are compressed in parts.
    Avro,
    Parquet,
}

impl Compression {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Avro => "avro",
            Self::Parquet => "parquet",
        }
    }

    fn sniff(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [b'O', b'b', b'j', 1, ..] => Self::Avro,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            _ => Self::None,
        }
    }
}

/// Where the bytes of a source are.
#[derive(Debug, Clone)]
enum Place {
    Memory(Arc<[u8]>),
    File(Arc<File>),
    /// Within the file of an archive.
    Part {
        file: Arc<File>,
        start: u64,
        deflated: bool,
        /// Of the bytes inflated, as the directory has it.
        checksum: u32,
    },
}

/// An input that can be read.
#[derive(Debug)]
pub struct Opened {
    place: Place,
    pub compression: Compression,
    /// What the file system or the archive's directory says.
    pub stored_bytes: u64,
    /// BLAKE3 of the bytes as stored, where it was wanted before they are read.
    pub content_hash: Option<blake3::Hash>,
    /// The same of the first bytes, as many as were asked for, if they end with a line.
    pub prefix_hash: Option<blake3::Hash>,
    /// `None`: nobody else writes to it.
    watch: Option<Watch>,
}

/// Files up to this size are read as a whole: they are hashed before they are parsed at no cost.
const SMALL_BYTES: u64 = 512 << 10;

/// Opens an input. What cannot be read from its start again (stdin, a pipe) is spooled to a temporary
/// file first. The bytes are hashed now if `hash_first` says so of their number, or if they are few;
/// else while they are read. `prefix_bytes`: how many bytes the lake may have of it; if it has more by now, the first
/// ones are hashed alone too.
///
/// # Errors
/// Fails if the file can't be read.
pub fn open(
    input: &Input,
    hash_first: impl FnOnce(u64) -> bool,
    prefix_bytes: Option<u64>,
) -> Result<Opened> {
    let failed = || Error::read(&input.name);
    let mut watch = None;
    let mut file = match &input.path {
        Some(path) => {
            let mut file = File::open(path).map_err(failed())?;
            let metadata = file.metadata().map_err(failed())?;
            if metadata.is_file() {
                let handle = file.try_clone().map_err(failed())?;
                watch = Some(Watch::new(handle, path.clone(), &metadata));
                file
            } else {
                spool(&mut file).map_err(failed())?
            }
        }
        None => spool(&mut io::stdin().lock()).map_err(failed())?,
    };
    let stored_bytes = match &watch {
        Some(watch) => watch.bytes(),
        None => file.metadata().map_err(failed())?.len(),
    };
    if stored_bytes <= SMALL_BYTES {
        let mut bytes = Vec::with_capacity(usize::try_from(stored_bytes).unwrap_or(0) + 1);
        file.read_to_end(&mut bytes).map_err(failed())?;
        let mut opened = Opened {
            compression: Compression::sniff(&bytes),
            stored_bytes: bytes.len() as u64,
            content_hash: None,
            prefix_hash: None,
            place: Place::Memory(bytes.into()),
            watch,
        };
        opened.hash(prefix_bytes).map_err(failed())?;
        return Ok(opened);
    }
    // Fewer, if it has shrunk since.
    let mut head = Vec::with_capacity(4);
    (&mut file).take(4).read_to_end(&mut head).and_then(|_| file.rewind()).map_err(failed())?;
    let mut opened = Opened {
        compression: Compression::sniff(&head),
        place: Place::File(Arc::new(file)),
        stored_bytes,
        content_hash: None,
        prefix_hash: None,
        watch,
    };
    let prefix_bytes = prefix_bytes.filter(|bytes| *bytes < stored_bytes);
    // Of an archive each member is a source of its own; of a table not all bytes are read, nor in their order.
    let is_table = opened.compression == Compression::Parquet;
    if opened.compression != Compression::Zip
        && (is_table || prefix_bytes.is_some() || hash_first(stored_bytes))
    {
        opened.hash(prefix_bytes).map_err(failed())?;
    }
    Ok(opened)
}

/// Whether an error concerns this file alone, so that others can still be read.
pub(super) fn is_of_the_file(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | PermissionDenied | IsADirectory)
}

fn spool(from: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

/// A file from some place on; several may read one file.
struct FileFrom {
    file: Arc<File>,
    at: u64,
}

impl Read for FileFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Bytes as stored, hashed while they are read. Of two owners one begins where the other has stopped.
#[derive(Clone)]
struct Hashing(Arc<Mutex<(Box<dyn Read + Send>, blake3::Hasher)>>);

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        let (reader, hasher) = &mut *inner;
        let read = reader.read(buffer)?;
        hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// The content that a text is read from, to be named once it is read.
pub struct Content(Naming);

enum Naming {
    Known(blake3::Hash, u64),
    Reading {
        bytes: Hashing,
        /// The hash of an earlier pass.
        expected: Option<blake3::Hash>,
    },
}

/// A content that was read to its end.
pub struct ReadContent {
    pub hash: blake3::Hash,
    /// The number of all bytes as stored, also of those that no text came from.
    pub stored_bytes: u64,
    /// An earlier pass has seen another content.
    pub has_changed: bool,
}

impl Content {
    /// Reads what is left, and names the whole.
    ///
    /// # Errors
    /// Fails if the bytes can't be read.
    pub fn finish(self) -> io::Result<ReadContent> {
        let (mut bytes, expected) = match self.0 {
            Naming::Known(hash, stored_bytes) => {
                return Ok(ReadContent { hash, stored_bytes, has_changed: false });
            }
            Naming::Reading { bytes, expected } => (bytes, expected),
        };
        // A text may stop before the end, behind a broken stream or the last frame.
        io::copy(&mut bytes, &mut io::sink())?;
        let inner = bytes.0.lock().map_err(|_| io::ErrorKind::Other)?;
        let hash = inner.1.finalize();
        let has_changed = expected.is_some_and(|expected| expected != hash);
        Ok(ReadContent { hash, stored_bytes: inner.1.count(), has_changed })
    }
}

impl Opened {
    /// Whether the file was written to, or another one has taken its place, since it was opened.
    pub fn has_changed(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::has_changed)
    }

    /// A file that holds the bytes inflated.
    fn to_file(&self) -> io::Result<Arc<File>> {
        let (mut reader, is_inflated) = self.inflated(self.stored())?;
        match &self.place {
            Place::File(file) if !is_inflated => Ok(Arc::clone(file)),
            Place::File(_) | Place::Memory(_) | Place::Part { .. } => Ok(Arc::new(spool(&mut reader)?)),
        }
    }

    /// Hashes the bytes as stored, and as many as `prefix_bytes` alone.
    fn hash(&mut self, prefix_bytes: Option<u64>) -> io::Result<()> {
        let mut hasher = blake3::Hasher::new();
        let mut stored = self.stored();
        if let Some(bytes @ 1..) = prefix_bytes {
            hasher.update_reader((&mut stored).take(bytes - 1))?;
            let mut last = Vec::new();
            (&mut stored).take(1).read_to_end(&mut last)?;
            hasher.update(&last);
            self.prefix_hash = (last == b"\n").then(|| hasher.finalize());
        }
        hasher.update_reader(stored)?;
        self.stored_bytes = hasher.count();
        self.content_hash = Some(hasher.finalize());
        Ok(())
    }

    /// The bytes as stored, from the start.
    fn stored(&self) -> Box<dyn Read + Send> {
        match &self.place {
            Place::Memory(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
            Place::File(file) => Box::new(FileFrom { file: Arc::clone(file), at: 0 }),
            Place::Part { file, start, .. } => {
                Box::new(FileFrom { file: Arc::clone(file), at: *start }.take(self.stored_bytes))
            }
        }
    }

    /// The text, and the content that it is read from.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn read(&self) -> io::Result<(Text, Content)> {
        let stored = self.stored();
        if let (Some(hash), Place::Memory(_)) = (self.content_hash, &self.place) {
            return Ok((self.text_of(stored)?, Content(Naming::Known(hash, self.stored_bytes))));
        }
        let bytes = Hashing(Arc::new(Mutex::new((stored, blake3::Hasher::new()))));
        let text = self.text_of(Box::new(bytes.clone()))?;
        Ok((text, Content(Naming::Reading { bytes, expected: self.content_hash })))
    }

    /// The text from its start, inflated and as UTF-8, without its byte order mark; several gzip
    /// members or zstd frames are one stream.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn text(&self) -> io::Result<Text> {
        self.text_of(self.stored())
    }

    /// What is in the file, by its first bytes inflated.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn container(&self) -> io::Result<Container> {
        let mut head = Vec::new();
        let (reader, _) = self.inflated(self.stored())?;
        // What can't be inflated is told when it is read.
        let _ = reader.take(container::HEAD_BYTES as u64).read_to_end(&mut head);
        Ok(Container::sniff(&head))
    }

    /// The bytes inflated, and whether an error of theirs means that a compressed stream is broken.
    fn inflated(&self, stored: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
        let mut reader = stored;
        let mut compressed = false;
        if let Place::Part { deflated, checksum, .. } = self.place {
            if deflated {
                let bytes = BufReader::with_capacity(1 << 18, reader);
                reader = Box::new(flate2::bufread::DeflateDecoder::new(bytes));
            }
            reader = Box::new(Checked { reader, seen: flate2::Crc::new(), expected: checksum });
            compressed = true;
        }
        let (head, reader) = peek(reader);
        // Also what an archive holds may be compressed.
        Ok(match Compression::sniff(&head) {
            Compression::Gzip => {
                let bytes = BufReader::with_capacity(1 << 18, reader);
                (Box::new(flate2::bufread::MultiGzDecoder::new(bytes)), true)
            }
            Compression::Zstd => (Box::new(zstd::stream::read::Decoder::new(reader)?), true),
            Compression::None
            | Compression::Zip
            | Compression::Tar
            | Compression::Avro
            | Compression::Parquet => (reader, compressed),
        })
    }

    fn text_of(&self, stored: Box<dyn Read + Send>) -> io::Result<Text> {
        let (reader, mut compressed) = self.inflated(stored)?;
        let (mut head, mut reader) = peek(reader);
        match Compression::sniff(&head) {
            Compression::Avro => {
                (head, reader) = peek(Box::new(Late::new(move || AvroText::new(reader))));
                compressed = true;
            }
            Compression::Parquet => {
                let whole = self.to_file()?;
                (head, reader) = peek(Box::new(Late::new(move || ParquetText::new(whole))));
                compressed = true;
            }
            Compression::None
            | Compression::Gzip
            | Compression::Zstd
            | Compression::Zip
            | Compression::Tar => {}
        }
        let (encoding, mark) = Encoding::sniff(&head);
        io::copy(&mut (&mut reader).take(mark as u64), &mut io::sink())?;
        if encoding != Encoding::Utf8 {
            return Ok(Text::new(Transcoder::new(reader, encoding), compressed, encoding, mark as u64));
        }
        Ok(Text::new(reader, compressed, encoding, mark as u64))
    }
}

/// A reader that is made when it is first read, so that an error of its making comes as one of reading.
struct Late<M, R> {
    make: Option<M>,
    reader: Option<R>,
}

impl<M: FnOnce() -> io::Result<R>, R: Read> Late<M, R> {
    fn new(make: M) -> Self {
        Self { make: Some(make), reader: None }
    }
}

impl<M: FnOnce() -> io::Result<R>, R: Read> Read for Late<M, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(make) = self.make.take() {
            self.reader = Some(make()?);
        }
        self.reader.as_mut().map_or(Ok(0), |reader| reader.read(buffer))
    }
}

/// Bytes that end with an error if they are not those that the archive has the checksum of.
struct Checked {
    reader: Box<dyn Read + Send>,
    seen: flate2::Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.seen.update(&buffer[..read]);
        if read == 0 && !buffer.is_empty() && self.seen.sum() != self.expected {
            return Err(io::Error::other("the archive's checksum does not match"));
        }
        Ok(read)
    }
}

/// The first bytes, and a reader that gives them again. An error comes when it is read again.
fn peek(mut reader: Box<dyn Read + Send>) -> (Vec<u8>, Box<dyn Read + Send>) {
    let mut head = Vec::new();
    let failed = (&mut reader).take(4).read_to_end(&mut head).err();
    let again = io::Cursor::new(head.clone());
    (head, Box::new(again.chain(FailFirst { failed }).chain(reader)))
}

/// Gives one error, then nothing.
struct FailFirst {
    failed: Option<io::Error>,
}

impl Read for FailFirst {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.failed.take().map_or(Ok(0), Err)
    }
}

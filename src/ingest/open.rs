//! Opens an input: content hash first (it names the source), then the bytes, inflated. Compression
//! is told by the first bytes, never by the file name. A zip archive holds several sources.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use zip::CompressionMethod;

use super::encoding::{Encoding, Transcoder};
use super::find::{Input, PathFacts};
use crate::error::{Error, Result};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
    /// A member of an archive.
    Zip,
}

impl Compression {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }

    fn sniff(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ => Self::None,
        }
    }
}

/// Bytes of a file that are one source.
#[derive(Debug, Clone)]
struct Part {
    start: u64,
    len: u64,
    deflated: bool,
}

/// An input that was hashed and can be read.
#[derive(Debug)]
pub struct Opened {
    file: Arc<File>,
    part: Option<Part>,
    pub compression: Compression,
    pub stored_bytes: u64,
    /// BLAKE3 of the bytes as stored.
    pub content_hash: blake3::Hash,
}

/// Opens and hashes. Stdin is spooled to a temporary file first, since its name is its content.
///
/// # Errors
/// Fails if the file can't be read.
pub fn open(input: &Input) -> Result<Opened> {
    let name = &input.name;
    let file = match &input.path {
        Some(path) => File::open(path).map_err(Error::read(name))?,
        None => spool(&mut io::stdin().lock()).map_err(Error::read(name))?,
    };
    let (head, stored_bytes, content_hash) = hash(&mut &file).map_err(Error::read(name))?;
    let compression = Compression::sniff(&head);
    Ok(Opened { file: Arc::new(file), part: None, compression, stored_bytes, content_hash })
}

/// First bytes, length and hash of what a reader gives.
fn hash(reader: &mut impl Read) -> io::Result<([u8; 4], u64, blake3::Hash)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut head = [0; 4];
    let mut len = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if len == 0 {
            let known = read.min(head.len());
            head[..known].copy_from_slice(&buffer[..known]);
        }
        len += read as u64;
        hasher.update(&buffer[..read]);
    }
    Ok((head, len, hasher.finalize()))
}

fn spool(from: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

/// A member of an archive, or why it can't be read.
pub type Member = (Input, std::result::Result<Opened, String>);

impl Opened {
    /// The files in a zip archive, each as a source of its own, named `archive.zip/member`.
    ///
    /// # Errors
    /// Fails with the reason if the archive has no directory that can be read.
    pub fn members(&self, archive: &Input) -> std::result::Result<Vec<Member>, String> {
        let told = |error: zip::result::ZipError| error.to_string();
        let file = self.file.try_clone().map_err(|error| error.to_string())?;
        let mut directory = zip::ZipArchive::new(file).map_err(told)?;
        let mut members = Vec::new();
        for index in 0..directory.len() {
            let member = directory.by_index_raw(index).map_err(told)?;
            if member.is_dir() {
                continue;
            }
            let name = member.name().map_err(told)?.into_owned();
            let path = PathBuf::from(&archive.name).join(&name);
            let input = Input {
                path: archive.path.clone(),
                name: format!("{}/{name}", archive.name),
                stored_bytes: member.compressed_size(),
                says: PathFacts::of(&path),
                assigned: archive.assigned.clone(),
            };
            let deflated = match member.compression() {
                _ if member.encrypted() => Err("it is encrypted; unpack it with its password".to_owned()),
                CompressionMethod::Stored => Ok(false),
                CompressionMethod::DEFLATE => Ok(true),
                other => Err(format!("it is packed by the method {other:?}; unpack it and name the files")),
            };
            let start = member.data_start();
            let len = member.compressed_size();
            drop(member);
            let opened = match (deflated, start) {
                (Err(why), _) => Err(why),
                (Ok(_), None) => Err("the archive does not say where it starts".to_owned()),
                (Ok(deflated), Some(start)) => self.part(Part { start, len, deflated }),
            };
            members.push((input, opened));
        }
        Ok(members)
    }

    fn part(&self, part: Part) -> std::result::Result<Self, String> {
        let mut opened = Self {
            file: Arc::clone(&self.file),
            compression: Compression::Zip,
            stored_bytes: part.len,
            content_hash: self.content_hash,
            part: Some(part),
        };
        let hashed = opened.stored().and_then(|mut bytes| hash(&mut bytes));
        opened.content_hash = hashed.map_err(|error| error.to_string())?.2;
        Ok(opened)
    }

    /// The bytes as stored, from the start. Two readers of one file must not be used in turn.
    fn stored(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = self.file.try_clone()?;
        let start = self.part.as_ref().map_or(0, |part| part.start);
        file.seek(SeekFrom::Start(start))?;
        Ok(match &self.part {
            Some(part) => Box::new(file.take(part.len)),
            None => Box::new(file),
        })
    }

    /// The text from its start, inflated and as UTF-8, without its byte order mark; several gzip
    /// members or zstd frames are one stream.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn text(&self) -> io::Result<Text> {
        let mut reader = self.stored()?;
        if self.part.as_ref().is_some_and(|part| part.deflated) {
            reader =
                Box::new(flate2::bufread::DeflateDecoder::new(BufReader::with_capacity(1 << 18, reader)));
        }
        let mut compressed = self.compression == Compression::Zip;
        let (mut head, mut reader) = peek(reader);
        // Also what an archive holds may be compressed.
        match Compression::sniff(&head) {
            Compression::Gzip => {
                let bytes = BufReader::with_capacity(1 << 18, reader);
                (head, reader) = peek(Box::new(flate2::bufread::MultiGzDecoder::new(bytes)));
                compressed = true;
            }
            Compression::Zstd => {
                (head, reader) = peek(Box::new(zstd::stream::read::Decoder::new(reader)?));
                compressed = true;
            }
            Compression::None | Compression::Zip => {}
        }
        let (encoding, mark) = Encoding::sniff(&head);
        io::copy(&mut (&mut reader).take(mark as u64), &mut io::sink())?;
        if encoding != Encoding::Utf8 {
            reader = Box::new(Transcoder::new(reader, encoding));
        }
        Ok(Text { reader, compressed, encoding, mark_bytes: mark as u64 })
    }
}

/// A file's text, to be read once.
pub struct Text {
    pub reader: Box<dyn Read + Send>,
    /// Whether an error of the reader means that a compressed stream is broken.
    pub compressed: bool,
    pub encoding: Encoding,
    /// What the byte order mark took.
    pub mark_bytes: u64,
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

//! Opens an input: content hash first (it names the source), then the bytes, inflated. Compression
//! is told by the first bytes, never by the file name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use super::find::Input;
use crate::error::{Error, Result};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn sniff(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// An input that was hashed and is at its start again.
#[derive(Debug)]
pub struct Opened {
    file: File,
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
    let mut file = match &input.path {
        Some(path) => File::open(path).map_err(Error::read(name))?,
        None => spool(&mut io::stdin().lock()).map_err(Error::read(name))?,
    };
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut head = [0; 4];
    let mut stored_bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::Read { path: name.clone(), source }),
        };
        if stored_bytes == 0 {
            let known = read.min(head.len());
            head[..known].copy_from_slice(&buffer[..known]);
        }
        stored_bytes += read as u64;
        hasher.update(&buffer[..read]);
    }
    file.rewind().map_err(Error::read(name))?;
    Ok(Opened { file, compression: Compression::sniff(&head), stored_bytes, content_hash: hasher.finalize() })
}

fn spool(from: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

impl Opened {
    /// The bytes, inflated; several gzip members or zstd frames are one stream.
    ///
    /// # Errors
    /// Fails if the decompressor can't be set up.
    pub fn into_reader(self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.compression {
            Compression::None => Box::new(self.file),
            Compression::Gzip => {
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, self.file)))
            }
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(self.file)?),
        })
    }
}

//! The files in an archive, each a source of its own. Those of a zip archive are read where they lie; a tar archive is
//! read once from its start, and its files are kept in memory or in temporary files, one at a time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use zip::CompressionMethod;
use zip::read::Config;
use zip::unstable::read::ZipIterable;

use super::container::{Container, Format};
use super::{Compression, FileFrom, Opened, Place, SMALL_BYTES, spool};
use crate::find::{Input, PathFacts};

/// A member of an archive, or why it can't be read.
pub(crate) type Member = (Input, Result<Opened, String>);

/// Where the bytes of a zip archive's member start, behind its own header.
fn data_start(file: &Arc<File>, header_start: u64) -> io::Result<u64> {
    const SIGNATURE: &[u8] = b"PK\x03\x04";
    let mut header = [0; 30];
    FileFrom { file: Arc::clone(file), at: header_start }.read_exact(&mut header)?;
    if !header.starts_with(SIGNATURE) {
        return Err(io::Error::other("its header is missing"));
    }
    let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    Ok(header_start + header.len() as u64 + length(26) + length(28))
}

/// The last bytes that were read of a tar archive.
#[derive(Debug, Clone, Default)]
struct LastBlock(Rc<RefCell<Vec<u8>>>);

const TAR_BLOCK_BYTES: usize = 512;

impl LastBlock {
    fn take_in(&self, bytes: &[u8]) {
        let mut last = self.0.borrow_mut();
        last.extend_from_slice(&bytes[bytes.len().saturating_sub(TAR_BLOCK_BYTES)..]);
        let surplus = last.len().saturating_sub(TAR_BLOCK_BYTES);
        last.drain(..surplus);
    }

    fn is_zero(&self) -> bool {
        self.0.borrow().iter().all(|byte| *byte == 0)
    }
}

struct Watched<R> {
    reader: R,
    last_block: LastBlock,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.last_block.take_in(&buffer[..read]);
        Ok(read)
    }
}

impl Opened {
    /// What a zip archive is, if it is a document of an office program.
    ///
    /// # Errors
    /// Fails with the reason if the archive has no directory that can be read.
    pub fn document(&self) -> Result<Option<&'static Format>, String> {
        let reader = self.to_file().and_then(|file| file.try_clone()).map_err(|error| error.to_string())?;
        let directory = zip::ZipArchive::new(reader).map_err(|error| error.to_string())?;
        let names: Vec<String> = directory.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
        Ok(Container::of_members(names.iter().map(String::as_str)))
    }

    /// The files in a zip archive, each as a source of its own, named `archive.zip/member`.
    ///
    /// # Errors
    /// Fails with the reason if the archive has no directory that can be read.
    pub fn members(&self, archive: &Input) -> Result<Vec<Member>, String> {
        let told = |error: zip::result::ZipError| error.to_string();
        let file = self.to_file().map_err(|error| error.to_string())?;
        let reader = file.try_clone().map_err(|error| error.to_string())?;
        let directory = zip::ZipArchive::new(reader).map_err(told)?;
        let before = directory.offset();
        if before > 0 {
            return Err(format!(
                "{before} bytes lie before it, as if archives were joined; name each archive"
            ));
        }
        let mut members = Vec::new();
        let mut named: HashMap<String, usize> = HashMap::new();
        // `ZipArchive` has one member of each name.
        let mut entries = ZipIterable::try_new(directory.into_inner(), Config::default()).map_err(told)?;
        for member in entries.files().map_err(told)? {
            let member = member.map_err(told)?;
            if member.is_dir() {
                continue;
            }
            let name = member.name().map_err(told)?.into_owned();
            let path = PathBuf::from(&archive.name).join(&name);
            let count = named.entry(name.clone()).or_default();
            *count += 1;
            let again = if *count > 1 { format!(" ({count})") } else { String::new() };
            let input = Input {
                path: archive.path.clone(),
                blob: archive.blob.clone(),
                name: format!("{}/{name}{again}", archive.name),
                stored_bytes: member.compressed_size(),
                says: PathFacts::of(&path),
                assigned: archive.assigned.clone(),
                is_of_folder: archive.is_of_folder,
                unreadable: None,
            };
            let deflated = match member.compression() {
                _ if member.encrypted() => Err("it is encrypted; unpack it with its password".to_owned()),
                CompressionMethod::Stored => Ok(false),
                CompressionMethod::DEFLATE => Ok(true),
                other => Err(format!("it is packed by the method {other:?}; unpack it and name the files")),
            };
            let start = data_start(&file, member.header_start());
            let checksum = member.crc32();
            let len = member.compressed_size();
            let opened = match (deflated, start) {
                (Err(why), _) => Err(why),
                (Ok(_), Err(why)) => Err(format!("the archive does not say where it starts: {why}")),
                (Ok(deflated), Ok(start)) => {
                    let place = Place::Part { file: Arc::clone(&file), start, deflated, checksum };
                    let compression = Compression::Zip;
                    let mut opened = Self {
                        place,
                        compression,
                        stored_bytes: len,
                        content_hash: None,
                        prefix_hash: None,
                        watch: None,
                    };
                    opened.hash(None).map(|()| opened).map_err(|error| error.to_string())
                }
            };
            members.push((input, opened));
        }
        Ok(members)
    }

    /// Hands out each file in a tar archive, named `archive.tar/member`; false stops it. What is no file (folders,
    /// links) holds no records.
    ///
    /// # Errors
    /// Fails with the reason if the archive breaks off.
    pub fn each_member<E>(
        &self,
        archive: &Input,
        mut member: impl FnMut(Member) -> Result<bool, E>,
    ) -> Result<Result<(), E>, String> {
        let told = |error: io::Error| error.to_string();
        let (reader, _) = self.inflated(self.stored()).map_err(told)?;
        let last_block = LastBlock::default();
        let mut tar = tar::Archive::new(Watched { reader, last_block: last_block.clone() });
        // Of archives that were joined the second is read too.
        tar.set_ignore_zeros(true);
        for entry in tar.entries().map_err(told)? {
            let mut entry = entry.map_err(told)?;
            let kind = entry.header().entry_type();
            if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let opened = Self::kept(&mut entry).map_err(|error| format!("it breaks off: {error}"));
            let input = Input {
                path: archive.path.clone(),
                blob: archive.blob.clone(),
                stored_bytes: opened.as_ref().map_or(0, |opened| opened.stored_bytes),
                says: PathFacts::of(&PathBuf::from(&archive.name).join(&name)),
                name: format!("{}/{name}", archive.name),
                assigned: archive.assigned.clone(),
                is_of_folder: archive.is_of_folder,
                unreadable: None,
            };
            match member((input, opened)) {
                Ok(true) => {}
                Ok(false) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
        // Whole archives end with blocks of zeros.
        if !last_block.is_zero() {
            return Err("it breaks off: the blocks that end an archive are missing".to_owned());
        }
        Ok(Ok(()))
    }

    /// The bytes of a reader, to be read again.
    fn kept(reader: &mut impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        (&mut *reader).take(SMALL_BYTES).read_to_end(&mut bytes)?;
        let place = if (bytes.len() as u64) < SMALL_BYTES {
            Place::Memory(bytes.into())
        } else {
            Place::File(Arc::new(spool(&mut bytes.as_slice().chain(reader))?))
        };
        let compression = Compression::Tar;
        let mut opened =
            Self { place, compression, stored_bytes: 0, content_hash: None, prefix_hash: None, watch: None };
        opened.hash(None)?;
        Ok(opened)
    }
}

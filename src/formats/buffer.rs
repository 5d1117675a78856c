//! Buffers that go round: what was parsed is filled again, so that memory is asked for, cleared and
//! mapped once and not for every chunk.

use std::io::{self, Read};
use std::ops::Deref;
use std::sync::{Arc, Mutex};

/// Buffers that wait; more than this are given back to the system.
const WAITING_MAX: usize = 32;
/// A larger one is not kept: it served one long record.
const KEPT_BYTES_MAX: usize = 2 << 20;

/// Where buffers come from and go back to.
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    waiting: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// An empty buffer with room for `bytes`.
    pub fn get(&self, bytes: usize) -> Buffer {
        let waiting = self.waiting.lock().ok().and_then(|mut waiting| waiting.pop());
        let mut buffer = Buffer { bytes: waiting.unwrap_or_default(), filled: 0, home: self.clone() };
        buffer.make_room(bytes);
        buffer
    }
}

/// Bytes, and room for more.
#[derive(Debug, Default)]
pub struct Buffer {
    /// All of it is initialised.
    bytes: Vec<u8>,
    filled: usize,
    home: Buffers,
}

impl Buffer {
    fn make_room(&mut self, bytes: usize) {
        if self.bytes.len() < bytes {
            self.bytes.resize(bytes, 0);
        }
    }

    /// Reads until it holds `wanted` bytes; false if the reader ends before.
    pub fn fill(&mut self, reader: &mut impl Read, wanted: usize) -> io::Result<bool> {
        self.make_room(wanted);
        while self.filled < wanted {
            match reader.read(&mut self.bytes[self.filled..wanted]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Keeps the first `len` bytes; what is behind them goes into another buffer with room for `bytes`.
    #[must_use]
    pub fn split_off(&mut self, len: usize, bytes: usize) -> Self {
        let rest = &self.bytes[len..self.filled];
        let mut other = self.home.get(bytes.max(rest.len()));
        other.bytes[..rest.len()].copy_from_slice(rest);
        other.filled = rest.len();
        self.filled = len;
        other
    }

    pub fn truncate(&mut self, len: usize) {
        self.filled = self.filled.min(len);
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { filled: bytes.len(), bytes, home: Buffers::default() }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() <= KEPT_BYTES_MAX
            && let Ok(mut waiting) = self.home.waiting.lock()
            && waiting.len() < WAITING_MAX
        {
            waiting.push(std::mem::take(&mut self.bytes));
        }
    }
}

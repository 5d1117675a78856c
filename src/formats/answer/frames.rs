//! The frames of an answer of Azure Data Explorer (version 2): a header, tables, and at the end a frame that says whether
//! all went well. Where that one is missing, the query broke off while its rows were sent.

use serde_json::Value;

/// The frames that open and end an answer are short, but for the errors that the latter tells.
const FRAME_BYTES_MAX: usize = 64 << 10;
/// So long may a frame be whose first member is not `FrameType`.
const SORTED_FRAME_BYTES_MAX: usize = 512;

const HEADER: &str = "DataSetHeader";
const COMPLETION: &str = "DataSetCompletion";

/// What the frames of a file have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    is_open: bool,
    says_incomplete: bool,
}

impl Frames {
    /// Takes in an object of a document, of which few are frames.
    pub(crate) fn object(&mut self, object: &[u8]) {
        if !may_be_frame(object) {
            return;
        }
        let Ok(frame) = serde_json::from_slice::<Value>(object) else { return };
        let says = |name: &str| frame.get(name) == Some(&Value::Bool(true));
        match frame.get("FrameType").and_then(Value::as_str) {
            Some(HEADER) => {
                self.says_incomplete |= self.is_open;
                self.is_open = true;
            }
            Some(COMPLETION) => {
                self.says_incomplete |= says("HasErrors") || says("Cancelled");
                self.is_open = false;
            }
            _ => {}
        }
    }

    /// Whether an answer says that it is not whole, or does not end; all of the file being read.
    pub(crate) fn say_incomplete(&self) -> bool {
        self.says_incomplete || self.is_open
    }
}

/// Whether an object opens an answer in frames.
pub(crate) fn is_header(object: &[u8]) -> bool {
    let start = &object[..object.len().min(SORTED_FRAME_BYTES_MAX)];
    starts_as_frame(start) && memchr::memmem::find(start, HEADER.as_bytes()).is_some()
}

fn may_be_frame(object: &[u8]) -> bool {
    if starts_as_frame(object) {
        return object.len() <= FRAME_BYTES_MAX;
    }
    object.len() <= SORTED_FRAME_BYTES_MAX && memchr::memmem::find(object, b"\"FrameType\"").is_some()
}

fn starts_as_frame(object: &[u8]) -> bool {
    object.get(1..).is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\"FrameType\""))
}

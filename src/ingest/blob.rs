//! A blob of an object store that is an input: where it is, and which version of it.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path as BlobPath;

/// A blob that is an input.
#[derive(Clone)]
pub struct Blob {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: BlobPath,
    /// The version of it that was listed or fetched, as its store names it.
    pub(crate) etag: Option<String>,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("path", &self.path).field("etag", &self.etag).finish_non_exhaustive()
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store) && self.path == other.path && self.etag == other.etag
    }
}

impl Eq for Blob {}

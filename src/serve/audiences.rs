//! The lake as each of the server's users may see it. Users of equal rights share one view of it; nothing that was
//! computed for some rights is shown to others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::live::Live;
use lightsout_query::rights::{Pseudonyms, Rights};

/// See the file's first lines.
pub(crate) struct Audiences {
    whole: Arc<Live>,
    /// There where somebody sees less than everything.
    pseudonyms: Option<Pseudonyms>,
    restricted: Mutex<HashMap<Arc<Rights>, Arc<Live>>>,
}

impl Audiences {
    pub(crate) fn new(whole: Arc<Live>, pseudonyms: Option<Pseudonyms>) -> Self {
        Self { whole, pseudonyms, restricted: Mutex::default() }
    }

    pub(crate) fn whole(&self) -> Arc<Live> {
        Arc::clone(&self.whole)
    }

    /// The lake as these rights permit to see it; `None` if nothing is prepared for less than everything.
    pub(crate) async fn live(&self, rights: &Arc<Rights>) -> Option<Arc<Live>> {
        if rights.are_unrestricted() {
            return Some(self.whole());
        }
        let known = self.restricted.lock().unwrap_or_else(PoisonError::into_inner).get(rights).cloned();
        if known.is_some() {
            return known;
        }
        let pseudonyms = self.pseudonyms.clone()?;
        let live = Live::restricted(self.whole(), Arc::clone(rights), pseudonyms).await.ok()?;
        let mut restricted = self.restricted.lock().unwrap_or_else(PoisonError::into_inner);
        // Who comes at the same time has the first one.
        Some(Arc::clone(restricted.entry(Arc::clone(rights)).or_insert_with(|| Arc::new(live))))
    }
}

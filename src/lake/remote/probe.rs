//! Whether a store honours conditional writes, without which two writers would overwrite each other's commits.

use object_store::{Error as StoreError, ObjectStoreExt as _, PutMode, PutOptions};

use super::super::error::{Error, Result};
use super::{ATTEMPTS, PAUSE, Remote};

impl Remote {
    /// Asks the store once for each copy.
    pub(super) async fn probe(&self) -> Result<()> {
        if self.state().mark.probed {
            return Ok(());
        }
        let mut attempt = 0;
        let found = loop {
            attempt += 1;
            // Another each time: an answer that broke off leaves open what became of the object.
            let object = self.object(&format!("_probe-{}", uuid::Uuid::new_v4().simple()))?;
            let found = self.conditions_ignored(&object).await;
            // One that stays is a few bytes that nobody reads.
            let _ = self.store.delete(&object).await;
            match found {
                Err(_) if attempt < ATTEMPTS => tokio::time::sleep(PAUSE * (1 << attempt)).await,
                found => break found?,
            }
        };
        if let Some(found) = found {
            return Err(Error::StoreIgnoresConditions { lake: self.url.clone(), found });
        }
        self.state().mark.probed = true;
        self.write_mark()
    }

    /// What the store ignores, if anything.
    async fn conditions_ignored(&self, object: &object_store::path::Path) -> Result<Option<&'static str>> {
        let failed = self.failed("asking its store for conditional writes");
        let put = |text: &'static str, mode: PutMode| {
            self.store.put_opts(object, text.into(), PutOptions::from(mode))
        };
        let first = self.store.put(object, "first".into()).await.map_err(&failed)?;
        match put("again", PutMode::Create).await {
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
            Ok(_) => return Ok(Some("it overwrote an object that was to be created")),
            Err(source) => return Err(failed(source)),
        }
        let second = put("second", PutMode::Update(first.clone().into())).await.map_err(&failed)?;
        if second.e_tag == first.e_tag && second.version == first.version {
            return Ok(Some("it does not tell versions of an object apart"));
        }
        match put("third", PutMode::Update(first.into())).await {
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(None),
            Ok(_) => Ok(Some("it updated an object whose version was another")),
            Err(source) => Err(failed(source)),
        }
    }
}

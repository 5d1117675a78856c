//! A file of settings, which is read as a whole.

use super::Batch;
use crate::open::Content;
use crate::source::Source;
use crate::{Error, FileFate, Result, settings};
use lightsout_formats::frame::Framer;
use lightsout_formats::settings::FILE_BYTES_MAX;
use lightsout_model::settings::SettingsKind;

impl Batch<'_> {
    /// Reads a file of settings, which has no records.
    pub(super) fn settings(
        &self,
        source: &mut Source,
        kind: SettingsKind,
        framer: Framer,
        content: Content,
    ) -> Result<()> {
        source.settings_kind = Some(kind);
        // Refused or not, it holds no sign-ins.
        source.is_look_alike = true;
        let text = framer.whole_text(FILE_BYTES_MAX).map_err(Error::read(&source.input.name))?;
        let read = text.and_then(|text| settings::read(kind, &text, &source.input, self.settings.now));
        let (hash, bytes) = self.finish(&source.input, content)?;
        match read {
            Ok(read) => source.holds(read),
            Err(why) => source.refuse(why),
        }
        let id = source.settle(hash, bytes).to_owned();
        if source.fate == FileFate::Refused {
            return Ok(());
        }
        let mut this_run = self.this_run.lock().map_err(|_| Error::WorkerLost)?;
        if !self.known.ids.contains(&id) && this_run.insert(id) {
            source.fate = FileFate::Ingested;
        }
        Ok(())
    }
}

//! What an opened input is: a source, an archive of sources, or a file in a format that is refused by name.

use std::sync::Arc;

use super::Batch;
use crate::find::Input;
use crate::open::{Container, Opened};
use crate::source::Source;
use crate::worker::Worker;
use crate::{Error, FileFate, Result};

/// Archives inside archives.
const DEPTH_MAX: u8 = 3;

/// A source that is not read, and why.
fn refused(input: &Input, opened: &Opened, why: String, may_hold_sign_ins: bool) -> Arc<Source> {
    let mut source = Source::new(input.clone(), opened);
    source.is_look_alike = !may_hold_sign_ins;
    if let Some(hash) = opened.content_hash {
        source.settle(hash, opened.stored_bytes);
    }
    source.refuse(why);
    Arc::new(source)
}

/// An archive without files.
fn empty(input: &Input, opened: &Opened) -> Arc<Source> {
    let mut source = Source::new(input.clone(), opened);
    if let Some(hash) = opened.content_hash {
        source.settle(hash, opened.stored_bytes);
    }
    source.fate = FileFate::Empty;
    Arc::new(source)
}

impl Batch<'_> {
    /// Reads what was opened; an archive is as many sources as it has files.
    pub(super) fn opened(
        &self,
        input: &Input,
        opened: &Opened,
        worker: &mut Worker<'_>,
        sources: &mut Vec<Arc<Source>>,
        depth: u8,
    ) -> Result<()> {
        let container = opened.container().map_err(Error::read(&input.name))?;
        match container {
            Container::Text | Container::Avro | Container::Parquet => {
                self.read(input, opened, worker, sources)
            }
            Container::DesktopMetadata if depth > 0 => Ok(()),
            Container::DesktopMetadata => {
                let why = "expected sign-in logs as JSON or CSV; found what macOS keeps beside files (._NAME, .DS_Store)";
                sources.push(refused(input, opened, why.to_owned(), false));
                Ok(())
            }
            Container::Refused(format) => {
                let why = format!("expected sign-in logs as JSON or CSV; found {}", format.describe());
                sources.push(refused(input, opened, why, format.may_hold_sign_ins));
                Ok(())
            }
            Container::Zip | Container::Tar if depth == DEPTH_MAX => {
                let why = format!(
                    "expected archives nested at most {DEPTH_MAX} deep; unpack it, and name its files"
                );
                sources.push(refused(input, opened, why, true));
                Ok(())
            }
            Container::Zip => self.zip(input, opened, worker, sources, depth),
            Container::Tar => {
                let (before, mut count) = (sources.len(), 0);
                let read = opened.each_member(input, |(input, member)| {
                    count += 1;
                    self.member(
                        &input,
                        member.as_ref().map_err(String::as_str),
                        opened,
                        worker,
                        sources,
                        depth,
                    )?;
                    Ok(!self.stopped())
                });
                match read {
                    Ok(Ok(())) if sources.len() == before && !self.stopped() => {
                        sources.push(empty(input, opened));
                        Ok(())
                    }
                    Ok(read) => read,
                    Err(why) => {
                        let why = format!(
                            "expected a tar archive that can be read to its end, but after {count} files: {why}"
                        );
                        sources.push(refused(input, opened, why, true));
                        Ok(())
                    }
                }
            }
        }
    }

    fn zip(
        &self,
        input: &Input,
        opened: &Opened,
        worker: &mut Worker<'_>,
        sources: &mut Vec<Arc<Source>>,
        depth: u8,
    ) -> Result<()> {
        let members = match opened.document() {
            Ok(Some(format)) => {
                let why = format!("expected sign-in logs as JSON or CSV; found {}", format.describe());
                sources.push(refused(input, opened, why, format.may_hold_sign_ins));
                return Ok(());
            }
            Ok(None) => opened.members(input),
            Err(why) => Err(why),
        };
        let before = sources.len();
        match members {
            Ok(members) => {
                for (input, member) in &members {
                    if self.stopped() {
                        break;
                    }
                    self.member(
                        input,
                        member.as_ref().map_err(String::as_str),
                        opened,
                        worker,
                        sources,
                        depth,
                    )?;
                }
                if sources.len() == before && !self.stopped() {
                    sources.push(empty(input, opened));
                }
            }
            Err(why) => {
                let why = format!("expected a zip archive that can be read, but {why}");
                sources.push(refused(input, opened, why, true));
            }
        }
        Ok(())
    }

    fn member(
        &self,
        input: &Input,
        member: std::result::Result<&Opened, &str>,
        archive: &Opened,
        worker: &mut Worker<'_>,
        sources: &mut Vec<Arc<Source>>,
        depth: u8,
    ) -> Result<()> {
        match member {
            Ok(member) => self.opened(input, member, worker, sources, depth + 1),
            Err(why) => {
                let why = format!("expected an archive that can be read, but {why}");
                let mut source = Source::new(input.clone(), archive);
                source.refuse(why);
                sources.push(Arc::new(source));
                Ok(())
            }
        }
    }
}

//! The order of day and month in the dates of a file, which all of its dates have to tell.

use super::Batch;
use crate::open::Opened;
use lightsout_formats::frame::Framer;
use lightsout_formats::recognise::Head;
use lightsout_model::time::{DateEvidence, DateOrder};

/// What is to be known of a file's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// Their order, or that they contradict each other.
    OfOrder,
    /// How many are of which kind.
    Counted,
}

impl Batch<'_> {
    /// The order of day and month in a file's dates, from all of them; or why that is not to be told.
    pub(super) fn dates(&self, head: &Head, opened: &Opened) -> std::io::Result<Result<DateOrder, String>> {
        if let Some(order) = self.settings.date_order {
            return Ok(Ok(order));
        }
        if !head.numbered_dates {
            return Ok(Ok(DateOrder::Unsettled));
        }
        let mut evidence = self.date_evidence(head, opened, Evidence::OfOrder)?;
        if evidence.contradicts() {
            evidence = self.date_evidence(head, opened, Evidence::Counted)?;
        }
        let way_out = "say which with --date-order month-first or --date-order day-first";
        Ok(evidence.settle().map_err(|undecided| format!("{undecided}; {way_out}")))
    }

    /// What the dates of a file show.
    fn date_evidence(&self, head: &Head, opened: &Opened, wanted: Evidence) -> std::io::Result<DateEvidence> {
        let mut evidence = DateEvidence::default();
        let latest = self.settings.now + lightsout_model::time::MICROS_PER_DAY;
        let (mut framer, _) = Framer::reusing(&self.buffers, opened.text()?)?;
        while let Some(chunk) = framer.next_chunk()? {
            let text = simdutf8::basic::from_utf8(&chunk.bytes).ok();
            for (at, range) in chunk.records().into_iter().enumerate() {
                let see = |time: &str| {
                    if wanted == Evidence::Counted || !evidence.confirmed_by(time, latest) {
                        evidence.see(time, latest);
                    }
                };
                if let Some(text) = text {
                    head.reader.times_of_row(text, range, chunk.cells.of(at), see);
                } else if let Ok(record) = std::str::from_utf8(&chunk.bytes[range]) {
                    head.reader.times(record, see);
                }
            }
            if self.stopped() || wanted == Evidence::OfOrder && evidence.contradicts() {
                break;
            }
        }
        Ok(evidence)
    }
}

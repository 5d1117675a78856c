//! CSV as spreadsheets save it: the encodings, the separators of half of the world, and the lines that
//! people count by.

/// UTF-8, or UTF-16 with its byte order mark. The error is the line on which the text is neither.
///
/// # Errors
/// Fails if the bytes are no such text.
pub fn decoded(bytes: Vec<u8>) -> Result<String, usize> {
    let utf16 = |order: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks(2).map(|pair| order([pair[0], pair.get(1).copied().unwrap_or(0)]));
        String::from_utf16(&units.collect::<Vec<_>>()).map_err(|_| 1)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes).map_err(|error| {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                valid.split(|byte| *byte == b'\n').count()
            })?;
            Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
    }
}

/// What separates the cells, as the header tells: no column has such a character in its name, and Excel
/// writes semicolons in half of Europe.
#[must_use]
pub(crate) fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The last of equals is taken: a comma where there is nothing to tell.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// The line on which a record begins. The reader's own count is one behind where lines end with CR LF.
#[must_use]
pub(crate) fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let bytes = text.as_bytes();
    let at = position.map_or(0, csv::Position::byte);
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let passed = bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    1 + memchr::memchr_iter(b'\n', &bytes[..at + passed]).count() as u64
}

/// The first cell that has a line break, with its number from 0: no column of these lists holds more than one
/// line, and a quote that is not closed swallows the rows after it.
#[must_use]
pub(crate) fn broken_cell(record: &csv::StringRecord) -> Option<(usize, String)> {
    let at = record.iter().position(|cell| cell.contains(['\n', '\r']))?;
    Some((at, record.get(at).unwrap_or_default().chars().take(60).collect()))
}

/// What is expected of such a cell.
pub(crate) const ONE_LINE: &str = "one line of text; is a quote opened there and not closed?";

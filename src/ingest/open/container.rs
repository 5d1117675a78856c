//! What a file is by its first bytes, after decompression: text, an archive of files, a table in a binary format, or one
//! of the formats that are refused by name. File names tell nothing here either.

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Text, or something that recognition will describe.
    Text,
    Zip,
    Tar,
    /// Rows as Event Hubs Capture writes them.
    Avro,
    Parquet,
    /// What the desktop of macOS keeps beside files, and puts into archives.
    DesktopMetadata,
    /// A format that is not read.
    Refused(&'static Format),
}

/// A format that is not read, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    name: &'static str,
    way_out: &'static str,
    magic: &'static [u8],
    pub may_hold_sign_ins: bool,
}

impl Format {
    /// For the message.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}, which is not supported; {}", self.name, self.way_out)
    }
}

const UNPACK: &str = "unpack it, and name the files in it or their folder";
const SAVE_AS_CSV: &str =
    "open it and save the sheet as \"CSV UTF-8 (Comma delimited)\", or export again as CSV or JSON";

const fn format(name: &'static str, magic: &'static [u8], way_out: &'static str) -> Format {
    Format { name, way_out, magic, may_hold_sign_ins: true }
}

static FORMATS: [Format; 18] = [
    format("a 7-Zip archive (.7z)", b"7z\xbc\xaf\x27\x1c", UNPACK),
    format("a RAR archive (.rar)", b"Rar!\x1a\x07", UNPACK),
    format("a file compressed by xz", b"\xfd7zXZ\0", "decompress it first: xz -d FILE"),
    format("a file compressed by bzip2", b"BZh", "decompress it first: bzip2 -d FILE"),
    format("a file compressed by lz4", b"\x04\x22\x4d\x18", "decompress it first: lz4 -d FILE"),
    format(
        "an Excel workbook (.xls), or another old Office file",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        SAVE_AS_CSV,
    ),
    format(
        "a file encrypted with PGP",
        b"-----BEGIN PGP MESSAGE-----",
        "decrypt it first: gpg --decrypt FILE",
    ),
    format(
        "a file encrypted with age",
        b"age-encryption.org/v1",
        "decrypt it first: age --decrypt -i KEY FILE",
    ),
    format(
        "a file encrypted with age",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        "decrypt it first: age --decrypt -i KEY FILE",
    ),
    format("a file encrypted with OpenSSL", b"Salted__", "decrypt it first: openssl enc -d"),
    format("an encrypted Parquet file", b"PARE", "write it again without encryption"),
    format("a table in the format ORC", b"ORC", "write it as Parquet, CSV or JSON"),
    // Compression is undone once before anything is told from the bytes.
    format("a file that was compressed twice", b"\x1f\x8b\x08", "decompress it once: gzip -d FILE"),
    format("a file that was compressed twice", b"\x28\xb5\x2f\xfd", "decompress it once: zstd -d FILE"),
    format("text in UTF-32", b"\xff\xfe\0\0", "save it as UTF-8"),
    format("text in UTF-32", b"\0\0\xfe\xff", "save it as UTF-8"),
    format("an SQLite database", b"SQLite format 3\0", "export its table as CSV or JSON"),
    Format {
        name: "a Windows event log (.evtx)",
        way_out: "it holds logons to Windows, not sign-ins to Entra",
        magic: b"ElfFile\0",
        may_hold_sign_ins: false,
    },
];

/// Zip archives that are documents: part of a member's name, and what it is.
static DOCUMENTS: [(&str, Format); 4] = [
    ("xl/workbook", format("an Excel workbook (.xlsx)", b"", SAVE_AS_CSV)),
    ("word/document", format("a Word document (.docx)", b"", "export the log again as CSV or JSON")),
    ("ppt/presentation", format("a presentation (.pptx)", b"", "export the log again as CSV or JSON")),
    ("content.xml", format("an OpenDocument file (.ods)", b"", SAVE_AS_CSV)),
];

/// How many bytes tell.
pub(super) const HEAD_BYTES: usize = 512;

impl Container {
    /// By the first [`HEAD_BYTES`] bytes.
    pub(super) fn sniff(head: &[u8]) -> Self {
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Self::Zip,
            [b'O', b'b', b'j', 1, ..] => return Self::Avro,
            [b'P', b'A', b'R', b'1', ..] => return Self::Parquet,
            // AppleDouble, and the Finder's .DS_Store.
            [0, 5, 0x16, 7 | 0, 0, 2, 0, 0, ..] | [0, 0, 0, 1, b'B', b'u', b'd', b'1', ..] => {
                return Self::DesktopMetadata;
            }
            _ => {}
        }
        if is_tar(head) {
            return Self::Tar;
        }
        FORMATS.iter().find(|format| head.starts_with(format.magic)).map_or(Self::Text, Self::Refused)
    }

    /// What a zip archive is by the names of its members, if it is no plain archive.
    pub(super) fn of_members<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'static Format> {
        let mut known = None;
        let mut is_document = false;
        for name in names {
            is_document |= matches!(name, "[Content_Types].xml" | "mimetype");
            let found = DOCUMENTS.iter().find(|(part, _)| name.starts_with(part));
            known = known.or(found.map(|(_, format)| format));
        }
        known.filter(|_| is_document)
    }
}

/// Whether a block is the header of a tar archive: its checksum holds, also in archives older than their magic.
fn is_tar(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(block) = head.first_chunk::<HEAD_BYTES>() else { return false };
    let text = String::from_utf8_lossy(&block[CHECKSUM]);
    let text = text.trim_matches(['\0', ' ']);
    let Ok(stated) = u32::from_str_radix(text, 8) else { return false };
    let sum = |at: usize, byte: &u8| u32::from(if CHECKSUM.contains(&at) { b' ' } else { *byte });
    let found: u32 = block.iter().enumerate().map(|(at, byte)| sum(at, byte)).sum();
    found == stated && block[0] != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let name = |head: &[u8]| match Container::sniff(head) {
            Container::Refused(format) => format.name,
            Container::Text
            | Container::Zip
            | Container::Tar
            | Container::Avro
            | Container::Parquet
            | Container::DesktopMetadata => "",
        };
        assert_eq!(name(b"7z\xbc\xaf\x27\x1c\0\x04"), "a 7-Zip archive (.7z)");
        assert_eq!(name(b"-----BEGIN PGP MESSAGE-----\n\nhQEMA"), "a file encrypted with PGP");
        assert_eq!(name(b"-----BEGIN AGE ENCRYPTED FILE-----\n"), "a file encrypted with age");
        assert_eq!(name(b"age-encryption.org/v1\n-> X25519 "), "a file encrypted with age");
        assert_eq!(Container::sniff(b"{\"time\""), Container::Text);
        assert_eq!(Container::sniff(b""), Container::Text);
        assert_eq!(Container::sniff(&[0; HEAD_BYTES]), Container::Text);
        assert_eq!(Container::sniff(b"PAR1"), Container::Parquet);
        assert_eq!(Container::sniff(b"\0\x05\x16\x07\0\x02\0\0Mac OS X"), Container::DesktopMetadata);
        assert_eq!(name(b"\x1f\x8b\x08\0"), "a file that was compressed twice");
    }

    #[test]
    fn a_workbook_is_told_from_an_archive_that_holds_one() {
        let workbook = ["[Content_Types].xml", "xl/workbook.xml"];
        assert!(Container::of_members(workbook.into_iter()).is_some());
        assert!(Container::of_members(["a.csv", "logs/xl/workbook.xml"].into_iter()).is_none());
    }
}

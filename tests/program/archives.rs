//! Archives for tests.

/// A zip archive: the directory and headers by hand, since what writes them is no part of the program.
pub(crate) fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (at, (name, content)) in members.iter().enumerate() {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let deflated = at % 2 == 0;
        let stored = if deflated {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, content).expect("memory");
            encoder.finish().expect("memory")
        } else {
            content.clone()
        };
        let offset = archive.len();
        let number = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
        let mut header = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0];
        header.extend(crc.sum().to_le_bytes());
        header.extend(number(stored.len()));
        header.extend(number(content.len()));
        header.extend(&number(name.len())[..2]);
        header.extend([0, 0]);
        archive.extend([b'P', b'K', 3, 4]);
        archive.extend(&header);
        archive.extend(name.as_bytes());
        archive.extend(stored);
        directory.extend([b'P', b'K', 1, 2, 20, 0]);
        directory.extend(header);
        directory.extend([0; 10]);
        directory.extend(number(offset));
        directory.extend(name.as_bytes());
    }
    let (offset, len) = (archive.len(), directory.len());
    archive.extend(directory);
    archive.extend([b'P', b'K', 5, 6, 0, 0, 0, 0]);
    let count = u16::try_from(members.len()).expect("few").to_le_bytes();
    archive.extend(count);
    archive.extend(count);
    archive.extend(u32::try_from(len).expect("small").to_le_bytes());
    archive.extend(u32::try_from(offset).expect("small").to_le_bytes());
    archive.extend([0, 0]);
    archive
}

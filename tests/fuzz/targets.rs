//! What a fuzzer feeds: one function per kind of bytes that a remote can hold. They must come back,
//! whatever the bytes are. Run on the corpora by the suite, and by cargo-fuzz (`tests/fuzz/README.md`).

use cairn_core::envelope::Header;
use cairn_core::op::{Op, OpLine, ReadLine};
use cairn_core::{decision, release};
use cairn_sync::{note, segment};

/// A commit message: whatever is read is written back as it was.
pub(crate) fn envelope(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(header) = Header::parse(text) {
        assert_eq!(header.to_message(), text, "one header has one text");
    }
}

/// A line of the log: whatever is understood reads the same once it is written again.
pub(crate) fn operation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(ReadLine::Known(line)) = OpLine::read(text) {
        let again = line.to_text();
        assert_eq!(OpLine::read(&again), Ok(ReadLine::Known(line.clone())), "{again}");
        drop(cairn_core::fold::effects(&line.op));
        assert!(!line.op.name().is_empty());
        if let Op::ReleaseDecided { statement, .. } | Op::ReleaseSigned { statement, .. } = &line.op {
            drop((decision::read(statement), release::read(statement)));
        }
    }
}

/// A file of metric points: whatever is read is within the limits.
pub(crate) fn points(data: &[u8]) {
    if let Ok(points) = segment::decode(data) {
        assert!(points.len() <= segment::POINTS_MAX);
    }
}

/// Updates of a note, one after the other, each behind two bytes with its length.
pub(crate) fn loro(data: &[u8]) {
    use base64::Engine;
    let (mut updates, mut rest) = (Vec::new(), data);
    while let Some((head, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*head)).min(tail.len());
        updates.push(base64::engine::general_purpose::STANDARD.encode(&tail[..length]));
        rest = &tail[length..];
    }
    drop(note::merge(&updates));
}

//! Any octets as a header block. A panic, an overflow or an endless loop is a find; so is a list past its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::headers;

fuzz_target!(|raw: &[u8]| {
    let read = headers::scan(raw);
    assert!(read.fields.len() <= headers::FIELDS_MAX);
    assert!(!read.subject.contains(|c: char| c.is_control()));
    // The same octets say the same.
    assert_eq!(headers::scan(raw).message_id, read.message_id);
});

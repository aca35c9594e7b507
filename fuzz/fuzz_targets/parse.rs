//! Any octets as a mail, read whole. Panics are caught inside and reported as a defect: here that defect is the find.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    let headers = postern::headers::scan(raw);
    let read = postern::parse::parse(raw, &headers);
    assert!(!read.defects.iter().any(|slug| slug == "parser-panic"));
    assert!(!read.text.contains('\0'));
    assert!(read.reply.trim().is_empty() == read.text.trim().is_empty());
    let all: u64 = read.attachments.iter().map(|one| u64::try_from(one.content.len()).unwrap_or(u64::MAX)).sum();
    assert!(all <= u64::try_from(postern::parse::attachments::DECODED_OCTETS_MAX).unwrap_or(u64::MAX));
});

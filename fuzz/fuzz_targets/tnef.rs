//! Any octets as a winmail.dat. The signature is put before them, so that the fuzzer needn't guess it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    let mut raw = b"From: a@b.example\nContent-Type: application/ms-tnef; name=winmail.dat\n\
        Content-Transfer-Encoding: binary\n\n\x78\x9f\x3e\x22"
        .to_vec();
    raw.extend_from_slice(stream);
    let read = postern::parse::parse(&raw, &postern::headers::scan(&raw));
    assert!(!read.defects.iter().any(|slug| slug == "parser-panic"));
});

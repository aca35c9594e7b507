use super::*;

/// Writes streams as Outlook does, and as it must not.
#[derive(Default)]
struct Stream(Vec<u8>);

impl Stream {
    fn new() -> Self {
        Self([SIGNATURE, &[1, 0]].concat())
    }

    fn attribute(mut self, level: u8, id: u32, data: &[u8]) -> Self {
        let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        let length = u32::try_from(data.len()).unwrap();
        self.0.extend([&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &sum.to_le_bytes()].concat());
        self
    }

    fn message(self, props: &[Vec<u8>]) -> Self {
        self.attribute(1, MESSAGE_PROPS, &list(props))
    }

    fn file(self, title: &str, data: &[u8], props: &[Vec<u8>]) -> Self {
        let stream = self.attribute(2, ATTACH_REND_DATA, &[0; 14]);
        let stream = stream.attribute(
            2,
            ATTACH_TITLE,
            &title.chars().chain(['\0']).map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>(),
        );
        let stream = if data.is_empty() { stream } else { stream.attribute(2, ATTACH_DATA, data) };
        if props.is_empty() { stream } else { stream.attribute(2, ATTACH_PROPS, &list(props)) }
    }
}

fn list(props: &[Vec<u8>]) -> Vec<u8> {
    [&u32::try_from(props.len()).unwrap().to_le_bytes()[..], &props.concat()].concat()
}

/// A property of variable size.
fn sized(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    octets.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    octets.extend_from_slice(value);
    octets.resize(octets.len() + (4 - value.len() % 4) % 4, 0);
    octets
}

fn unicode(id: u16, text: &str) -> Vec<u8> {
    let octets: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    sized(0x1F, id, &octets)
}

fn number(id: u16, value: u32) -> Vec<u8> {
    [&3_u16.to_le_bytes()[..], &id.to_le_bytes(), &value.to_le_bytes()].concat()
}

fn read(stream: &Stream) -> Unpacked {
    unpack(&stream.0).unwrap()
}

#[test]
fn files_have_their_long_names_and_their_octets() {
    let long = [
        unicode(props::ATTACH_LONG_FILENAME, "Angebot für Zoë.pdf"),
        unicode(props::ATTACH_MIME_TAG, "application/pdf"),
        unicode(props::ATTACH_CONTENT_ID, "image001@x"),
    ];
    // Properties of fixed sizes, of several values and with names of their own stand between.
    let odd = [
        number(0x3705, 1),
        [&0x40_u16.to_le_bytes()[..], &[0x07, 0x30], &[0; 8]].concat(),
        [&0x1003_u16.to_le_bytes()[..], &[0x01, 0x60], &2_u32.to_le_bytes(), &[0; 8]].concat(),
        [&3_u16.to_le_bytes()[..], &[0x01, 0x80], &[7; 16], &0_u32.to_le_bytes(), &5_u32.to_le_bytes(), &[0; 4]]
            .concat(),
        [
            &3_u16.to_le_bytes()[..],
            &[0x02, 0x80],
            &[7; 16],
            &1_u32.to_le_bytes(),
            &6_u32.to_le_bytes(),
            b"a\0b\0\0\0\0\0",
            &[0; 4],
        ]
        .concat(),
        sized(0x1E, props::ATTACH_FILENAME, b"REPORT~1.TXT\0"),
    ];
    let stream = Stream::new()
        .attribute(1, OEM_CODE_PAGE, &[&1252_u32.to_le_bytes()[..], &[0; 4]].concat())
        .file("ANGEBO~1.PDF", b"%PDF", &long)
        .file("Gr\u{fc}n.txt", b"", &[])
        .file("x", b"text", &odd);
    let unpacked = read(&stream);
    let files: Vec<_> = unpacked.files.iter().map(|f| (f.name.as_deref().unwrap(), f.octets.as_ref())).collect();
    assert_eq!(files, [("Angebot für Zoë.pdf", &b"%PDF"[..]), ("Grün.txt", b""), ("REPORT~1.TXT", b"text")]);
    assert_eq!(unpacked.files[0].content_type.as_deref(), Some("application/pdf"));
    assert_eq!(unpacked.files[0].content_id.as_deref(), Some("image001@x"));
    assert!(unpacked.defects.is_empty(), "{:?}", unpacked.defects);
}

#[test]
fn bodies_of_every_kind() {
    let rtf = |text: &str| sized(0x0102, props::RTF_COMPRESSED, &compressed_rtf::compress_rtf(text).unwrap());
    let html = "{\\rtf1\\fromhtml1 {\\*\\htmltag64 <p>}Hi{\\*\\htmltag72 </p>}}";
    for (what, stream, text, wrapped) in [
        (
            "attribute",
            Stream::new().attribute(1, OEM_CODE_PAGE, &1252_u32.to_le_bytes()).attribute(1, BODY, b"Gr\xFC\xDFe\0"),
            Some("Grüße"),
            None,
        ),
        ("property", Stream::new().message(&[unicode(props::BODY, "Grüße")]), Some("Grüße"), None),
        (
            "html in its code page",
            Stream::new().message(&[
                number(props::INTERNET_CODE_PAGE, 28591),
                sized(0x0102, props::BODY_HTML, b"<p>Gr\xFC\xDFe</p>"),
            ]),
            None,
            Some("<p>Grüße</p>"),
        ),
        ("rtf", Stream::new().message(&[rtf("{\\rtf1 Hello\\par}")]), Some("Hello"), None),
        ("html in rtf", Stream::new().message(&[rtf(html)]), None, Some("<p>Hi</p>")),
        (
            "text and html in rtf",
            Stream::new().message(&[unicode(props::BODY, "Hi"), rtf(html)]),
            Some("Hi"),
            Some("<p>Hi</p>"),
        ),
        ("nothing", Stream::new(), None, None),
    ] {
        let unpacked = read(&stream);
        assert_eq!((unpacked.text.as_deref(), unpacked.html.as_deref()), (text, wrapped), "{what}");
    }
    let damaged = Stream::new().message(&[sized(0x0102, props::RTF_COMPRESSED, b"no rtf at all, no")]);
    assert_eq!(read(&damaged).defects, ["tnef-rtf-unreadable"]);
}

#[test]
fn an_embedded_message_gives_its_text_and_its_files() {
    let inner = Stream::new().message(&[unicode(props::BODY, "Inside")]).file("a.txt", b"one", &[]);
    let object = [&[7; 16][..], &inner.0].concat();
    let stream = Stream::new().file(
        "Fwd",
        b"",
        &[sized(0x0D, props::ATTACH_DATA, &object), unicode(props::DISPLAY_NAME, "Fwd")],
    );
    let unpacked = read(&stream);
    let files: Vec<_> = unpacked.files.iter().map(|f| (f.name.as_deref().unwrap(), f.octets.as_ref())).collect();
    assert_eq!(files, [("Fwd.txt", &b"Inside"[..]), ("a.txt", b"one")]);
    assert_eq!(unpacked.text, None, "its text is not the mail's");
    // Messages within one another end.
    let mut nested = inner.0;
    for _ in 0..10 {
        let object = [&[7; 16][..], &nested].concat();
        nested = Stream::new().file("x", b"", &[sized(0x0D, props::ATTACH_DATA, &object)]).0;
    }
    assert!(unpack(&nested).unwrap().defects.contains(&"nesting-limit"));
}

#[test]
fn what_is_cut_or_damaged_is_read_as_far_as_it_goes() {
    let whole = Stream::new().file("a.txt", b"first", &[]).file(
        "b.txt",
        b"second",
        &[unicode(props::ATTACH_LONG_FILENAME, "b.txt")],
    );
    for cut in 0..whole.0.len() {
        let octets = &whole.0[..cut];
        let Some(unpacked) = unpack(octets) else {
            assert!(cut < 4);
            continue;
        };
        assert!(unpacked.files.len() <= 2, "{cut}");
    }
    assert_eq!(unpack(&whole.0[..whole.0.len() - 40]).unwrap().files[0].octets.as_ref(), b"first");
    let mut damaged = whole.0.clone();
    let at = memchr::memmem::find(&damaged, b"first").unwrap();
    damaged[at] = b'F';
    let unpacked = unpack(&damaged).unwrap();
    assert_eq!((unpacked.files[0].octets.as_ref(), &unpacked.defects[..]), (&b"First"[..], &["tnef-damaged"][..]));
    // Lengths lie.
    let lying = [SIGNATURE, &[1, 0, 2], &ATTACH_DATA.to_le_bytes(), &u32::MAX.to_le_bytes(), b"rest"].concat();
    assert_eq!(unpack(&lying).unwrap().files[0].octets.as_ref(), b"rest");
    assert_eq!(unpack(b"no tnef"), None);
}

#[test]
fn hostile_streams_are_bounded() {
    let mut stream = Stream::new();
    for _ in 0..2_000 {
        stream = stream.file("a", b"x", &[]);
    }
    let unpacked = read(&stream);
    assert!(unpacked.files.len() <= FILES_MAX && unpacked.defects.contains(&"tnef-file-limit"));
    let many = [&u32::MAX.to_le_bytes()[..], &number(1, 1).repeat(10_000)].concat();
    let _ = read(&Stream::new().attribute(1, MESSAGE_PROPS, &many));
    let values = [&0x101E_u16.to_le_bytes()[..], &[1, 0], &u32::MAX.to_le_bytes(), &[0; 4_000]].concat();
    let _ = read(&Stream::new().message(&[values]));
}

//! The few lines of SMTP (RFC 5321) that hand over a mail.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

/// One session, greeted.
pub(super) struct Smtp(BufReader<TcpStream>);

impl Smtp {
    pub(super) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut session = Self(BufReader::new(stream));
        let greeting = session.reply();
        assert!(greeting.starts_with("220"), "{greeting}");
        let hello = session.command("EHLO client.example");
        assert!(hello.starts_with("250"), "{hello}");
        session
    }

    /// Hands over one mail whose lines do not begin with a dot; the first refusal ends it.
    pub(super) fn mail(&mut self, from: &str, to: &[&str], mail: &str) -> Result<(), String> {
        self.expect(&format!("MAIL FROM:<{from}>"), "250")?;
        for recipient in to {
            self.expect(&format!("RCPT TO:<{recipient}>"), "250")?;
        }
        self.expect("DATA", "354")?;
        self.0.get_mut().write_all(mail.as_bytes()).unwrap();
        self.expect(".", "250")?;
        self.expect("QUIT", "221")
    }

    fn expect(&mut self, line: &str, code: &str) -> Result<(), String> {
        let reply = self.command(line);
        if reply.starts_with(code) { Ok(()) } else { Err(reply) }
    }

    /// Sends a line; gives the last line of the reply.
    pub(super) fn command(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the server hung up");
            // A hyphen behind the code: more lines follow.
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }
}

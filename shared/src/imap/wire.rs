//! Lines and literals off the socket. Every length is bounded and every wait ends: a server that stalls, floods or
//! announces what it does not send costs a poll, never more.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

use super::ImapError;
use crate::blobs::OBJECT_OCTETS_MAX;

/// How long a server may say nothing while it is to say something.
const STALL: Duration = Duration::from_secs(20);
/// Octets of a response outside its literals: a million UIDs in one SEARCH line.
const TEXT_OCTETS_MAX: usize = 8 * 1024 * 1024;
/// Octets read of the socket at once.
const BUFFER_OCTETS: usize = 64 * 1024;

/// A connection, with or without TLS.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// A part of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text up to a literal or to the end of the line, without either.
    Text(Vec<u8>),
    /// A literal.
    Literal(Bytes),
}

/// A connection as responses.
pub(super) struct Wire {
    socket: BufReader<Box<dyn Socket>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub(super) fn new(socket: Box<dyn Socket>) -> Self {
        Self { socket: BufReader::with_capacity(BUFFER_OCTETS, socket) }
    }

    /// The socket back, to speak TLS on it. What was sent ahead of TLS could be anybody's (CVE-2011-0411): refused.
    pub(super) fn into_socket(self) -> Result<Box<dyn Socket>, ImapError> {
        if self.socket.buffer().is_empty() {
            Ok(self.socket.into_inner())
        } else {
            Err(ImapError::Tls("something was sent between STARTTLS and TLS".to_owned()))
        }
    }

    /// Sends whole lines.
    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), ImapError> {
        let sent = timeout(STALL, async {
            self.socket.write_all(octets).await?;
            self.socket.flush().await
        });
        match sent.await {
            Err(_) => Err(ImapError::Stalled("sending")),
            Ok(Err(_)) => Err(ImapError::Closed("sending")),
            Ok(Ok(())) => Ok(()),
        }
    }

    /// The next response: a line with its literals.
    pub(super) async fn response(&mut self) -> Result<Vec<Piece>, ImapError> {
        let mut pieces = Vec::new();
        let (mut text_left, mut literal_left) = (TEXT_OCTETS_MAX, OBJECT_OCTETS_MAX);
        loop {
            let line = self.line(text_left).await?;
            text_left = text_left.saturating_sub(line.len());
            let Some((text, octets)) = announced(&line) else {
                pieces.push(Piece::Text(line));
                return Ok(pieces);
            };
            if octets > literal_left {
                return Err(ImapError::TooLarge(octets));
            }
            literal_left -= octets;
            pieces.push(Piece::Text(text.to_vec()));
            pieces.push(Piece::Literal(self.literal(octets).await?));
        }
    }

    /// A line without its end; a bare LF ends it too.
    async fn line(&mut self, octets_max: usize) -> Result<Vec<u8>, ImapError> {
        let mut line = Vec::new();
        loop {
            let available = match timeout(STALL, self.socket.fill_buf()).await {
                Err(_) => return Err(ImapError::Stalled("within a line")),
                Ok(Err(_) | Ok([])) => return Err(ImapError::Closed("within a line")),
                Ok(Ok(available)) => available,
            };
            let (part, ended) = match memchr::memchr(b'\n', available) {
                Some(end) => (available.get(..end).unwrap_or_default(), true),
                None => (available, false),
            };
            if line.len() + part.len() > octets_max {
                return Err(ImapError::Protocol("a line without end"));
            }
            line.extend_from_slice(part);
            let used = part.len() + usize::from(ended);
            self.socket.consume(used);
            if ended {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
        }
    }

    /// So many octets, into memory of just that size: no second copy of a big mail ever exists.
    async fn literal(&mut self, octets: u64) -> Result<Bytes, ImapError> {
        let size = usize::try_from(octets).map_err(|_| ImapError::TooLarge(octets))?;
        let mut literal = BytesMut::with_capacity(size);
        while literal.len() < size {
            let left = (size - literal.len()) as u64;
            match timeout(STALL, (&mut self.socket).take(left).read_buf(&mut literal)).await {
                Err(_) => return Err(ImapError::Stalled("within a mail")),
                Ok(Err(_) | Ok(0)) => return Err(ImapError::Closed("within a mail")),
                Ok(Ok(_)) => {}
            }
        }
        Ok(literal.freeze())
    }
}

/// What stands before the announcement of a literal at the end of a line, and the literal's octets (RFC 3501 section 4.3,
/// RFC 7888 section 4, RFC 3516 section 4.2).
fn announced(line: &[u8]) -> Option<(&[u8], u64)> {
    let inner = line.strip_suffix(b"}")?;
    let brace = memchr::memrchr(b'{', inner)?;
    let (text, digits) = inner.split_at_checked(brace)?;
    let digits = digits.strip_prefix(b"{")?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let octets = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    Some((text.strip_suffix(b"~").unwrap_or(text), octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &[u8]) -> Result<Vec<Piece>, ImapError> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        theirs.write_all(input).await.unwrap();
        drop(theirs);
        Wire::new(Box::new(ours)).response().await
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_and_literals() {
        assert_eq!(read(b"* OK hi\r\nnext").await.unwrap(), [text("* OK hi")]);
        assert_eq!(read(b"* OK hi\n").await.unwrap(), [text("* OK hi")], "a bare line feed");
        let fetched = read(b"* 1 FETCH (UID 7 BODY[] {5}\r\na\r\n{9} FLAGS ())\r\n").await.unwrap();
        assert_eq!(fetched, [text("* 1 FETCH (UID 7 BODY[] "), Piece::Literal("a\r\n{9".into()), text("} FLAGS ())")]);
        assert_eq!(read(b"* X ~{1+}\r\na\r\n").await.unwrap(), [text("* X "), Piece::Literal("a".into()), text("")]);
        assert_eq!(read(b"* OK {not a number}\r\n").await.unwrap(), [text("* OK {not a number}")]);
    }

    #[tokio::test]
    async fn what_breaks_off_or_has_no_bounds_is_an_error() {
        for (input, error) in [
            (&b"* OK"[..], ImapError::Closed("within a line")),
            (b"", ImapError::Closed("within a line")),
            (b"* 1 FETCH (BODY[] {5}\r\nab", ImapError::Closed("within a mail")),
            (b"* 1 FETCH (BODY[] {99999999999}\r\n", ImapError::TooLarge(99_999_999_999)),
            (b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n", ImapError::TooLarge(u64::MAX)),
        ] {
            assert_eq!(read(input).await, Err(error));
        }
        let flood = vec![b'x'; TEXT_OCTETS_MAX + (4 << 20)];
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let sending = tokio::spawn(async move { theirs.write_all(&flood).await });
        assert_eq!(Wire::new(Box::new(ours)).response().await, Err(ImapError::Protocol("a line without end")));
        assert!(sending.await.unwrap().is_err(), "it is not read to its end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stalls_is_left() {
        let (ours, _theirs) = tokio::io::duplex(64);
        assert_eq!(Wire::new(Box::new(ours)).response().await, Err(ImapError::Stalled("within a line")));
    }

    #[tokio::test]
    async fn nothing_slips_in_before_tls() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        theirs.write_all(b"A1 OK go\r\n* OK injected\r\n").await.unwrap();
        let mut wire = Wire::new(Box::new(ours));
        wire.response().await.unwrap();
        assert!(matches!(wire.into_socket(), Err(ImapError::Tls(_))));
    }
}

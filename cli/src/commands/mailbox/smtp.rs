//! One mail over SMTP (RFC 5321) in the clear, as one mail server hands it to another on port 25.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// RFC 5321 section 4.5.3.2 allows minutes; who tests waits less.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines of one answer.
const LINES_MAX: usize = 100;

/// Hands a mail over; `host` is `HOST` or `HOST:PORT`.
///
/// # Errors
/// In words: cannot be reached, or what the server answered.
pub(super) async fn send(host: &str, from: &str, to: &str, raw: &[u8]) -> anyhow::Result<()> {
    let at = if host.contains(':') { host.to_owned() } else { format!("{host}:25") };
    let stream = timeout(PATIENCE, TcpStream::connect(&at)).await.context("no answer")?.context("no connection")?;
    let mut server = BufReader::new(stream);
    expect(&mut server, '2').await?;
    for (line, good) in [
        ("EHLO postern.invalid".to_owned(), '2'),
        (format!("MAIL FROM:<{from}>"), '2'),
        (format!("RCPT TO:<{to}>"), '2'),
        ("DATA".to_owned(), '3'),
    ] {
        server.write_all(format!("{line}\r\n").as_bytes()).await?;
        expect(&mut server, good).await.with_context(|| line.split(':').next().unwrap_or_default().to_owned())?;
    }
    // The mail is ours and has no line that begins with a dot.
    server.write_all(raw).await?;
    server.write_all(b".\r\n").await?;
    expect(&mut server, '2').await.context("the mail")?;
    // Taken is taken, whatever becomes of the farewell.
    let _ = server.write_all(b"QUIT\r\n").await;
    Ok(())
}

async fn expect(server: &mut BufReader<TcpStream>, good: char) -> anyhow::Result<()> {
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        timeout(PATIENCE, server.read_line(&mut line)).await.context("no answer")??;
        if line.is_empty() {
            bail!("the connection was closed");
        }
        if line.as_bytes().get(3) == Some(&b'-') {
            continue;
        }
        if line.starts_with(good) {
            return Ok(());
        }
        bail!("{}", line.trim_end());
    }
    bail!("an answer without end")
}

//! `/metrics` of a running `postern dev`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

/// A running `dev`; killed on drop.
struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_running_system_tells_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern-under-test"));
    command.env_clear().args(["dev", "--port", "18125", "--data"]).arg(folder.path().join("data"));
    let mut dev = Dev(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut said = BufReader::new(dev.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = said.find_map(|line| line.split("http://").nth(1).map(str::to_owned)).expect("where the door is");
    let address = url.split([';', ' ', '/']).next().unwrap();
    // The samples are in by then.
    assert!(said.any(|line| line == format!("numbers for Prometheus: http://{address}/metrics")));

    let answer = get(address, "/metrics");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("application/openmetrics-text"), "{answer}");
    for line in [
        r#"postern_inbound_total{door="mailgun"} 3"#,
        r#"postern_mails_total{door="mailgun",outcome="created"} 2"#,
        r#"postern_mails_total{door="mailgun",outcome="matched"} 1"#,
        "postern_time_to_ticket_seconds_count 3",
        "postern_attachment_bytes_count 1",
        r#"postern_queue_depth{queue="postern-dead",state="due"} 0"#,
    ] {
        assert!(answer.lines().any(|found| found == line), "{line} is not in\n{answer}");
    }
    // The mail's own trace id leads from the table back to the log.
    let mut list = Command::new(env!("CARGO_BIN_EXE_postern-under-test"));
    let data = folder.path().join("data");
    let list = list.env_clear().args(["mail", "--json", "--data"]).arg(&data).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let mut one = Command::new(env!("CARGO_BIN_EXE_postern-under-test"));
    let one =
        one.env_clear().args(["mail", list["mail"][0]["id"].as_str().unwrap(), "--data"]).arg(&data).output().unwrap();
    let one = String::from_utf8(one.stdout).unwrap();
    let trace = one.lines().find_map(|line| line.strip_prefix("trace     ")).unwrap();
    assert!(trace.len() == 32 && trace.chars().all(|c| c.is_ascii_hexdigit()), "{one}");
    assert!(get(address, "/metrics/more").starts_with("HTTP/1.1 404"), "everything else is the door's");
    std::thread::spawn(move || said.for_each(drop));
}

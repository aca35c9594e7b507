//! A name server on loopback that knows MX records (RFC 1035, section 4).

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{net::UdpSocket, task::JoinHandle};

const MX: u16 = 15;
const SERVER_FAILURE: u8 = 2;

pub(super) struct Dns {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Dns {
    /// Knows these domains, with preference and host of each record; of any other it says that it has failed.
    pub(super) async fn start(domains: &[(&str, &[(u16, &str)])]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let of = |(domain, hosts): &(&str, &[(u16, &str)])| {
            ((*domain).to_owned(), hosts.iter().map(|(n, host)| (*n, (*host).to_owned())).collect())
        };
        let domains: BTreeMap<String, Vec<(u16, String)>> = domains.iter().map(of).collect();
        let domains = Arc::new(domains);
        let server = tokio::spawn(async move {
            let mut buffer = [0_u8; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&answer(&buffer[..length], &domains), from).await;
            }
        });
        Self { address, server }
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn answer(question: &[u8], domains: &BTreeMap<String, Vec<(u16, String)>>) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let end = at + 5;
    let known = domains.get(&labels.join("."));
    let records = known.map(Vec::as_slice).unwrap_or_default();
    let code = if known.is_some() { 0 } else { SERVER_FAILURE };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    for (preference, host) in records {
        let mut data = preference.to_be_bytes().to_vec();
        for label in host.split('.') {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.push(0);
        // The name again (a pointer to the question), the type, class IN, a minute.
        answer.extend([0xC0, 12]);
        answer.extend(MX.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        answer.extend(data);
    }
    answer
}

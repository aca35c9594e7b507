//! A name server on loopback that knows MX and TXT records (RFC 1035, section 4).

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{net::UdpSocket, task::JoinHandle};

const MX: u16 = 15;
const TXT: u16 = 16;
const SERVER_FAILURE: u8 = 2;

/// One record, as it is sent: type and data.
type Record = (u16, Vec<u8>);

pub(crate) struct Dns {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Dns {
    /// Knows these domains, with preference and host of each MX record; of any other it says that it has failed.
    pub(crate) async fn start(domains: &[(&str, &[(u16, &str)])]) -> Self {
        let of = |(domain, hosts): &(&str, &[(u16, &str)])| {
            ((*domain).to_owned(), hosts.iter().map(|(n, host)| mx(*n, host)).collect())
        };
        Self::serve(domains.iter().map(of).collect()).await
    }

    /// Knows these names, with a TXT record each.
    pub(crate) async fn with_texts(texts: &[(&str, &str)]) -> Self {
        Self::serve(texts.iter().map(|(name, text)| ((*name).to_owned(), vec![txt(text)])).collect()).await
    }

    async fn serve(domains: BTreeMap<String, Vec<Record>>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let domains = Arc::new(domains);
        let server = tokio::spawn(async move {
            let mut buffer = [0_u8; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&answer(&buffer[..length], &domains), from).await;
            }
        });
        Self { address, server }
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn mx(preference: u16, host: &str) -> Record {
    let mut data = preference.to_be_bytes().to_vec();
    for label in host.split('.') {
        data.push(u8::try_from(label.len()).unwrap());
        data.extend(label.as_bytes());
    }
    data.push(0);
    (MX, data)
}

/// In strings of 255 octets at most.
fn txt(text: &str) -> Record {
    let strings = text.as_bytes().chunks(255);
    let data = strings.flat_map(|one| [&[u8::try_from(one.len()).unwrap()], one].concat()).collect();
    (TXT, data)
}

fn answer(question: &[u8], domains: &BTreeMap<String, Vec<Record>>) -> Vec<u8> {
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
    for (kind, data) in records {
        // The name again (a pointer to the question), the type, class IN, a minute.
        answer.extend([0xC0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        answer.extend(data);
    }
    answer
}

//! Where a domain's mail goes.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::RData,
};

use super::Finding;
use crate::commands::usage;

/// One question to one server; two tries.
const TIMEOUT: Duration = Duration::from_secs(3);
const DNS_PORT: u16 = 53;

/// Reads `--resolver`: `IP` or `IP:PORT`.
///
/// # Errors
/// It is neither.
pub(super) fn server(text: Option<&str>) -> anyhow::Result<Option<SocketAddr>> {
    let Some(text) = text else { return Ok(None) };
    let with_port = text.parse::<SocketAddr>().ok();
    let server = with_port.or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, DNS_PORT)));
    server.map(Some).ok_or_else(|| usage(format!("--resolver {text:?} is no IP address and no IP:PORT")))
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, hickory_resolver::net::NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(server) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let connections = connections.map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    builder.options_mut().timeout = TIMEOUT;
    builder.options_mut().attempts = 2;
    builder.build()
}

/// Hosts of a domain's MX records, preferred ones first, in lower case without the last dot. None is an empty list.
async fn hosts(server: Option<SocketAddr>, domain: &str) -> Result<Vec<String>, String> {
    let answer = resolver(server).map_err(|e| e.to_string())?.mx_lookup(format!("{domain}.")).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let records = answer.answers().iter().filter_map(|record| match &record.data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase())),
        _ => None,
    });
    let mut records: Vec<(u16, String)> = records.collect();
    records.sort();
    Ok(records.into_iter().map(|(_, host)| host).collect())
}

/// Whether a domain's mail goes to `expected`; without one, where it goes.
pub(super) async fn check(server: Option<SocketAddr>, domain: &str, expected: Option<&str>) -> Finding {
    const CHECK: &str = "mx";
    let hosts = match hosts(server, domain).await {
        Ok(hosts) => hosts,
        Err(why) => return Finding::unknown(CHECK, &format!("DNS does not answer for {domain} ({why})")),
    };
    let shown = if hosts.is_empty() { "has no MX record".to_owned() } else { format!("has MX {}", hosts.join(", ")) };
    match expected {
        None if hosts.is_empty() => {
            Finding::warn(CHECK, format!("{domain} {shown}"), "set the one that your provider names, or forward mail")
        }
        None => Finding::ok(CHECK, format!("{domain} {shown}")),
        Some(host) if hosts.first().is_some_and(|first| first == host) => {
            Finding::ok(CHECK, format!("{domain} {shown}"))
        }
        Some(host) if hosts.iter().any(|other| other == host) => Finding::warn(
            CHECK,
            format!("{domain} {shown}: another host is preferred, so SES gets mail only when that one is down"),
            format!("give {host} the lowest number"),
        ),
        Some(host) => Finding::fail(
            CHECK,
            format!("{domain} {shown}: its mail does not reach SES"),
            format!("add the record {domain}. MX 10 {host}. (it takes all mail of {domain})"),
        ),
    }
}

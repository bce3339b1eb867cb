//! Which addresses a request may be sent to: pure, given what a name resolved to.
//!
//! Refuses everything that is not public, because a workflow could be talked into reading the
//! metadata service of its cloud or the admin page of its neighbour.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use gateway::ToolError;
use reqwest::Url;

use super::{HttpOptions, failure};
use crate::config;

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPolicy {
    /// Those of the public internet.
    PublicOnly,
    /// All of them.
    Any,
}

/// A host that may be connected to whatever its address: `host`, `host:port`, `*.domain`,
/// `*.domain:port`, `10.0.0.7:80`, `[::1]:80`. Without a port it means all ports.
///
/// It is compared with what stands in the URL, not with what a name resolves to, and anew at every
/// redirect. `*.domain` means what stands below the domain, not the domain itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPattern {
    host: HostName,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostName {
    Exactly(String),
    Below(String),
    Address(IpAddr),
}

/// A text that is no pattern of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPatternError {
    found: String,
}

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no host: expected a form such as db.internal, db.internal:8080, \
             *.internal, 10.0.0.7 or [::1]:80",
            self.found
        )
    }
}

impl std::error::Error for HostPatternError {}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let error = || HostPatternError {
            found: text.to_owned(),
        };
        if let Some(address) = literal(text) {
            let host = HostName::Address(address);
            return Ok(Self { host, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| error())?)),
            None => (text, None),
        };
        let host = match (literal(host), host.strip_prefix("*.")) {
            (Some(address), _) => HostName::Address(address),
            (None, Some(domain)) => HostName::Below(domain_name(domain).ok_or_else(error)?),
            (None, None) => HostName::Exactly(domain_name(host).ok_or_else(error)?),
        };
        Ok(Self { host, port })
    }
}

impl HostPattern {
    fn matches(&self, host: &str, port: u16) -> bool {
        let name = host.strip_suffix('.').unwrap_or(host);
        self.port.is_none_or(|own| own == port)
            && match &self.host {
                HostName::Exactly(own) => own == name,
                HostName::Below(domain) => name
                    .strip_suffix(domain.as_str())
                    .is_some_and(|label| label.len() > 1 && label.ends_with('.')),
                HostName::Address(own) => literal(host) == Some(*own),
            }
    }
}

/// A name as URLs write it: lower case, ASCII, without the dot of the root.
fn domain_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let valid = name.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    });
    valid.then_some(name)
}

/// The address that a host is, with or without the brackets of a URL.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// Those of the addresses of a URL's host that may be connected to; an error if there are none.
pub(super) fn reachable(
    url: &Url,
    found: &[SocketAddr],
    options: &HttpOptions,
) -> Result<Vec<SocketAddr>, ToolError> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let everything = match options.addresses {
        AddressPolicy::Any => true,
        AddressPolicy::PublicOnly => options.allowed_hosts.iter().any(|p| p.matches(host, port)),
    };
    if everything {
        return Ok(found.to_vec());
    }
    let (inner, public): (Vec<SocketAddr>, Vec<SocketAddr>) = found
        .iter()
        .partition(|address| kind(address.ip()).is_some());
    match (inner.first(), public.is_empty()) {
        (Some(address), true) => {
            let kind = kind(address.ip()).unwrap_or_default();
            Err(ToolError::permanent(format!(
                "{} is not allowed: {} is {kind}; `allow_private_addresses = true` under [{}] in {} \
                 allows it",
                failure::place(url),
                address.ip(),
                options.table,
                config::NAME,
            )))
        }
        (Some(_) | None, _) => Ok(public),
    }
}

/// What an address is if it is not public (IANA's special-purpose registries).
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("an unspecified address"),
        [127, ..] => Some("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [169, 254, ..] => Some("a link-local address"),
        [100, 64..=127, ..] => Some("an address shared behind a carrier's NAT"),
        [224..=239, ..] => Some("a multicast address"),
        [255, 255, 255, 255] => Some("the broadcast address"),
        // Protocol assignments, documentation, 6to4 relays, benchmarks and the unassigned top; and
        // the one public address that clouds of Microsoft use for their own services.
        [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..]
        | [168, 63, 129, 16] => Some("a reserved address"),
        _ => None,
    }
}

fn kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [_, _, _, _, _, _, g, h] = address.segments();
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        // An IPv4 address in disguise (mapped, NAT64, 6to4) is what it stands for.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => kind_v4(embedded(g, h)),
        [0x2002, b, c, ..] => kind_v4(embedded(b, c)),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        // Protocol assignments (Teredo among them) and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("a reserved address"),
        // Nothing outside of this block has ever been given to the public.
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2001:200::1",
            "3ffe::1",
        ] {
            assert_eq!(kind(public.parse().unwrap()), None, "{public}");
        }
        for inner in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.9.9",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::101:101",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(kind(inner.parse().unwrap()).is_some(), "{inner}");
        }
    }

    fn check(url: &str, found: &[&str], allowed: &[&str]) -> Result<Vec<String>, String> {
        let options = HttpOptions {
            allowed_hosts: allowed.iter().map(|text| text.parse().unwrap()).collect(),
            ..HttpOptions::default()
        };
        let found: Vec<SocketAddr> = found
            .iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 1))
            .collect();
        reachable(&Url::parse(url).unwrap(), &found, &options)
            .map(|some| {
                some.iter()
                    .map(|address| address.ip().to_string())
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_public_ones_of_a_mixed_answer_are_left() {
        let found = ["10.0.0.1", "1.1.1.1", "::1"];
        assert_eq!(check("http://a.example", &found, &[]).unwrap(), ["1.1.1.1"]);
        assert_eq!(
            check("https://u:p@a.example/p?q", &["10.0.0.1"], &[]).unwrap_err(),
            "https://a.example/ is not allowed: 10.0.0.1 is a private address; \
             `allow_private_addresses = true` under [tools.http_request] in agentspace.toml allows it"
        );
    }

    #[test]
    fn patterns_allow_a_host_whatever_its_address() {
        let inner = ["10.0.0.1"];
        for (url, pattern, allowed) in [
            ("http://db.internal", "db.internal", true),
            ("http://DB.internal.", "Db.Internal", true),
            ("http://db.internal:81", "db.internal:80", false),
            ("https://db.internal", "db.internal:443", true),
            ("http://db.internal", "*.internal", true),
            ("http://internal", "*.internal", false),
            ("http://evilinternal", "*.internal", false),
            ("http://db.internal.evil.example", "db.internal", false),
            ("http://10.0.0.1", "10.0.0.1", true),
            ("http://0xa000001:8080", "10.0.0.1:8080", true),
            ("http://[fd00::1]", "fd00::1", true),
            ("http://[fd00:0::1]:80", "[fd00::1]:80", true),
            ("http://[fd00::1]:81", "[fd00::1]:80", false),
        ] {
            assert_eq!(
                check(url, &inner, &[pattern]).is_ok(),
                allowed,
                "{url} {pattern}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_hosts_are_refused() {
        for text in [
            "",
            "*",
            "*.",
            "a b",
            "http://a",
            "a:port",
            "a:",
            "a/b",
            "é.example",
            "a..b",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}

//! Which addresses and ports files are fetched from (I29). Names are judged by what they resolve to, and the
//! connection goes to the very addresses that were judged: a name that changes in between (DNS rebinding)
//! changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the public network.
    Public,
    /// Inside: on this machine or in a private network. For operators whose files live there.
    Inside(&'static str),
    /// Where no file can be: nobody's, everybody's, or the service that gives a cloud machine its secrets.
    Never(&'static str),
}

use Place::{Inside, Never, Public};

/// Services of clouds that answer any process of a machine, some with credentials, on addresses that look
/// like others: AWS over IPv6, Azure's host, Oracle's and Alibaba's metadata. All others are link-local.
const METADATA: [IpAddr; 4] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

/// Where an address lies, after the IANA registries of special-purpose addresses.
pub(super) fn place(address: IpAddr) -> Place {
    if METADATA.contains(&address) {
        return Never("a cloud's metadata");
    }
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [0, 0, 0, 0] => Inside("an unspecified"),
        [127, ..] => Inside("a loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Inside("a private"),
        [100, 64..=127, ..] => Inside("a carrier's private (CGNAT)"),
        [169, 254, ..] => Never("a link-local"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Never("a documentation"),
        [198, 18 | 19, ..] => Never("a benchmark"),
        [224..=239, ..] => Never("a multicast"),
        [0 | 240..=255, ..] | [192, 0, 0, _] | [192, 88, 99, _] => Never("a reserved"),
        _ => Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    let [a, b, c, d, e, f, g, h] = address.segments();
    match [a, b, c, d, e, f, g, h] {
        [0, 0, 0, 0, 0, 0, 0, 0] => Inside("an unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Inside("a loopback"),
        // What carries an IPv4 address lies where that lies: IPv4-mapped, NAT64 (RFC 6052), 6to4.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(g, h),
        [0x2002, ..] => embedded(b, c),
        // ISATAP, under whatever prefix.
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, ..] if embedded(g, h) != Public => embedded(g, h),
        [0xfc00..=0xfdff, ..] => Inside("a private (unique local)"),
        [0xfe80..=0xfebf, ..] => Never("a link-local"),
        [0xff00..=0xffff, ..] => Never("a multicast"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Never("a documentation"),
        // Protocols' own addresses, Teredo among them.
        [0x2001, 0..=0x1ff, ..] => Never("a reserved"),
        [0x2000..=0x3fff, ..] => Public,
        // Everything else is not given out: IPv4-compatible, site-local, discard-only, local NAT64, …
        _ => Never("a reserved"),
    }
}

fn embedded(high: u16, low: u16) -> Place {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    place(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
}

/// Ports from 1024 on that belong to services which speak no HTTP or must not be made to answer it: those that
/// browsers refuse (Fetch standard, "port blocking"), and the usual ports of databases and cluster services.
const SERVICE_PORTS: [u16; 35] = [
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 10080, 10250, 11211,
    27017,
];

/// Whether files are fetched from the port: 80, 443, and those from 1024 on but [`SERVICE_PORTS`]. Private
/// addresses are refused already; this keeps the gateway from being used to speak to other people's mail
/// servers and databases.
pub(super) fn is_usable(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..) && !SERVICE_PORTS.contains(&port)
}

/// What the host of a URL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, to be resolved.
    Name,
    /// An address.
    Address(IpAddr),
    /// Neither.
    Neither,
}

/// Reads a host without brackets. IPv4 addresses are read in every notation that some resolver takes (WHATWG
/// URL, "IPv4 parser"): one to four numbers, each decimal, octal or hexadecimal.
pub(super) fn host(text: &str) -> Host {
    if text.contains(':') {
        return text.parse().map_or(Host::Neither, |address| Host::Address(IpAddr::V6(address)));
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    if numeric || (starts_hexadecimal(last) && number(last).is_some()) {
        return ipv4(text).map_or(Host::Neither, |address| Host::Address(IpAddr::V4(address)));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 253 || !text.bytes().all(plain) { Host::Neither } else { Host::Name }
}

fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (last, front) = numbers.split_last()?;
    if front.len() > 3 || front.iter().any(|n| *n > 255) {
        return None;
    }
    // The last number fills what the others leave.
    if !front.is_empty() && *last >= 1 << (8 * (4 - front.len())) {
        return None;
    }
    let high = front.iter().zip([24, 16, 8]).map(|(n, by)| n << by).sum::<u32>();
    Some(Ipv4Addr::from_bits(high | last))
}

fn starts_hexadecimal(text: &str) -> bool {
    text.starts_with("0x") || text.starts_with("0X")
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // The standard library takes a sign, which no address has.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    if radix == 16 && digits.is_empty() { Some(0) } else { u32::from_str_radix(digits, radix).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(text: &str) -> Place {
        place(text.parse().unwrap())
    }

    #[test]
    fn i29_only_public_addresses_are_public() {
        for public in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.1.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "169.253.1.1",
            "223.255.255.255",
            "11.0.0.1",
            "126.0.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2a00::5efe:808:808",
        ] {
            assert_eq!(placed(public), Public, "{public}");
        }
    }

    #[test]
    fn i29_private_addresses_are_inside_in_whatever_they_are_wrapped() {
        for inside in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "::",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:192.168.1.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2a00::5efe:a00:1",
            "2a00::200:5efe:192.168.0.1",
        ] {
            assert!(matches!(placed(inside), Inside(_)), "{inside}: {:?}", placed(inside));
        }
    }

    #[test]
    fn i29_where_no_file_can_be_is_never_fetched_from() {
        for never in [
            "169.254.169.254",
            "169.254.0.1",
            "168.63.129.16",
            "192.0.0.192",
            "100.100.100.200",
            "fd00:ec2::254",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "0.1.2.3",
            "192.0.0.1",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "198.19.255.255",
            "192.88.99.1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:20::1",
            "2001:2::1",
            "100::1",
            "64:ff9b:1::a00:1",
            "::127.0.0.1",
            "::8.8.8.8",
            "4000::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::ffff:168.63.129.16",
        ] {
            assert!(matches!(placed(never), Never(_)), "{never}: {:?}", placed(never));
        }
    }

    #[test]
    fn i29_addresses_are_read_in_every_notation() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("017700000001", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("0x", "0.0.0.0"),
            ("10.0x10.0.010", "10.16.0.8"),
            ("169.16689662", "169.254.169.254"),
            ("4294967295", "255.255.255.255"),
            ("::1", "::1"),
            ("::ffff:7f00:1", "::ffff:127.0.0.1"),
        ] {
            assert_eq!(host(text), Host::Address(expected.parse().unwrap()), "{text}");
        }
        for name in
            ["example.com", "example.com.", "a-b_c.test", "localhost", "1.example", "xn--bcher-kva.test"]
        {
            assert_eq!(host(name), Host::Name, "{name}");
        }
        for neither in [
            "",
            ".",
            "256.0.0.1",
            "1.2.3.4.5",
            "4294967296",
            "1.2.3.256",
            "1.16777216",
            "08.0.0.1",
            "0x1g.1.1.1",
            "1..2",
            "a.1",
            "+1",
            "1.+1",
            "0+7",
            "fe80::1%eth0",
            "127.0.0.1%00",
            "%31%32%37.0.0.1",
            "b\u{fc}cher.test",
            "a b",
            "a\\b",
        ] {
            assert_eq!(host(neither), Host::Neither, "{neither}");
        }
    }

    #[test]
    fn ports_of_other_services_are_left_alone() {
        for usable in [80, 443, 1024, 3000, 8000, 8080, 8443, 9000, 65535] {
            assert!(is_usable(usable), "{usable}");
        }
        for not in [0, 1, 22, 25, 110, 445, 587, 993, 2375, 3306, 5432, 6379, 10250, 11211, 27017] {
            assert!(!is_usable(not), "{not}");
        }
    }
}

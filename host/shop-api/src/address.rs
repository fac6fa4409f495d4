//! Which addresses belong to the public internet.
//!
//! Owns the list. Everything that is not known to be public counts as private: what is reserved today may lead into somebody's
//! network tomorrow. Source: the IANA registries of special-purpose addresses (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// May a call go to this address without the operator's leave? Addresses of IPv4 inside of IPv6 are judged as what they are.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4_is_public(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inside) => v4_is_public(inside),
            None => v6_is_public(address),
        },
    }
}

/// The address that a URL names instead of a host, if it does. No resolver is asked about such a one.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn v4_is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0                                    // this network
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()              // the metadata services of clouds are here
        || (a == 100 && b & 0xc0 == 64)         // carrier-grade NAT
        || (a == 192 && b == 0 && c == 0)       // protocol assignments
        || address.is_documentation()
        || (a == 192 && b == 88 && c == 99)     // the old way from 6to4
        || (a == 198 && b & 0xfe == 18)         // benchmarks
        || a >= 224) // multicast, reserved, broadcast
}

fn v6_is_public(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    // Of all of IPv6 only 2000::/3 was ever given out for global use.
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && second < 0x0200)   // protocol assignments, Teredo, benchmarks among them
        && !(first == 0x2001 && second == 0x0db8)  // documentation
        && !(first == 0x3fff && second & 0xf000 == 0)  // documentation
        && !(first == 0x2620 && second == 0x004f && third == 0x8000) // name servers of one's own (AS112)
}

/// The address of IPv4 that one of IPv6 stands for: mapped, compatible, translated (NAT64) or tunnelled (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let joined = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0, 0) | (0, 0, 0, 0, 0xffff, 0) => Some(joined(g, h)),
        (0x0064, 0xff9b, 0, 0, 0, 0) => Some(joined(g, h)),
        (0x2002, high, low, ..) => Some(joined(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "93.184.216.34",
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn addresses_of_ones_own_network_are_not() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "203.0.113.9",
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn an_address_of_ipv4_inside_of_ipv6_is_judged_as_what_it_is() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:0:169.254.169.254", false),
            ("::10.0.0.1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b:1::a00:1", false),
            ("2002:7f00:1::", false),
            ("2002:808:808::1", true),
        ] {
            assert_eq!(public(address), expected, "{address}");
        }
    }

    #[test]
    fn a_literal_address_is_found_in_whatever_way_it_is_written() {
        for (url, expected) in [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://2130706433/", Some("127.0.0.1")),
            ("http://0x7f.1/", Some("127.0.0.1")),
            ("http://[::ffff:7f00:1]/", Some("::ffff:7f00:1")),
            ("https://shop.example.org/", None),
        ] {
            let found = literal(&Url::parse(url).unwrap());
            assert_eq!(found, expected.map(|address| address.parse().unwrap()), "{url}");
        }
    }
}

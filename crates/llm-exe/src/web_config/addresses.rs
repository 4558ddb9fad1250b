//! Decides whether an IP address belongs to the public internet, by looking it up in a table.
//!
//! The table contains the blocks in IANA's special-purpose registries, even those that are globally
//! reachable, and the addresses that cloud providers use internally. The registries are published
//! at <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. Existing crates are unmaintained
//! or incomplete, and the standard library's `is_global` is unstable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A public IP address and a port. Connections are opened only to values of this type, which
/// guarantees that every address has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PublicAddress(SocketAddr);

impl PublicAddress {
    /// Checks that an address is public.
    ///
    /// # Errors
    /// Returns the kind of the address, such as `private`, if it is not public.
    pub(super) fn new(address: IpAddr, port: u16) -> Result<PublicAddress, &'static str> {
        match special_purpose(address) {
            Some(kind) => Err(kind),
            None => Ok(PublicAddress(SocketAddr::new(address, port))),
        }
    }

    pub(super) fn socket_address(self) -> SocketAddr {
        self.0
    }
}

/// Returns the kind of an address that is not public, such as `loopback`. Returns `None` if the
/// address is public.
pub(super) fn special_purpose(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let common_bits =
                |block: &Ipv4Addr| (address.to_bits() ^ block.to_bits()).leading_zeros();
            let row = V4_BLOCKS.iter().find(|(block, bits, _)| common_bits(block) >= *bits);
            row.map(|(_, _, kind)| *kind)
        }
        IpAddr::V6(address) => {
            let common_bits =
                |block: &Ipv6Addr| (address.to_bits() ^ block.to_bits()).leading_zeros();
            let row = V6_BLOCKS.iter().find(|(block, bits, _)| common_bits(block) >= *bits);
            let is_global_unicast = common_bits(&GLOBAL_UNICAST.0) >= GLOBAL_UNICAST.1;
            row.map(|(_, _, kind)| *kind).or((!is_global_unicast).then_some("reserved"))
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

/// Returns the first address of an IPv6 block, given its first four groups.
const fn v6(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

const V4_BLOCKS: &[(Ipv4Addr, u32, &str)] = &[
    (v4(0, 0, 0, 0), 8, "unspecified"),
    (v4(10, 0, 0, 0), 8, "private"),
    (v4(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (v4(127, 0, 0, 0), 8, "loopback"),
    // This block includes cloud metadata services (169.254.169.254) and the endpoints of ECS
    // (169.254.170.2) and Lambda (169.254.100.1).
    (v4(169, 254, 0, 0), 16, "link-local"),
    (v4(172, 16, 0, 0), 12, "private"),
    (v4(192, 0, 0, 0), 24, "reserved"),
    (v4(192, 0, 2, 0), 24, "documentation"),
    (v4(192, 31, 196, 0), 24, "reserved"),
    (v4(192, 52, 193, 0), 24, "reserved"),
    (v4(192, 88, 99, 0), 24, "6to4 relay"),
    (v4(192, 168, 0, 0), 16, "private"),
    (v4(192, 175, 48, 0), 24, "reserved"),
    (v4(198, 18, 0, 0), 15, "benchmarking"),
    (v4(198, 51, 100, 0), 24, "documentation"),
    (v4(203, 0, 113, 0), 24, "documentation"),
    (v4(224, 0, 0, 0), 4, "multicast"),
    (v4(255, 255, 255, 255), 32, "broadcast"),
    (v4(240, 0, 0, 0), 4, "reserved"),
    // Azure uses this address for its metadata and health services. The addresses around it are
    // public.
    (v4(168, 63, 129, 16), 32, "cloud-internal"),
];

/// The IPv6 block from which public addresses are assigned. All other addresses are reserved.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (v6(0x2000, 0, 0, 0), 3);

const V6_BLOCKS: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    // The following blocks embed an IPv4 address. They are rejected as a whole, because a public
    // host can also be reached at its IPv4 address.
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "IPv4-mapped"),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, "IPv4-translated"),
    (Ipv6Addr::UNSPECIFIED, 96, "IPv4-compatible"),
    (v6(0x64, 0xff9b, 0, 0), 96, "NAT64"),
    (v6(0x64, 0xff9b, 1, 0), 48, "NAT64"),
    (v6(0x2002, 0, 0, 0), 16, "6to4"),
    (v6(0x2001, 0, 0, 0), 32, "Teredo"),
    (v6(0x100, 0, 0, 0), 64, "discard-only"),
    (v6(0x100, 0, 0, 1), 64, "reserved"),
    (v6(0x2001, 2, 0, 0), 48, "benchmarking"),
    (v6(0x2001, 0, 0, 0), 23, "reserved"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "documentation"),
    (v6(0x2620, 0x4f, 0x8000, 0), 48, "reserved"),
    (v6(0x3ffe, 0, 0, 0), 16, "reserved"),
    (v6(0x3fff, 0, 0, 0), 20, "documentation"),
    (v6(0x5f00, 0, 0, 0), 16, "reserved"),
    // This block includes AWS's metadata service (fd00:ec2::254) and DNS resolver (fd00:ec2::253).
    (v6(0xfc00, 0, 0, 0), 7, "private"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local"),
    (v6(0xfec0, 0, 0, 0), 10, "site-local"),
    (v6(0xff00, 0, 0, 0), 8, "multicast"),
];

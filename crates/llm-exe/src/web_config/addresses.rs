//! Which addresses a page may be at: those of the public internet, by a table.
//!
//! In: an address, from a URL or from a resolver. Out: a [`Checked`] one, or what kind of address
//! it is. The blocks are those of IANA's special-purpose registries, whole, with the exceptions in
//! them that are reachable, and with what clouds keep for themselves:
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. No crate is used for it: the
//! ones there are stopped years ago or leave blocks out, and the standard library's
//! `is_global` is not stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address that was looked up in the tables: the only kind that is dialed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked(SocketAddr);

impl Checked {
    /// Takes an address of the public internet.
    ///
    /// # Errors
    /// What kind of address it is instead.
    pub(super) fn new(address: IpAddr, port: u16) -> Result<Checked, &'static str> {
        match refused(address) {
            Some(kind) => Err(kind),
            None => Ok(Checked(SocketAddr::new(address, port))),
        }
    }

    /// The address itself, for dialing it.
    pub(super) fn socket_address(self) -> SocketAddr {
        self.0
    }
}

/// What kind of address it is, if none of the public internet.
pub(super) fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let shared = |block: &Ipv4Addr| (address.to_bits() ^ block.to_bits()).leading_zeros();
            let found = V4.iter().find(|(block, bits, _)| shared(block) >= *bits);
            found.map(|(_, _, kind)| *kind)
        }
        IpAddr::V6(address) => {
            let shared = |block: &Ipv6Addr| (address.to_bits() ^ block.to_bits()).leading_zeros();
            let found = V6.iter().find(|(block, bits, _)| shared(block) >= *bits);
            let given_out = shared(&GIVEN_OUT.0) >= GIVEN_OUT.1;
            found.map(|(_, _, kind)| *kind).or((!given_out).then_some("reserved"))
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

/// A block by its first four groups.
const fn v6(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

const V4: &[(Ipv4Addr, u32, &str)] = &[
    (v4(0, 0, 0, 0), 8, "unspecified"),
    (v4(10, 0, 0, 0), 8, "private"),
    (v4(100, 64, 0, 0), 10, "shared by a carrier's customers"),
    (v4(127, 0, 0, 0), 8, "loopback"),
    // With cloud metadata (169.254.169.254), ECS (169.254.170.2), Lambda's own (169.254.100.1).
    (v4(169, 254, 0, 0), 16, "link-local"),
    (v4(172, 16, 0, 0), 12, "private"),
    (v4(192, 0, 0, 0), 24, "reserved"),
    (v4(192, 0, 2, 0), 24, "for documentation"),
    (v4(192, 31, 196, 0), 24, "reserved"),
    (v4(192, 52, 193, 0), 24, "reserved"),
    (v4(192, 88, 99, 0), 24, "a relay's"),
    (v4(192, 168, 0, 0), 16, "private"),
    (v4(192, 175, 48, 0), 24, "reserved"),
    (v4(198, 18, 0, 0), 15, "for benchmarks"),
    (v4(198, 51, 100, 0), 24, "for documentation"),
    (v4(203, 0, 113, 0), 24, "for documentation"),
    (v4(224, 0, 0, 0), 4, "multicast"),
    (v4(255, 255, 255, 255), 32, "broadcast"),
    (v4(240, 0, 0, 0), 4, "reserved"),
    // Azure's metadata and health service, in the middle of public space.
    (v4(168, 63, 129, 16), 32, "a cloud's own"),
];

/// All that is given out of IPv6; what is outside of it is reserved.
const GIVEN_OUT: (Ipv6Addr, u32) = (v6(0x2000, 0, 0, 0), 3);

const V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    // Whatever IPv4 address these hold: a page has that one too, and it is checked as such.
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address in another form"),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, "an IPv4 address in another form"),
    (Ipv6Addr::UNSPECIFIED, 96, "an IPv4 address in another form"),
    (v6(0x64, 0xff9b, 0, 0), 96, "translated to IPv4"),
    (v6(0x64, 0xff9b, 1, 0), 48, "translated to IPv4"),
    (v6(0x2002, 0, 0, 0), 16, "tunneled to IPv4"),
    (v6(0x2001, 0, 0, 0), 32, "tunneled to IPv4"),
    (v6(0x100, 0, 0, 0), 64, "discarded"),
    (v6(0x100, 0, 0, 1), 64, "reserved"),
    (v6(0x2001, 2, 0, 0), 48, "for benchmarks"),
    (v6(0x2001, 0, 0, 0), 23, "reserved"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "for documentation"),
    (v6(0x2620, 0x4f, 0x8000, 0), 48, "reserved"),
    (v6(0x3ffe, 0, 0, 0), 16, "reserved"),
    (v6(0x3fff, 0, 0, 0), 20, "for documentation"),
    (v6(0x5f00, 0, 0, 0), 16, "reserved"),
    // With AWS's metadata (fd00:ec2::254) and resolver (fd00:ec2::253).
    (v6(0xfc00, 0, 0, 0), 7, "private"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local"),
    (v6(0xfec0, 0, 0, 0), 10, "site-local"),
    (v6(0xff00, 0, 0, 0), 8, "multicast"),
];

//! Property tests that check that the fetcher connects only to public addresses, for any URL and
//! any DNS answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use serde::Deserialize;

use super::super::addresses::{PublicAddress, special_purpose};
use super::super::target::{Target, TargetHost};
use super::{FakeResolver, TestFetcher};

#[derive(Deserialize)]
struct Blocks {
    rejected: Vec<Block>,
    allowed: Vec<IpAddr>,
}

#[derive(Deserialize)]
struct Block {
    block: String,
    name: String,
}

impl Block {
    /// Returns the address in the block whose bits after the prefix are `bits`.
    fn address(&self, bits: u128) -> IpAddr {
        let (address, prefix) = self.block.split_once('/').unwrap();
        let prefix: u32 = prefix.parse().unwrap();
        match address.parse().unwrap() {
            IpAddr::V4(address) => {
                let free = u32::MAX.checked_shr(prefix).unwrap_or(0);
                let bits = u32::try_from(bits & u128::from(u32::MAX)).unwrap();
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() | bits & free))
            }
            IpAddr::V6(address) => {
                let free = u128::MAX.checked_shr(prefix).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() | bits & free))
            }
        }
    }
}

fn blocks() -> Blocks {
    serde_json::from_str(include_str!("../../../tests/cases/web_config/blocks.json")).unwrap()
}

#[test]
fn blocks_are_rejected_and_neighbouring_addresses_are_allowed() {
    let Blocks { rejected: blocks, allowed } = blocks();
    assert!(blocks.len() >= 50, "{}", blocks.len());
    for block in blocks {
        for bits in [0, 1, u128::MAX, u128::MAX - 1, u128::MAX / 3] {
            let address = block.address(bits);
            assert!(
                special_purpose(address).is_some(),
                "{address} of {} ({})",
                block.block,
                block.name
            );
        }
    }
    for address in allowed {
        assert_eq!(special_purpose(address), None, "{address}");
    }
}

/// Returns whether the standard library classifies the address as not public.
fn is_known_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_documentation()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4().is_some()
        }
    }
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    let names: Vec<String> = blocks().rejected.into_iter().map(|block| block.block).collect();
    let special = (prop::sample::select(names), any::<u128>())
        .prop_map(|(block, bits)| Block { block, name: String::new() }.address(bits));
    let public = prop::sample::select(blocks().allowed);
    prop_oneof![any::<IpAddr>(), special, public.clone(), public]
}

/// Generates random combinations of URL parts, many of which are hostile.
fn any_url() -> impl Strategy<Value = String> {
    let pieces = vec![
        "https://",
        "https:",
        "http://",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "443",
        "8443",
        "#",
        "?",
        "%",
        "%2e",
        ".",
        "。",
        "127",
        "0x7f",
        "0177",
        "1",
        "10",
        "169.254.169.254",
        "[",
        "]",
        "::1",
        "::ffff:",
        "fe80::",
        "64:ff9b::",
        "localhost",
        "a.example",
        "example",
        "xn--",
        "é",
        "\t",
        "\n",
        " ",
        "１",
        "\u{ad}",
        "\u{200d}",
        "user",
        "*",
        "8.8.8.8",
    ];
    let piece = prop::sample::select(pieces).prop_map(str::to_owned);
    let text = prop::collection::vec(prop_oneof![8 => piece, 1 => any::<String>()], 0..10);
    let text = text.prop_map(|pieces| pieces.concat());
    prop_oneof![
        any::<String>(),
        text.clone(),
        text.prop_map(|rest| format!("https://{rest}")),
        any::<IpAddr>().prop_map(|address| match address {
            IpAddr::V4(address) => format!("https://{}/", address.to_bits()),
            IpAddr::V6(address) => format!("https://[{address}]/"),
        }),
    ]
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn addresses_of_special_blocks_are_rejected(at in 0..1000usize, bits in any::<u128>()) {
        let blocks = blocks().rejected;
        let address = blocks[at % blocks.len()].address(bits);
        prop_assert!(special_purpose(address).is_some(), "{address}");
        prop_assert!(PublicAddress::new(address, 443).is_err());
    }

    #[test]
    fn addresses_known_to_the_standard_library_are_rejected(address in any::<IpAddr>()) {
        prop_assert!(!is_known_special(address) || special_purpose(address).is_some(), "{address}");
    }

    #[test]
    fn only_public_addresses_are_connected_to(
        url in any_url(),
        addresses in prop::collection::vec(any_address(), 1..4),
    ) {
        let name = match Target::parse(&url) {
            Ok(Target { host: TargetHost::Name(name), .. }) => Some(name),
            _ => None,
        };
        let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let fetcher = TestFetcher::without_server(match &name {
            Some(name) => FakeResolver::new(&[(name, &[&texts])]),
            None => FakeResolver::default(),
        });
        let error = block_on(fetcher.fetch(&url)).unwrap_err();
        prop_assert!(!error.message().contains('\n'));
        let connections = fetcher.connector.connections();
        for address in &connections {
            prop_assert!(special_purpose(address.ip()).is_none() && address.port() == 443);
            prop_assert!(!is_known_special(address.ip()), "{address}");
            prop_assert!(name.is_none() || addresses.contains(&address.ip()));
        }
        // If one address is not public, the fetcher must not use the public addresses either.
        let all_public = addresses.iter().all(|address| special_purpose(*address).is_none());
        let no_connections = connections.is_empty();
        prop_assert!(name.is_none() || all_public || no_connections, "{url}: {addresses:?}");
        prop_assert!(fetcher.resolver.lookups().len() <= 1);
    }

    #[test]
    fn redirects_pass_the_same_checks_as_requests(location in any_url()) {
        let target = Target::parse("https://a.example/b/c?d").unwrap();
        if let Ok(redirected) = target.redirected(&location) {
            let (host, path) = (redirected.host_header(), redirected.path_and_query());
            let url = format!("https://{host}{path}");
            prop_assert_eq!(Target::parse(&url), Ok(redirected));
        }
    }
}

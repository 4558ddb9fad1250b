//! Whatever the URL and whatever its name resolves to: nothing but public addresses is dialed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use serde::Deserialize;

use super::super::addresses::{Checked, refused};
use super::super::target::{Place, Target};
use super::{Names, World};

#[derive(Deserialize)]
struct Blocks {
    refused: Vec<Block>,
    allowed: Vec<IpAddr>,
}

#[derive(Deserialize)]
struct Block {
    block: String,
    name: String,
}

impl Block {
    /// The address of the block with these bits below its prefix.
    fn at(&self, bits: u128) -> IpAddr {
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
    serde_json::from_str(include_str!("../../../tests/cases/pages/blocks.json")).unwrap()
}

#[test]
fn the_ends_of_every_block_are_refused_and_what_is_beside_is_not() {
    let Blocks { refused: blocks, allowed } = blocks();
    assert!(blocks.len() >= 50, "{}", blocks.len());
    for block in blocks {
        for bits in [0, 1, u128::MAX, u128::MAX - 1, u128::MAX / 3] {
            let address = block.at(bits);
            assert!(refused(address).is_some(), "{address} of {} ({})", block.block, block.name);
        }
    }
    for address in allowed {
        assert_eq!(refused(address), None, "{address}");
    }
}

/// By the standard library alone, as far as it knows.
fn surely_not_public(address: IpAddr) -> bool {
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
    let names: Vec<String> = blocks().refused.into_iter().map(|block| block.block).collect();
    let special = (prop::sample::select(names), any::<u128>())
        .prop_map(|(block, bits)| Block { block, name: String::new() }.at(bits));
    let public = prop::sample::select(blocks().allowed);
    prop_oneof![any::<IpAddr>(), special, public.clone(), public]
}

/// Text of the pieces that URLs are made of, hostile ones more often than not.
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
    let glued = prop::collection::vec(prop_oneof![8 => piece, 1 => any::<String>()], 0..10);
    let glued = glued.prop_map(|pieces| pieces.concat());
    prop_oneof![
        any::<String>(),
        glued.clone(),
        glued.prop_map(|rest| format!("https://{rest}")),
        any::<IpAddr>().prop_map(|address| match address {
            IpAddr::V4(address) => format!("https://{}/", address.to_bits()),
            IpAddr::V6(address) => format!("https://[{address}]/"),
        }),
    ]
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_address_of_a_special_block_is_refused(at in 0..1000usize, bits in any::<u128>()) {
        let blocks = blocks().refused;
        let address = blocks[at % blocks.len()].at(bits);
        prop_assert!(refused(address).is_some(), "{address}");
        prop_assert!(Checked::new(address, 443).is_err());
    }

    #[test]
    fn what_the_standard_library_knows_is_refused(address in any::<IpAddr>()) {
        prop_assert!(!surely_not_public(address) || refused(address).is_some(), "{address}");
    }

    #[test]
    fn any_url_is_refused_or_leads_to_public_addresses_only(
        url in any_url(),
        addresses in prop::collection::vec(any_address(), 1..4),
    ) {
        let name = match Target::read(&url) {
            Ok(Target { place: Place::Name(name), .. }) => Some(name),
            _ => None,
        };
        let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let world = World::of(match &name {
            Some(name) => Names::new(&[(name, &[&texts])]),
            None => Names::default(),
        });
        let error = run(world.fetch(&url)).unwrap_err();
        prop_assert!(!error.message().contains('\n'));
        let dialed = world.dialed.asked();
        for address in &dialed {
            prop_assert!(refused(address.ip()).is_none() && address.port() == 443);
            prop_assert!(!surely_not_public(address.ip()), "{address}");
            prop_assert!(name.is_none() || addresses.contains(&address.ip()));
        }
        // Any bad address among them, and not even a good one is dialed.
        let all_good = addresses.iter().all(|address| refused(*address).is_none());
        prop_assert!(name.is_none() || all_good || dialed.is_empty(), "{url}: {addresses:?}");
        prop_assert!(world.names.asked().len() <= 1);
    }

    #[test]
    fn a_redirect_leads_where_a_request_could(location in any_url()) {
        let from = Target::read("https://a.example/b/c?d").unwrap();
        if let Ok(to) = from.redirected(&location) {
            let whole = format!("https://{}{}", to.host_header(), to.path_and_query());
            prop_assert_eq!(Target::read(&whole), Ok(to));
        }
    }
}

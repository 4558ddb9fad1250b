//! URLs and names as data: what is refused before anybody is asked, what after the look-up, and
//! what is taken as what.

use std::net::IpAddr;

use serde::Deserialize;

use super::super::target::{Place, Target};
use super::super::{ConfigHosts, ConfigHostsError};
use super::{Dialed, Names, PUBLIC, World};
use crate::error::ErrorKind;

#[derive(Deserialize)]
struct Refused {
    url: String,
    #[serde(default)]
    addresses: Vec<String>,
    told: String,
}

#[derive(Deserialize)]
struct Taken {
    url: String,
    place: String,
    port: u16,
    shown: String,
    asked: String,
    host: String,
}

#[tokio::test]
async fn a_hostile_url_is_refused_before_anybody_is_asked() {
    let cases = include_str!("../../../tests/cases/pages/urls.json");
    let cases: Vec<Refused> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 240, "{}", cases.len());
    let mut wrong = Vec::new();
    for Refused { url, told, .. } in cases {
        let world = World::of(Names::default());
        let error = world.fetch(&url).await.unwrap_err();
        let forbidden = error.kind() == ErrorKind::ConfigForbidden;
        let silent = world.names.asked().is_empty() && world.dialed.asked().is_empty();
        let quiet = !error.message().contains("secret-word");
        if !forbidden || !silent || !quiet || !error.message().contains(&told) {
            wrong.push(format!("{url:?}: {:?}, expected {told}", error.message()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_name_with_any_address_that_is_not_public_is_refused() {
    let cases = include_str!("../../../tests/cases/pages/names.json");
    let cases: Vec<Refused> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 60, "{}", cases.len());
    for Refused { url, addresses, told } in cases {
        let name = url.split('/').nth(2).unwrap();
        let texts: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let world = World::of(Names::new(&[(name, &[&texts])]));
        let error = world.fetch(&url).await.unwrap_err();
        assert!(error.message().contains(&told), "{url} {texts:?}: {}", error.message());
        let kind = match addresses.is_empty() {
            true => ErrorKind::ConfigUnavailable,
            false => ErrorKind::ConfigForbidden,
        };
        assert_eq!(error.kind(), kind, "{url} {texts:?}");
        assert_eq!(world.names.asked(), [name]);
        assert!(world.dialed.asked().is_empty(), "{url} {texts:?} was dialed");
        // What a resolver of ours says of a network is not for strangers.
        assert!(texts.iter().all(|text| name.contains(text) || !error.message().contains(text)));
    }
}

#[test]
fn a_url_is_read_as_browsers_read_it() {
    let cases = include_str!("../../../tests/cases/pages/taken.json");
    let cases: Vec<Taken> = serde_json::from_str(cases).unwrap();
    for case in cases {
        let target = Target::read(&case.url).expect(&case.url);
        let place = match case.place.parse() {
            Ok(address) => Place::Address(address),
            Err(_) => Place::Name(case.place),
        };
        assert_eq!(target.place, place, "{}", case.url);
        assert_eq!(target.port, case.port, "{}", case.url);
        assert_eq!(target.shown(), case.shown, "{}", case.url);
        assert_eq!(target.path_and_query(), case.asked, "{}", case.url);
        assert_eq!(target.host_header(), case.host, "{}", case.url);
    }
}

#[tokio::test]
async fn each_hop_is_looked_up_once_and_what_was_checked_is_dialed() {
    // The second answer, of a name whose owner rebinds it, is never asked for.
    let world = World::of(Names::new(&[("a.example", &[&[PUBLIC], &["127.0.0.1"]])]));
    let error = world.fetch("https://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnavailable);
    assert_eq!(world.names.asked(), ["a.example"]);
    assert_eq!(world.dialed.asked(), [format!("{PUBLIC}:443").parse().unwrap()]);
    // The next fetch asks anew, and holds what is answered then.
    let error = world.fetch("https://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigForbidden);
    assert_eq!(world.dialed.asked().len(), 1);
}

#[tokio::test]
async fn an_address_that_is_written_is_dialed_without_a_look_up() {
    let world = World::of(Names::default());
    for (url, dialed) in [
        ("https://8.8.8.8/", "8.8.8.8:443"),
        ("https://0x08.0x080808/", "8.8.8.8:443"),
        ("https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]:443"),
    ] {
        world.fetch(url).await.unwrap_err();
        assert_eq!(world.dialed.asked().last(), Some(&dialed.parse().unwrap()), "{url}");
    }
    assert!(world.names.asked().is_empty());
}

/// Lists of hosts, a URL, and whether it may be dialed.
const LISTS: &[(&str, &str, bool)] = &[
    ("example.com", "https://example.com/", true),
    ("example.com", "https://EXAMPLE.com:443/", true),
    ("Example.COM ,b.example", "https://example.com/", true),
    ("example.com", "https://a.example.com/", false),
    ("example.com", "https://example.com.evil.example/", false),
    ("example.com", "https://evilexample.com/", false),
    ("example.com", "https://example.com:8443/", false),
    ("example.com:8443", "https://example.com:8443/", true),
    ("example.com:8443", "https://example.com/", false),
    ("example.com:8443,example.com", "https://example.com/", true),
    ("*.example.com", "https://a.example.com/", true),
    ("*.example.com", "https://b.a.example.com/", true),
    ("*.example.com", "https://example.com/", false),
    ("*.example.com", "https://evilexample.com/", false),
    ("*.example.com", "https://a.example.com:8443/", false),
    ("*.example.com:8443", "https://a.example.com:8443/", true),
    ("b\u{fc}cher.example", "https://xn--bcher-kva.example/", true),
    ("xn--bcher-kva.example", "https://B\u{dc}CHER.example/", true),
    ("8.8.8.8", "https://134744072/", true),
    ("8.8.8.8", "https://8.8.4.4/", false),
    ("[2606:4700:4700::1111]:8443", "https://[2606:4700:4700:0::1111]:8443/", true),
];

#[tokio::test]
async fn a_list_of_hosts_holds() {
    for (list, url, admitted) in LISTS {
        let target = Target::read(url).unwrap();
        let names = match &target.place {
            Place::Name(name) => Names::new(&[(name, &[&[PUBLIC]])]),
            Place::Address(_) => Names::default(),
        };
        let hosts = ConfigHosts::read(list).expect(list);
        let world = World::new(hosts, names, Dialed::default(), None);
        let error = world.fetch(url).await.unwrap_err();
        let refused = error.kind() == ErrorKind::ConfigForbidden;
        assert_eq!(!refused, *admitted, "{list}: {url}: {}", error.message());
        assert_eq!(!world.dialed.asked().is_empty(), *admitted, "{list}: {url}");
        assert!(*admitted || error.message().contains("CONFIG_URL_HOSTS"), "{list}: {url}");
        assert!(*admitted || world.names.asked().is_empty(), "{list}: {url}");
    }
}

#[tokio::test]
async fn a_listed_name_is_checked_all_the_same() {
    let names = Names::new(&[("a.example.com", &[&["10.0.0.1"]])]);
    let hosts = ConfigHosts::read("*.example.com").unwrap();
    let world = World::new(hosts, names, Dialed::default(), None);
    let error = world.fetch("https://a.example.com/").await.unwrap_err();
    assert!(error.message().contains("private"), "{}", error.message());
    assert!(world.dialed.asked().is_empty());
}

#[test]
fn a_list_that_can_not_be_meant_is_told() {
    for text in ["", " ", ",", " , ,"] {
        assert_eq!(ConfigHosts::read(text), Err(ConfigHostsError::Empty), "{text:?}");
    }
    for text in [
        "*",
        "*.",
        "*.*.example.com",
        "a.*.example.com",
        "example.com:",
        "example.com:0",
        "exam%70le.com",
        "*.8.8.8.8",
    ] {
        let fault = ConfigHosts::read(&format!("good.example, {text}")).unwrap_err();
        let told = fault.to_string();
        let at = told.contains(&format!("{:?}", text.trim()));
        assert!(at, "{text}: {told}");
    }
    for text in ["a.b/c", "https://a.b", "me:secret-word@a.b", "a.b?secret-word", "a.b#c", "@"] {
        assert_eq!(ConfigHosts::read(text), Err(ConfigHostsError::MoreThanHost), "{text}");
    }
    for text in ["localhost", "127.0.0.1", "10.0.0.1:8443", "[::1]", "*.internal", "*.com", "db"] {
        let fault = ConfigHosts::read(text).unwrap_err();
        assert!(matches!(fault, ConfigHostsError::NeverFetched { .. }), "{text}: {fault}");
    }
    for text in ["a b", "example.com:99999", "example.com.", "a\\b"] {
        assert!(ConfigHosts::read(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_is_dead() {
    let six = "2606:2800:21f:cb07:6820:80da:af6b:8b2c";
    let all = [six, PUBLIC, "8.8.8.8", "1.1.1.1"];
    let world = World::of(Names::new(&[("a.example", &[&all])]));
    world.fetch("https://a.example/").await.unwrap_err();
    let dialed: Vec<IpAddr> = world.dialed.asked().iter().map(|address| address.ip()).collect();
    let expected: Vec<IpAddr> = all[..3].iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(dialed, expected);
}

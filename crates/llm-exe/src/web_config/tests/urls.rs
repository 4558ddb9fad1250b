//! Tests which URLs are rejected before or after the DNS lookup, which URLs are accepted, and how
//! lists of allowed hosts are applied.

use std::net::IpAddr;

use serde::Deserialize;

use super::super::target::{Target, TargetHost};
use super::super::{ConfigHosts, ConfigHostsError};
use super::{FakeConnector, FakeResolver, PUBLIC_ADDRESS, TestFetcher};
use crate::error::ErrorKind;

#[derive(Deserialize)]
struct RejectedUrl {
    url: String,
    #[serde(default)]
    addresses: Vec<String>,
    /// A string that the error message must contain.
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    url: String,
    target_host: String,
    port: u16,
    shown: String,
    path_and_query: String,
    host_header: String,
}

#[tokio::test]
async fn hostile_urls_are_rejected_without_a_lookup() {
    let cases = include_str!("../../../tests/cases/web_config/rejected_urls.json");
    let cases: Vec<RejectedUrl> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 240, "{}", cases.len());
    let mut failures = Vec::new();
    for RejectedUrl { url, message, .. } in cases {
        let fetcher = TestFetcher::without_server(FakeResolver::default());
        let error = fetcher.fetch(&url).await.unwrap_err();
        let is_forbidden = error.kind() == ErrorKind::ConfigForbidden;
        let no_network =
            fetcher.resolver.lookups().is_empty() && fetcher.connector.connections().is_empty();
        let no_secret = !error.message().contains("secret-word");
        if !is_forbidden || !no_network || !no_secret || !error.message().contains(&message) {
            failures.push(format!("{url:?}: {:?}, expected {message}", error.message()));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn names_with_an_address_that_is_not_public_are_rejected() {
    let cases = include_str!("../../../tests/cases/web_config/rejected_names.json");
    let cases: Vec<RejectedUrl> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 60, "{}", cases.len());
    for RejectedUrl { url, addresses, message } in cases {
        let name = url.split('/').nth(2).unwrap();
        let texts: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let fetcher = TestFetcher::without_server(FakeResolver::new(&[(name, &[&texts])]));
        let error = fetcher.fetch(&url).await.unwrap_err();
        assert!(error.message().contains(&message), "{url} {texts:?}: {}", error.message());
        let kind = match addresses.is_empty() {
            true => ErrorKind::ConfigUnavailable,
            false => ErrorKind::ConfigForbidden,
        };
        assert_eq!(error.kind(), kind, "{url} {texts:?}");
        assert_eq!(fetcher.resolver.lookups(), [name]);
        assert!(fetcher.connector.connections().is_empty(), "{url} {texts:?}");
        // Callers must not learn the addresses of the operator's network.
        assert!(texts.iter().all(|text| name.contains(text) || !error.message().contains(text)));
    }
}

#[test]
fn urls_are_parsed_as_browsers_parse_them() {
    let cases = include_str!("../../../tests/cases/web_config/accepted_urls.json");
    let cases: Vec<Accepted> = serde_json::from_str(cases).unwrap();
    for case in cases {
        let target = Target::parse(&case.url).expect(&case.url);
        let host = match case.target_host.parse() {
            Ok(address) => TargetHost::Address(address),
            Err(_) => TargetHost::Name(case.target_host),
        };
        assert_eq!(target.host, host, "{}", case.url);
        assert_eq!(target.port, case.port, "{}", case.url);
        assert_eq!(target.shown(), case.shown, "{}", case.url);
        assert_eq!(target.path_and_query(), case.path_and_query, "{}", case.url);
        assert_eq!(target.host_header(), case.host_header, "{}", case.url);
    }
}

#[tokio::test]
async fn a_name_is_resolved_once_and_the_checked_address_is_used() {
    // In a DNS rebinding attack, a second lookup of the name would return a private address.
    let fetcher = TestFetcher::without_server(FakeResolver::new(&[(
        "a.example",
        &[&[PUBLIC_ADDRESS], &["127.0.0.1"]],
    )]));
    let error = fetcher.fetch("https://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnavailable);
    assert_eq!(fetcher.resolver.lookups(), ["a.example"]);
    assert_eq!(fetcher.connector.connections(), [format!("{PUBLIC_ADDRESS}:443").parse().unwrap()]);
    // The next fetch resolves the name again and checks the new address.
    let error = fetcher.fetch("https://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigForbidden);
    assert_eq!(fetcher.connector.connections().len(), 1);
}

#[tokio::test]
async fn an_address_in_the_url_needs_no_lookup() {
    let fetcher = TestFetcher::without_server(FakeResolver::default());
    for (url, address) in [
        ("https://8.8.8.8/", "8.8.8.8:443"),
        ("https://0x08.0x080808/", "8.8.8.8:443"),
        ("https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]:443"),
    ] {
        fetcher.fetch(url).await.unwrap_err();
        assert_eq!(
            fetcher.connector.connections().last(),
            Some(&address.parse().unwrap()),
            "{url}"
        );
    }
    assert!(fetcher.resolver.lookups().is_empty());
}

/// Each entry contains a list of hosts, a URL, and whether the list allows the URL.
const HOST_LISTS: &[(&str, &str, bool)] = &[
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
async fn host_lists_allow_only_their_hosts() {
    for (list, url, allowed) in HOST_LISTS {
        let target = Target::parse(url).unwrap();
        let resolver = match &target.host {
            TargetHost::Name(name) => FakeResolver::new(&[(name, &[&[PUBLIC_ADDRESS]])]),
            TargetHost::Address(_) => FakeResolver::default(),
        };
        let hosts = ConfigHosts::parse(list).expect(list);
        let fetcher = TestFetcher::new(hosts, resolver, FakeConnector::default(), None);
        let error = fetcher.fetch(url).await.unwrap_err();
        let is_forbidden = error.kind() == ErrorKind::ConfigForbidden;
        assert_eq!(!is_forbidden, *allowed, "{list}: {url}: {}", error.message());
        assert_eq!(!fetcher.connector.connections().is_empty(), *allowed, "{list}: {url}");
        assert!(*allowed || error.message().contains("CONFIG_URL_HOSTS"), "{list}: {url}");
        assert!(*allowed || fetcher.resolver.lookups().is_empty(), "{list}: {url}");
    }
}

#[tokio::test]
async fn a_listed_name_with_a_private_address_is_rejected() {
    let resolver = FakeResolver::new(&[("a.example.com", &[&["10.0.0.1"]])]);
    let hosts = ConfigHosts::parse("*.example.com").unwrap();
    let fetcher = TestFetcher::new(hosts, resolver, FakeConnector::default(), None);
    let error = fetcher.fetch("https://a.example.com/").await.unwrap_err();
    assert!(error.message().contains("private"), "{}", error.message());
    assert!(fetcher.connector.connections().is_empty());
}

#[test]
fn invalid_host_lists_are_errors() {
    for text in ["", " ", ",", " , ,"] {
        assert_eq!(ConfigHosts::parse(text), Err(ConfigHostsError::Empty), "{text:?}");
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
        let error = ConfigHosts::parse(&format!("good.example, {text}")).unwrap_err().to_string();
        assert!(error.contains(&format!("{:?}", text.trim())), "{text}: {error}");
    }
    for text in ["a.b/c", "https://a.b", "me:secret-word@a.b", "a.b?secret-word", "a.b#c", "@"] {
        assert_eq!(ConfigHosts::parse(text), Err(ConfigHostsError::UnexpectedParts), "{text}");
    }
    for text in ["localhost", "127.0.0.1", "10.0.0.1:8443", "[::1]", "*.internal", "*.com", "db"] {
        let error = ConfigHosts::parse(text).unwrap_err();
        assert!(matches!(error, ConfigHostsError::Forbidden { .. }), "{text}: {error}");
    }
    for text in ["a b", "example.com:99999", "example.com.", "a\\b"] {
        assert!(ConfigHosts::parse(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn at_most_three_addresses_are_tried() {
    let ipv6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c";
    let all = [ipv6, PUBLIC_ADDRESS, "8.8.8.8", "1.1.1.1"];
    let fetcher = TestFetcher::without_server(FakeResolver::new(&[("a.example", &[&all])]));
    fetcher.fetch("https://a.example/").await.unwrap_err();
    let connections = fetcher.connector.connections();
    let tried: Vec<IpAddr> = connections.iter().map(|address| address.ip()).collect();
    let expected: Vec<IpAddr> = all[..3].iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(tried, expected);
}

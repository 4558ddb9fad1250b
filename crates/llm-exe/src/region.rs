//! Validates AWS region names and looks up the DNS domain of a region.

/// Region prefixes and DNS domains of the AWS partitions that do not use `amazonaws.com`.
const DOMAINS: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
];

/// Returns the DNS domain of the AWS services in a region.
pub fn aws_domain(region: &str) -> &'static str {
    let partition = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
    partition.map_or("amazonaws.com", |(_, domain)| domain)
}

/// The error for a string that is not an AWS region name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an AWS region such as eu-central-1")]
pub struct InvalidRegion;

/// Checks that a string looks like an AWS region name, because it becomes part of a host name.
///
/// # Errors
/// [`InvalidRegion`] if the string is not a valid region name.
pub fn check_region(region: &str) -> Result<(), InvalidRegion> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(allowed) {
        return Err(InvalidRegion);
    }
    Ok(())
}

//! AWS regions: the check of a region name and the DNS domain of its partition.

/// The DNS domain of each AWS partition other than the standard one, by the prefix of its regions.
const DOMAINS: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
];

/// Returns the DNS domain under which AWS services in a region are reached.
pub fn aws_domain(region: &str) -> &'static str {
    let partition = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
    partition.map_or("amazonaws.com", |(_, domain)| domain)
}

/// Checks that a text has the form of an AWS region, because it becomes part of host names.
///
/// # Errors
/// Returns a message if the text is not a region.
pub fn check_region(region: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(allowed) {
        return Err("expected a region like eu-central-1".to_owned());
    }
    Ok(())
}

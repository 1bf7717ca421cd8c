//! AWS Regions, so that a typing error is noticed when the region is set and not at a login that nobody can approve.

use crate::outlet::Outlet;

/// The regions of all partitions as of November 2026 (botocore's `partitions.json`). Tab completion offers all of them except the secret ones.
pub(crate) const KNOWN: [&str; 46] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "ca-west-1",
    "mx-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "af-south-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "us-gov-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "eu-isoe-west-1",
];

/// Warns about a region that is not in the list. It is still used, because AWS adds new regions.
pub(crate) fn warn_if_unknown(region: &str, outlet: &Outlet) {
    if let Some(warning) = warning(region) {
        outlet.warn(warning);
    }
}

fn warning(region: &str) -> Option<String> {
    let [first, second, third] = nearest(region)?;
    Some(format!(
        "The region {region} is not in the list of AWS regions. Did you mean {first}, {second} or {third}? Ignore this warning if it is a new region."
    ))
}

/// Whether AWS is known to have this region.
pub(crate) fn is_known(region: &str) -> bool {
    KNOWN.contains(&region)
}

pub(crate) fn check_region(region: &str) -> Result<(), String> {
    let fits = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(()) } else { Err(format!("{region:?} is not a valid region name, such as us-west-2")) }
}

/// The known regions with the most similar names, nearest first; `None` if the region is known.
fn nearest(region: &str) -> Option<[&'static str; 3]> {
    if is_known(region) {
        return None;
    }
    let mut known = KNOWN;
    known.sort_by_cached_key(|known| strsim::damerau_levenshtein(known, region));
    let [first, second, third, ..] = known;
    Some([first, second, third])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_warning_about_a_mistyped_region_suggests_the_nearest_ones() {
        for (mistyped, meant) in [
            ("us-west2", "us-west-2"),
            ("us-wset-2", "us-west-2"),
            ("useast-1", "us-east-1"),
            ("us-east-9", "us-east-1"),
            ("eu-center-1", "eu-central-1"),
            ("eu-central", "eu-central-1"),
            ("ap-southeast1", "ap-southeast-1"),
            ("us-gov-west1", "us-gov-west-1"),
            ("cn-nort-1", "cn-north-1"),
            ("eusc-de-east1", "eusc-de-east-1"),
        ] {
            assert_eq!(nearest(mistyped).unwrap()[0], meant, "{mistyped}");
        }
        let warning = warning("us-west2").unwrap();
        assert!(warning.contains("us-west2") && warning.contains("us-west-2, us-west-1 or"), "{warning}");
    }

    #[test]
    fn no_region_of_any_partition_causes_a_warning() {
        for region in KNOWN {
            assert_eq!(nearest(region), None, "{region}");
        }
    }

    #[test]
    fn the_tab_key_offers_all_of_these_regions_except_the_secret_ones() {
        let source = include_str!("../../../../module/Commands/Completion.cs");
        let (_, list) = source.split_once("string[] Others =").unwrap();
        let (list, _) = list.split_once("];").unwrap();
        let offered: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        let known: Vec<&str> = KNOWN.into_iter().filter(|region| !region.contains("-iso")).collect();
        assert_eq!(offered, known);
    }
}

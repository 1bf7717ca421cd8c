//! Regions that AWS does not have.

use sso_core::protocol::{Operation, Plan, SetEnvironment};

use crate::{Company, approving};

/// Sets a region, as it is stored or for one run.
fn warnings_of_region(company: &Company, region: &str, for_one_run: bool) -> Vec<String> {
    let mut world = company.world();
    let operation = if for_one_run {
        world.given = vec![serde_json::from_value(serde_json::json!({ "name": "Acme", "region": region })).unwrap()];
        Operation::Plan(Plan { environments: vec!["Acme".into()], force: false, minimum_remaining: 900, replace_keys: false, due_only: false })
    } else {
        Operation::SetEnvironment(SetEnvironment { name: "Acme".into(), region: Some(region.into()), ..SetEnvironment::default() })
    };
    let seen = company.run_in(world, operation);
    assert!(seen.failed.is_empty(), "{region}: {:?}", seen.failed);
    seen.notes
}

#[test]
fn an_unknown_region_causes_a_warning_and_can_be_used() {
    let company = Company::with(approving(), 1);
    for region in ["us-west2", "us-east-9", "eu-central1", "moon-base-1"] {
        for for_one_run in [false, true] {
            let warnings = warnings_of_region(&company, region, for_one_run);
            assert_eq!(warnings.iter().filter(|warning| warning.contains(region) && warning.contains("Did you mean")).count(), 1, "{warnings:?}");
        }
        assert!(warnings_of_region(&company, region, true).is_empty(), "once for the runs of a process");
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{region}: {:?}", seen.failed);
    }
    for region in ["us-west-2", "eu-central-2", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ap-southeast-7"] {
        for for_one_run in [false, true] {
            assert_eq!(warnings_of_region(&company, region, for_one_run), Vec::<String>::new(), "{region}");
        }
    }
}

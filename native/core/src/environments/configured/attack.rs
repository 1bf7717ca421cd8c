//! Generated config files, read by this module and by botocore; common ones also by the libraries of other tools.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::Command;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_types::os_shim_internal::{Env, Fs};
use ini::{Ini, ParseOption};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ConfigFile;
use super::botocore::{ConfigText, Named};
use super::export::{Export, StoredNames, Way};
use crate::environments::environment::Environment;
use crate::files::ini_text::attack::{Python, cases, runner};
use crate::names::profile::{ProfileEntry, ProfileSettings};

/// Sections by name, each with its values; a nested block is an object.
type Sections = BTreeMap<String, BTreeMap<String, Value>>;

const READER: &str = r#"
import json, sys
try:
    from botocore import configloader
except ImportError:
    from awscli.botocore import configloader

for line in sys.stdin:
    try:
        found = configloader.load_config(json.loads(line))
    except Exception as error:
        if type(error).__name__ != "ConfigParseError":
            raise
        print('"refused"', flush=True)
    else:
        print(json.dumps([found["profiles"], found["sso_sessions"]]), flush=True)
"#;

/// Whether botocore would fetch keys by SSO for a profile.
const PROVIDER: &str = r#"
import json, sys
try:
    from botocore import configloader, credentials
except ImportError:
    from awscli.botocore import configloader, credentials

for line in sys.stdin:
    path, profile = json.loads(line)
    provider = credentials.SSOProvider(lambda: configloader.load_config(path), client_creator=None, profile_name=profile)
    try:
        answer = "fetches" if provider.load() else "has none"
    except Exception as error:
        if type(error).__name__ != "InvalidConfigError":
            raise
        answer = "refused"
    print(json.dumps(answer), flush=True)
"#;

/// Starts a script in a Python that has botocore or in the AWS CLI's; reports if there is none, because a test can then show nothing.
fn botocore(script: &str) -> Option<Python> {
    let packages = [("python3", "botocore.configloader"), ("/usr/bin/python3", "awscli.botocore.configloader")];
    let has =
        |(program, package): &(&str, &str)| Command::new(program).args(["-c", &format!("import {package}")]).output().is_ok_and(|run| run.status.success());
    let found = packages.into_iter().find(has).and_then(|(program, _)| Python::run(program, script));
    if found.is_none() {
        println!("SKIPPED: neither python3 has botocore nor /usr/bin/python3 the AWS CLI's, so nothing was compared with botocore.");
    }
    found
}

fn read_by_botocore(python: &mut Python, path: &std::path::Path) -> Option<(Sections, Sections)> {
    match python.ask(&json!(path)) {
        Value::String(refused) => {
            assert_eq!(refused, "refused");
            None
        }
        found => Some(serde_json::from_value(found).unwrap()),
    }
}

fn read_by_us(bytes: &[u8]) -> Option<(Sections, Sections)> {
    let text = ConfigText::read(bytes).ok()?;
    let defaults = text.defaults();
    let values = |named: &Named| {
        let all = text.values(named, &defaults).all().into_iter();
        (named.name.clone(), all.map(|(key, value)| (key, value.map_or_else(|nested| json!(nested), Value::String))).collect())
    };
    Some((text.profiles.iter().map(values).collect(), text.sso_sessions.iter().map(values).collect()))
}

/// Headers of all kinds: quoted, escaped, with one word or three, with text after them, of other sections.
fn any_header() -> impl Strategy<Value = String> {
    let blank = prop_oneof![6 => Just(" "), 1 => Just("  "), 1 => Just("\t"), 1 => Just("\u{a0}"), 1 => Just("")];
    let kind = prop_oneof![6 => Just("profile"), 4 => Just("sso-session"), 1 => Just("services"), 1 => Just("profiles"), 1 => Just("sso-session-x"), 1 => Just("Profile")];
    let name = prop_oneof![
        6 => "[a-e]{1,2}",
        2 => Just("default".to_owned()),
        1 => "[a-b]{1,2} [a-b]",
        2 => "\"[a-b ']{0,3}\"",
        2 => "'[a-b \"\\\\]{0,3}'",
        1 => "[a-b]\"[a-b ]\"[a-b]",
        1 => "[a-b]?\\\\[a-b \"'\\\\]",
        1 => "\"[a-b]?\\\\[a-b\"'\\\\]\"",
        1 => "[a-b#;=:\"'\u{e4}\u{130}\u{2028}\u{3000}]{1,3}",
    ];
    let named = (kind, blank.clone(), name, blank).prop_map(|(kind, before, name, after)| format!("{kind}{before}{name}{after}"));
    let header = prop_oneof![12 => named, 2 => Just("default".to_owned()), 1 => Just("DEFAULT".to_owned()), 1 => Just("preview".to_owned()), 1 => Just(" default".to_owned())];
    let tail = prop_oneof![6 => Just(""), 1 => Just(" # mine"), 1 => Just("; mine"), 1 => Just(" ]"), 1 => Just(" x = y")];
    (header, tail).prop_map(|(header, tail)| format!("[{header}]{tail}"))
}

fn any_config() -> impl Strategy<Value = Vec<u8>> {
    let known =
        ["sso_session", "sso_start_url", "SSO_Start_URL", "sso_region", "region", "ca_bundle", "sso_account_id", "SSO_Role_Name", "s3", "\u{c4}", "a b"];
    let key = prop_oneof![3 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 2 => "[d-zD-Z]{2}"];
    let indent = || prop_oneof![12 => Just(""), 1 => Just("  "), 1 => Just("\t"), 1 => Just(" ")];
    let delimiter = prop_oneof![4 => Just(" = "), 2 => Just("="), 2 => Just(": "), 1 => Just(" :")];
    let value = prop_oneof![3 => "[a-c0-9/:=\u{e4}]{0,4}", 1 => "[a-b]{1,2} [#;] [a-b]", 3 => Just(String::new())];
    let line = prop_oneof![
        20 => (indent(), key, delimiter, value).prop_map(|(indent, key, delimiter, value)| format!("{indent}{key}{delimiter}{value}")),
        8 => (indent(), any_header()).prop_map(|(indent, header)| format!("{indent}{header}")),
        8 => "  [a-c]{1,2} {0,1}= {0,1}[a-c=]{0,2}",
        1 => "  [a-c]{1,2}",
        1 => "  [a-b]=[a-b][\u{b}\u{c}\u{1c}\u{1d}\u{85}\u{2028}\u{2029}][a-b]=?[a-b]?",
        3 => "[ \t]{0,2}",
        3 => "[ ]{0,3}[#;][a-c= ]{0,3}",
        1 => "[a-c\\[\\]=:\u{feff}\u{0}\u{1f}]{0,2}",
    ];
    let end = prop_oneof![10 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r")];
    let start = prop_oneof![30 => Just(""), 1 => Just("\u{feff}"), 1 => Just("\u{feff}\n"), 1 => Just("\r\n")];
    (start, any_header(), proptest::collection::vec((line, end), 0..16)).prop_map(|(start, first, lines)| {
        let lines = lines.iter().map(|(line, end)| format!("{line}{end}"));
        format!("{start}{first}\n{}", lines.collect::<String>()).into_bytes()
    })
}

#[test]
fn every_config_file_has_the_profiles_sessions_and_values_that_botocore_finds() {
    let Some(python) = botocore(READER) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let python = RefCell::new(python);
    let counts = RefCell::new(BTreeMap::<&str, u32>::new());
    let outcome = runner(20_000).run(&any_config(), |text| {
        std::fs::write(&path, &text).unwrap();
        let (ours, theirs) = (read_by_us(&text), read_by_botocore(&mut python.borrow_mut(), &path));
        prop_assert_eq!(&ours, &theirs);
        let kind = match &ours {
            None => "refused by both",
            Some((profiles, sessions)) if profiles.len() + sessions.len() > 1 => "two sections or more",
            Some(_) => "one section or none",
        };
        *counts.borrow_mut().entry(kind).or_default() += 1;
        Ok(())
    });
    outcome.unwrap();
    println!("{:?}", counts.borrow());
    assert!(["two sections or more", "refused by both"].iter().all(|kind| counts.borrow()[kind] > cases(20_000) / 10), "{:?}", counts.borrow());
}

/// A config file as people and `aws configure sso` write it.
fn usual_config() -> impl Strategy<Value = String> {
    let name = prop_oneof![4 => "[a-z][a-z0-9.@_-]{0,6}", 1 => Just("default".to_owned())];
    let value = |key: &'static str, pattern: &'static str| pattern.prop_map(move |value| format!("{key} = {value}\n"));
    let noise =
        prop_oneof![4 => Just(""), 1 => Just("\n"), 1 => Just("# a note\n"), 1 => Just("s3 =\n  max_concurrent_requests = 20\n"), 1 => Just("output = json\n")];
    let profile = (name, value("sso_session", "[a-c]"), value("sso_account_id", "[0-9]{12}"), value("sso_role_name", "[A-Z][a-z]{2,8}"), noise.clone());
    let session = ("[a-c]", value("sso_start_url", "https://[a-z]{1,5}\\.awsapps\\.com/start(/|#/|)"), value("sso_region", "[a-z]{2}-west-[12]"), noise);
    (proptest::collection::vec(profile, 0..6), proptest::collection::vec(session, 0..3), any::<bool>()).prop_map(|(profiles, sessions, windows)| {
        let profiles: BTreeMap<_, _> =
            profiles.into_iter().map(|(name, session, account, role, noise)| (name, [session, account, role, noise.to_owned()])).collect();
        let sessions: BTreeMap<_, _> = sessions.into_iter().map(|(name, url, region, noise)| (name, [url, region, noise.to_owned()])).collect();
        let header = |name: &str| if name == "default" { "[default]".to_owned() } else { format!("[profile {name}]") };
        let profiles = profiles.iter().map(|(name, lines)| (header(name), lines.concat()));
        let sessions = sessions.iter().map(|(name, lines)| (format!("[sso-session {name}]"), lines.concat()));
        let text = profiles.chain(sessions).fold(String::new(), |text, (header, lines)| text + &header + "\n" + &lines);
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

const SSO_KEYS: [&str; 5] = ["sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];

fn sso_values(values: impl Fn(&str) -> Option<String>) -> BTreeMap<&'static str, String> {
    SSO_KEYS.into_iter().filter_map(|key| Some((key, values(key)?))).collect()
}

type Usual = (BTreeMap<String, BTreeMap<&'static str, String>>, BTreeMap<String, BTreeMap<&'static str, String>>);

fn usual((profiles, sessions): (Sections, Sections)) -> Usual {
    let of = |sections: Sections| {
        let values = sections.into_iter().map(|(name, values)| (name, sso_values(|key| values.get(key).and_then(Value::as_str).map(str::to_owned))));
        values.collect()
    };
    (of(profiles), of(sessions))
}

/// Reads with the parser of aws-config in the SDK for Rust.
fn read_by_the_sdk(text: &str) -> Usual {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (no_variables, no_files) = (Env::from_slice(&[]), Fs::from_slice(&[]));
    let source = aws_runtime::env_config::source::load(&no_variables, &no_files, &files);
    let found = EnvConfigSections::parse(runtime.block_on(source).unwrap()).unwrap();
    let profiles = found.profiles().map(|name| (name.to_owned(), sso_values(|key| found.get_profile(name).unwrap().get(key).map(str::to_owned))));
    let sessions = found.sso_sessions().map(|name| (name.to_owned(), sso_values(|key| found.sso_session(name).unwrap().get(key).map(str::to_owned))));
    (profiles.collect(), sessions.collect())
}

fn read_by_rust_ini(text: &str) -> Usual {
    let options = ParseOption { enabled_quote: false, enabled_escape: false, enabled_indented_mutiline_value: true, ..ParseOption::default() };
    let found = Ini::load_from_str_opt(text, options).unwrap();
    let of = |prefix: &str| {
        let named = found
            .iter()
            .filter_map(|(section, keys)| Some((section?.strip_prefix(prefix).or(section.filter(|name| *name == "default" && prefix == "profile "))?, keys)));
        named.map(|(name, keys)| (name.to_owned(), sso_values(|key| keys.get(key).map(|value| value.trim().to_owned())))).collect()
    };
    (of("profile "), of("sso-session "))
}

#[test]
fn common_config_files_read_the_same_as_in_botocore_the_sdk_for_rust_and_rust_ini() {
    let python = botocore(READER).map(RefCell::new);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    runner(2_000)
        .run(&usual_config(), |text| {
            std::fs::write(&path, &text).unwrap();
            let ours = usual(read_by_us(text.as_bytes()).unwrap());
            prop_assert_eq!(&ours, &read_by_the_sdk(&text));
            prop_assert_eq!(&ours, &read_by_rust_ini(&text));
            if let Some(python) = &python {
                prop_assert_eq!(&ours, &usual(read_by_botocore(&mut python.borrow_mut(), &path).unwrap()));
            }
            Ok(())
        })
        .unwrap();
}

/// Profiles named p, with what happens to them.
const PROFILES: [(&str, &str); 16] = [
    ("[profile p]\nsso_session = s\nsso_account_id = 100000000000\nsso_role_name = R\n", "fetches"),
    ("[profile p]\nsso_session = s\nsso_region = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", "fetches"),
    ("[profile p]\nsso_session = s\nsso_region = eu-west-1\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_session = s\noutput = text\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[DEFAULT]\nsso_region = us-west-2\n[profile p]\nsso_session = s\nsso_account_id = 100000000000\nsso_role_name = R\n", "fetches"),
    ("[DEFAULT]\noutput = text\n[profile p]\nsso_session = s\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_session = s\nsso_account_id = 100000000000\n", "refused"),
    ("[profile p]\nsso_session = s\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_session = s\n", "has none"),
    ("[profile p]\nsso_session = other\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_session = half\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_session = half\nregion = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_start_url = https://a.awsapps.com/start\nsso_region = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", "fetches"),
    ("[profile p]\nsso_start_url = https://a.awsapps.com/start\nregion = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_region = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", "refused"),
    ("[profile p]\nsso_start_url = https://a.awsapps.com/start\nsso_region = us-west-2\n", "has none"),
];

#[test]
fn a_profile_is_updated_if_botocore_would_fetch_its_keys_and_region_never_replaces_sso_region() {
    let sessions = "[sso-session s]\nsso_start_url = https://s.awsapps.com/start\nsso_region = us-west-2\noutput = json\n\
        [sso-session half]\nsso_start_url = https://half.awsapps.com/start\nregion = us-west-2\n";
    let mut python = botocore(PROVIDER);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    for (profile, expected) in PROFILES {
        let text = format!("{sessions}{profile}");
        std::fs::write(&path, &text).unwrap();
        let config = ConfigFile::parse(&path, text.as_bytes()).unwrap();
        let found = config.environments.iter().filter_map(|found| found.outcome.as_ref().ok()).any(|environment| !environment.profiles.is_empty());
        assert_eq!(found, expected == "fetches", "{profile}");
        if let Some(python) = &mut python {
            assert_eq!(python.ask(&json!([path, "p"])), expected, "{profile}");
        }
    }
}

/// What happens to the key `name` of the profile p.
enum Name {
    /// The whole file is refused.
    Refused,
    Missing,
    Is(&'static str),
}

/// Kinds of text from the tests that AWS's SDKs share, as botocore reads them.
const KINDS: [(&str, Name); 24] = [
    ("", Name::Missing),
    ("[profile p]", Name::Missing),
    ("[profile p", Name::Refused),
    ("[profile \tp \t]\nname = value", Name::Is("value")),
    ("[profile\tp]\nname = value", Name::Is("value")),
    ("name = value", Name::Refused),
    ("[profile p]\r\nname = val=ue", Name::Is("val=ue")),
    ("[profile p]\nname = \u{1f602}", Name::Is("\u{1f602}")),
    ("[profile p]\nname \t=  \tvalue \t", Name::Is("value")),
    ("[profile p]\nname =", Name::Is("")),
    ("[profile p]\n= value", Name::Refused),
    ("[profile p]\nkey : value", Name::Missing),
    ("[profile p]\nkey", Name::Refused),
    ("; first\n[profile p] ; adjacent\n# between\nname = value\t; with the value\n\n", Name::Is("value\t; with the value")),
    ("[profile p]\nname = value\n  -continued # with it\n\n  -again", Name::Is("value\n-continued # with it\n\n-again")),
    ("[profile p]\n -continued", Name::Refused),
    ("[profile q]\nname = value\n[profile p]\n -continued", Name::Refused),
    ("[profile p]\nname = one\n[profile p]\nname = two", Name::Refused),
    ("[profile p]\nname = one\nNAME = two", Name::Refused),
    ("[profile p]\nname = one\n[profile 'p']\nother = two", Name::Missing),
    ("[profile p q]\nname = one\n[profilep]\nname = two\n[p]\nname = three", Name::Missing),
    ("[profile p]\ns3 =\n name = nested\n\n other =", Name::Missing),
    ("[profile p]\ns3 =\n name", Name::Refused),
    ("[profile p]\ns3 =\n = nested\nname = value", Name::Is("value")),
];

#[test]
fn texts_from_the_sdks_shared_tests_are_read_as_in_botocore() {
    let mut python = botocore(READER);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    for (text, expected) in KINDS {
        std::fs::write(&path, text).unwrap();
        let ours = read_by_us(text.as_bytes());
        let name = ours.as_ref().map(|(profiles, _)| profiles.get("p").and_then(|values| values.get("name")).and_then(Value::as_str));
        let expected = match expected {
            Name::Refused => None,
            Name::Missing => Some(None),
            Name::Is(value) => Some(Some(value)),
        };
        assert_eq!(name, expected, "{text}");
        if let Some(python) = &mut python {
            assert_eq!(ours, read_by_botocore(python, &path), "{text}");
        }
    }
}

/// An environment with these profiles.
fn environment(names: &[&str]) -> Environment {
    let settings = ProfileSettings { region: Some("eu-west-1".into()), output: None };
    let profile = |name: &&str| ProfileEntry { name: (*name).into(), account_id: "100000000000".into(), role_name: "R".into(), settings: settings.clone() };
    Environment {
        name: "Acme".into(),
        start_url: "https://acme.awsapps.com/start".into(),
        region: "us-west-2".into(),
        default_role_name: None,
        defaults: ProfileSettings::default(),
        sync: crate::protocol::SyncSettings::default(),
        credentials_file: crate::protocol::CredentialsFileUse::Always,
        token_cache: None,
        sso_session: None,
        profiles: names.iter().map(profile).collect(),
        source: "file".into(),
    }
}

const WAYS: [fn() -> Way; 2] = [|| Way::Session, || Way::Process { program: "/home/user/program".into() }];

fn exporting(environment: &Environment, way: Way, prune: bool) -> Export<'_> {
    Export { environment, profiles: environment.profiles.iter().collect(), way, pruned_but: prune.then(Default::default), stored: StoredNames::Unknown }
}

#[test]
fn exported_profiles_are_read_by_botocore_and_the_sdk_for_rust_beside_those_of_the_user() {
    let python = botocore(READER).map(RefCell::new);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let ours = environment(&["Account1-Admin", "a/b.c@d"]);
    runner(300)
        .run(&usual_config(), |text| {
            prop_assume!(!text.contains("Account1-Admin") && !text.contains("a/b.c@d"));
            let before = usual(read_by_us(text.as_bytes()).unwrap());
            for way in WAYS {
                let outcome = exporting(&ours, way(), false).apply(&path, text.as_bytes()).unwrap();
                prop_assert!(outcome.conflicts.is_empty());
                let new = String::from_utf8(outcome.text.unwrap().to_vec()).unwrap();
                prop_assert!(new.starts_with(&text), "what was there is changed: {new}");
                std::fs::write(&path, &new).unwrap();
                let (profiles, sessions) = read_by_the_sdk(&new);
                prop_assert!(ours.profiles.iter().all(|profile| profiles.contains_key(&profile.name)));
                prop_assert!(before.0.iter().all(|(name, values)| profiles.get(name) == Some(values)));
                prop_assert!(before.1.iter().all(|(name, values)| sessions.get(name) == Some(values)));
                if let Some(python) = &python {
                    let read = usual(read_by_botocore(&mut python.borrow_mut(), &path).unwrap());
                    prop_assert_eq!(&(profiles, sessions), &read);
                }
                // Again, it changes nothing; and once the environment has no profiles, only what was there before is left.
                prop_assert!(exporting(&ours, way(), true).apply(&path, new.as_bytes()).unwrap().text.is_none());
                let none = environment(&[]);
                let left = exporting(&none, way(), true).apply(&path, new.as_bytes()).unwrap().text.unwrap();
                let left = String::from_utf8(left.to_vec()).unwrap();
                prop_assert_eq!(left.trim_end(), text.trim_end());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn botocore_finds_exported_profiles_whose_names_need_quotation_marks() {
    let Some(mut python) = botocore(READER) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let names = ["two words", "it\u{27}s", "say \"x\"", "back\\slash", "a # b", "semi;colon", "Z\u{fc}rich", "default", "no\u{a0}break"];
    let ours = environment(&names);
    for way in WAYS {
        let new = exporting(&ours, way(), false).apply(&path, b"").unwrap().text.unwrap();
        std::fs::write(&path, &*new).unwrap();
        let (profiles, _) = read_by_botocore(&mut python, &path).unwrap();
        for name in names {
            assert_eq!(profiles[name]["x_sso_environment"], "Acme", "{name}");
        }
    }
}

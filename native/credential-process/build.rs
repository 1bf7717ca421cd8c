//! Takes the version from the module's manifest, the only place for it.

use std::path::Path;

fn main() -> Result<(), String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Set-AwsCliSsoCredentials.psd1");
    let text = std::fs::read_to_string(&manifest).map_err(|fault| format!("{}: {fault}", manifest.display()))?;
    let line = text.lines().find(|line| line.trim_start().starts_with("ModuleVersion")).ok_or("the manifest has no ModuleVersion")?;
    let version = line.split('\'').nth(1).ok_or("ModuleVersion has no value")?;
    println!("cargo::rustc-env=MODULE_VERSION={version}");
    println!("cargo::rerun-if-changed={}", manifest.display());
    Ok(())
}

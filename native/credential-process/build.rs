//! Takes the version from the module's manifest, the only place for it.

use std::path::Path;

fn main() -> Result<(), String> {
    // As of now, and not as of when this was compiled: a folder with its build can be copied.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo runs this")?;
    let manifest = Path::new(&folder).join("../../Set-AwsCliSsoCredentials.psd1");
    let text = std::fs::read_to_string(&manifest).map_err(|fault| format!("{}: {fault}", manifest.display()))?;
    let line = text.lines().find(|line| line.trim_start().starts_with("ModuleVersion")).ok_or("the manifest has no ModuleVersion")?;
    let version = line.split('\'').nth(1).ok_or("ModuleVersion has no value")?;
    println!("cargo::rustc-env=MODULE_VERSION={version}");
    println!("cargo::rerun-if-changed={}", manifest.display());
    Ok(())
}

//! The least that changing one profile of a credentials file can cost: `floor credentials 9` prints the milliseconds of each of nine rounds.
//!
//! A round reads the file, looks for the starts of its lines, writes a copy of it beside it, makes the copy durable, renames it over the file, and
//! makes the folder durable.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// The number of sections that were found, so that no step can be left out.
fn rewrite(path: &Path) -> io::Result<usize> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let bytes = fs::read(path)?;
    let copy = bytes.clone();
    let sections = copy.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&b'[')).count();
    let temporary = path.with_extension("floor");
    let mut file = File::create(&temporary)?;
    file.write_all(&copy)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(sections)
}

fn run(path: &Path, rounds: u32) -> io::Result<()> {
    for _ in 0..rounds {
        let start = Instant::now();
        if rewrite(path)? == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it has no section"));
        }
        writeln!(io::stdout(), "{}", start.elapsed().as_secs_f64() * 1000.0)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let rounds = arguments.get(1).and_then(|rounds| rounds.to_str()?.parse().ok());
    let (Some(path), Some(rounds)) = (arguments.first().map(Path::new), rounds) else {
        return fail("give the credentials file and the number of rounds");
    };
    match run(path, rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fail(&format!("{} could not be rewritten: {fault}", path.display())),
    }
}

fn fail(sentence: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "floor: {sentence}.");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_keeps_every_byte_and_nothing_stays_beside_it() {
        let folder = std::env::temp_dir().join(format!("sso-floor-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("credentials");
        fs::write(&path, "[a]\nkey = [b]\n\n[c]\n").unwrap();
        assert_eq!(rewrite(&path).unwrap(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[a]\nkey = [b]\n\n[c]\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}

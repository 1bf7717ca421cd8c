//! Files that Windows encrypts for this user (DPAPI), one for each item, below the local application data. They are not on the network, and have no
//! limit of 2,560 bytes as the Credential Manager has.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::faults::write_failed;
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::patience::WaitLimit;
use crate::secret::SecretBytes;
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::{APPLICATION, Limits, NewItem, Prompt, StoreState, value_of};
use crate::sha1_hex::sha1_hex;
use crate::world::World;

/// Keeps what other programs encrypt apart. It is no secret.
const ENTROPY: &[u8] = b"Set-AwsCliSsoCredentials session 1";

/// What an encrypted file that cannot be decrypted ends in, after its own ending.
const SET_ASIDE: &str = ".unreadable";

/// The errors of Windows for keys that are not there now and may be there later: no domain controller was reached (`SEC_E_DELEGATION_REQUIRED`), the
/// user's profile is not loaded (`ERROR_FILE_NOT_FOUND`), or none.
const FOR_NOW: [i32; 3] = [0x8009_0345_u32.cast_signed(), 2, 0];

/// The files of the caller.
#[derive(Clone)]
pub(super) struct Backend(Arc<Folder>);

struct Folder {
    path: Result<PathBuf, Error>,
    wait_limit: WaitLimit,
}

impl Backend {
    pub(super) fn of(world: &World, _limits: Limits) -> Self {
        let local = world.variables.get("LOCALAPPDATA").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let local = local.map_or_else(|| Ok(world.home_folder()?.join("AppData").join("Local")), Ok);
        let path = local.map(|folder| folder.join(APPLICATION).join("sessions"));
        Self(Arc::new(Folder { path, wait_limit: world.wait_limit.clone() }))
    }

    pub(super) async fn state(&self) -> Result<StoreState, Fault> {
        self.work(Folder::probe).await.map(|()| StoreState::Unlocked)
    }

    pub(super) async fn read(&self, item: &str, _prompt: Prompt) -> Result<Option<Zeroizing<String>>, Fault> {
        let item = item.to_owned();
        self.work(move |folder| folder.read(&item)).await
    }

    pub(super) async fn write(&self, new: &NewItem<'_>, _prompt: Prompt) -> Result<(), Fault> {
        let (item, value) = (new.item.to_owned(), Zeroizing::new(new.value.to_owned()));
        self.work(move |folder| folder.write(&item, &value)).await
    }

    pub(super) async fn remove(&self, item: &str, _prompt: Prompt) -> Result<bool, Fault> {
        let item = item.to_owned();
        self.work(move |folder| folder.remove(&item)).await
    }

    pub(super) async fn set_aside(&self, item: &str) -> Result<(), Fault> {
        let item = item.to_owned();
        let work = move |folder: &Folder| {
            let file = folder.file(&item)?;
            let _lock = folder.lock(&file)?;
            set_aside(&file)
        };
        self.work(work).await
    }

    /// Works on a thread that may block.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Folder) -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
        let folder = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&folder)).await.unwrap_or(Err(Fault::Lost))
    }
}

/// What a file has.
enum Kept {
    Nothing,
    Value(Zeroizing<String>),
    Unreadable,
}

impl Folder {
    /// Whether something can be encrypted here, and a file be written.
    fn probe(&self) -> Result<(), Fault> {
        let encrypted = sso_windows::protect(b"probe", ENTROPY).map_err(|fault| fault_of("CryptProtectData", &fault))?;
        sso_windows::unprotect(&encrypted, ENTROPY).map_err(|fault| fault_of("CryptUnprotectData", &fault))?;
        self.file("probe")?.check_writable().map(drop).map_err(of_file)
    }

    fn read(&self, item: &str) -> Result<Option<Zeroizing<String>>, Fault> {
        let file = self.file(item)?;
        match kept(&file)? {
            Kept::Nothing => return Ok(None),
            Kept::Value(value) => return Ok(Some(value)),
            Kept::Unreadable => {}
        }
        let _lock = self.lock(&file)?;
        // Somebody may have written or removed it since.
        match kept(&file)? {
            Kept::Nothing => Ok(None),
            Kept::Value(value) => Ok(Some(value)),
            Kept::Unreadable => set_aside(&file).and(Err(Fault::Unreadable)),
        }
    }

    fn write(&self, item: &str, value: &str) -> Result<(), Fault> {
        let file = self.file(item)?;
        let encrypted = sso_windows::protect(value.as_bytes(), ENTROPY).map_err(|fault| fault_of("CryptProtectData", &fault))?;
        let lock = self.lock(&file)?;
        file.replace(&lock, |_| Ok(Some(SecretBytes::from(encrypted.clone())))).map_err(of_file)?;
        match kept(&file)? {
            Kept::Value(kept) if kept.as_str() == value => Ok(()),
            _ => Err(Fault::NotKept),
        }
    }

    fn remove(&self, item: &str) -> Result<bool, Fault> {
        let file = self.file(item)?;
        // A lock would create the folder.
        if file.identity().map_err(of_file)?.is_none() {
            return Ok(false);
        }
        let lock = self.lock(&file)?;
        file.remove(&lock).map_err(of_file)?;
        Ok(true)
    }

    fn file(&self, item: &str) -> Result<SafeFile, Fault> {
        let folder = self.path.as_ref().map_err(|error| of_file(error.clone()))?;
        Ok(SafeFile::at(&folder.join(format!("{}.dpapi", file_name(item))), &self.wait_limit))
    }

    fn lock(&self, file: &SafeFile) -> Result<Lock, Fault> {
        Lock::take(&file.lock_path(), &self.wait_limit.begin()).map_err(of_file)
    }
}

/// The name of an item as that of a file: itself if it is a hash, else its hash.
fn file_name(item: &str) -> String {
    let is_hash = item.len() == 40 && item.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if is_hash { item.to_owned() } else { sha1_hex(item.as_bytes()) }
}

fn kept(file: &SafeFile) -> Result<Kept, Fault> {
    let Some(contents) = file.read().map_err(of_file)? else { return Ok(Kept::Nothing) };
    match sso_windows::unprotect(&contents.bytes, ENTROPY) {
        Ok(bytes) => Ok(value_of(&bytes).map_or(Kept::Unreadable, Kept::Value)),
        Err(fault) if FOR_NOW.contains(&fault.raw_os_error().unwrap_or_default()) => Err(fault_of("CryptUnprotectData", &fault)),
        Err(_) => Ok(Kept::Unreadable),
    }
}

/// Renames a file in place of the one that was set aside before.
fn set_aside(file: &SafeFile) -> Result<(), Fault> {
    let aside = file.beside(SET_ASIDE);
    match std::fs::rename(file.path(), &aside) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(of_file(write_failed(&aside, &fault))),
        _ => Ok(()),
    }
}

fn fault_of(step: &'static str, fault: &std::io::Error) -> Fault {
    Fault::Failed { step, error: fault.raw_os_error().map(|code| format!("{:#010x}", code.cast_unsigned())) }
}

fn of_file(error: Error) -> Fault {
    Fault::File(Box::new(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::secret_store::SecretStore;
    use crate::world::test_world;

    const ITEM: &str = "0123456789abcdef0123456789abcdef01234567";

    struct User {
        home: tempfile::TempDir,
        store: SecretStore,
    }

    impl User {
        fn new() -> Self {
            let (home, world) = test_world();
            Self { home, store: SecretStore::of(&world) }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.home.path().join("AppData/Local/Set-AwsCliSsoCredentials/sessions").join(name)
        }

        async fn write(&self, value: &str) {
            self.store.write(ITEM, "Acme", value, Prompt::Never).await.unwrap();
        }

        async fn read(&self) -> Result<Option<String>, Fault> {
            self.store.read(ITEM, Prompt::Never).await.map(|value| value.map(|value| value.to_string()))
        }
    }

    #[tokio::test]
    async fn a_value_is_written_encrypted_read_replaced_and_removed() {
        let user = User::new();
        assert_eq!(user.store.state().await.unwrap(), StoreState::Unlocked);
        assert_eq!(user.read().await.unwrap(), None);
        assert!(!user.store.remove(ITEM, Prompt::Never).await.unwrap());
        for value in ["first value of the token", &"x".repeat(100_000)] {
            user.write(value).await;
            assert_eq!(user.read().await.unwrap().as_deref(), Some(value));
            let bytes = std::fs::read(user.path(&format!("{ITEM}.dpapi"))).unwrap();
            assert!(!bytes.windows(16).any(|part| part == &value.as_bytes()[..16]));
        }
        assert!(user.store.remove(ITEM, Prompt::Never).await.unwrap());
        assert_eq!(user.read().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_decrypted_is_renamed_and_reported_once() {
        for broken in [&b""[..], b"nonsense", &sso_windows::protect(b"value", b"another program").unwrap(), &sso_windows::protect(b"\xff\0", ENTROPY).unwrap()]
        {
            let user = User::new();
            user.write("value").await;
            std::fs::write(user.path(&format!("{ITEM}.dpapi")), broken).unwrap();
            assert!(matches!(user.read().await, Err(Fault::Unreadable)));
            assert_eq!(user.read().await.unwrap(), None);
            assert_eq!(std::fs::read(user.path(&format!("{ITEM}.dpapi.unreadable"))).unwrap(), broken);
            user.write("again").await;
            assert_eq!(user.read().await.unwrap().as_deref(), Some("again"));
        }
    }

    #[tokio::test]
    async fn the_file_is_in_the_local_application_data_and_its_name_is_a_hash() {
        let (home, mut world) = test_world();
        let local = home.path().join("Local");
        let mut variables: std::collections::BTreeMap<_, _> = world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        variables.insert("LOCALAPPDATA".to_owned(), local.display().to_string());
        world.variables = crate::world::Variables::new(variables);
        let store = SecretStore::of(&world);
        for name in ["CON", "../x", "a:b", "a*"] {
            store.write(name, "Acme", "value", Prompt::Never).await.unwrap();
            let file = local.join("Set-AwsCliSsoCredentials/sessions").join(format!("{}.dpapi", sha1_hex(name.as_bytes())));
            assert!(file.exists(), "{name}");
        }
    }
}

//! What this process has of the system.

use std::fs::File;
use std::time::Duration;

/// The handles, and the bytes of its own memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) handles: u64,
    pub(crate) bytes: u64,
}

impl Usage {
    pub(crate) fn now() -> Self {
        Self { handles: system::handles(), bytes: system::bytes() }
    }

    /// The least of some readings, because threads that are done take a moment to end.
    pub(crate) fn settled() -> Self {
        let mut least = Self::now();
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(50));
            let now = Self::now();
            least = Self { handles: least.handles.min(now.handles), bytes: least.bytes.min(now.bytes) };
        }
        least
    }

    /// Checks that the readings are not made up.
    pub(crate) fn assert_real() {
        let before = Self::now();
        let files: Vec<File> = (0..16).map(|_| File::open(std::env::current_exe().unwrap()).unwrap()).collect();
        let memory = std::hint::black_box(vec![1_u8; 16 << 20]);
        let after = Self::now();
        assert!(after.handles >= before.handles + 16, "{before:?}, then {after:?} with 16 files");
        assert!(after.bytes >= before.bytes + (15 << 20), "{before:?}, then {after:?} with 16 MiB");
        drop((files, memory));
    }
}

#[cfg(target_os = "linux")]
mod system {
    pub(super) fn handles() -> u64 {
        std::fs::read_dir("/proc/self/fd").unwrap().count() as u64
    }

    /// The resident memory that is not of a file.
    pub(super) fn bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

#[cfg(windows)]
mod system {
    use windows_sys::Wdk::System::SystemInformation::{NtQuerySystemInformation, SYSTEM_INFORMATION_CLASS};
    use windows_sys::Win32::Foundation::STATUS_INFO_LENGTH_MISMATCH;
    use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

    /// `SystemExtendedHandleInformation`: an entry for each handle of each process.
    const ALL_HANDLES: SYSTEM_INFORMATION_CLASS = 64;

    /// The words of 64 bits before the first entry, of an entry, and before the process in an entry.
    const HEAD: usize = 2;
    const ENTRY: usize = 5;
    const PROCESS: usize = 1;

    pub(super) fn handles() -> u64 {
        let mut count = 0;
        // SAFETY: the pointer is to a variable that lives until the call returns.
        let counted = unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut count) };
        assert_ne!(counted, 0);
        // Wine always reports 0, but its list of all handles is true.
        if count > 0 {
            count.into()
        } else {
            listed()
        }
    }

    /// This process's handles in the list of all handles.
    fn listed() -> u64 {
        let mut list = vec![0_u64; 1 << 16];
        loop {
            let (size, mut needed) = (u32::try_from(list.len() * 8).unwrap(), 0);
            // SAFETY: the list is as large as the call is told, and the pointer is to a variable that lives until the call returns.
            let status = unsafe { NtQuerySystemInformation(ALL_HANDLES, list.as_mut_ptr().cast(), size, &raw mut needed) };
            if status != STATUS_INFO_LENGTH_MISMATCH {
                assert_eq!(status, 0);
                break;
            }
            list.resize(list.len() * 2, 0);
        }
        let entries = list[HEAD..].chunks_exact(ENTRY).take(usize::try_from(list[0]).unwrap());
        entries.filter(|entry| entry[PROCESS] == u64::from(std::process::id())).count() as u64
    }

    /// The memory that only this process has. `PrivateUsage` is the same number, but not in Wine.
    pub(super) fn bytes() -> u64 {
        let mut counters = PROCESS_MEMORY_COUNTERS::default();
        let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).unwrap();
        // SAFETY: the pointer is to a variable of this size that lives until the call returns.
        let read = unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &raw mut counters, size) };
        assert_ne!(read, 0);
        counters.PagefileUsage as u64
    }
}

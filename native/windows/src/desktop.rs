//! Whether this process can show a window to anybody.

use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::Win32::System::Threading::GetCurrentProcessId;

/// Whether this process runs in a session with a desktop. Services, `WinRM` and SSH run in session 0, where nobody sees a window.
#[must_use]
pub fn has_desktop() -> bool {
    let mut session = 0;
    // SAFETY: the pointer is to a variable that lives until the call returns.
    let found = unsafe { ProcessIdToSessionId(GetCurrentProcessId(), &raw mut session) };
    found == 0 || session != 0
}

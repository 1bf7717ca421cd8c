using System;
using System.ComponentModel;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace AwsSso.Native;

/// <summary>One run inside the native library, and the only caller of it: events are pulled, and any thread may cancel.</summary>
internal sealed class SsoOperation : IDisposable
{
    private readonly SsoOperationHandle handle = new();
    private bool ended;

    private SsoOperation()
    {
    }

    /// <summary>Starts what the request asks for; nothing happens before the first <see cref="Next"/>.</summary>
    internal static SsoOperation Start(SsoRequest request)
    {
        CheckLibrary();
        var text = request.Write();
        var operation = new SsoOperation();
        var started = IntPtr.Zero;
        var status = NativeMethods.sso_operation_start(ref text[0], (ulong)text.Length, ref started);
        if (status != SsoStatus.Event)
        {
            throw SsoErrors.BadStatus(status);
        }

        operation.handle.Take(started);
        return operation;
    }

    /// <summary>Waits for the next event; null is the end.</summary>
    internal SsoEvent? Next() => Pull() is { } text ? SsoEvent.Read(text) : null;

    /// <summary>Asks the run to end soon. Any thread may call at any time, after <see cref="Dispose"/> too.</summary>
    internal void Cancel()
    {
        var held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            NativeMethods.sso_operation_cancel(handle.DangerousGetHandle());
        }
        catch (ObjectDisposedException)
        {
            // The run is over: there is nothing left to cancel.
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    /// <summary>
    /// Cancels the run, waits until it has put away what it fetched, and frees it. A run that has ended is only freed.
    /// It belongs to the thread that calls <see cref="Next"/>.
    /// </summary>
    public void Dispose()
    {
        try
        {
            if (!ended)
            {
                Cancel();
            }

            while (!ended)
            {
                Pull();
            }
        }
        catch (SsoException)
        {
            // A fault of the library is the end, too. Whatever made the caller leave early is what counts.
        }
        finally
        {
            handle.Dispose();
        }
    }

    private byte[]? Pull()
    {
        if (ended)
        {
            return null;
        }

        var bytes = IntPtr.Zero;
        ulong length = 0;
        var held = false;
        try
        {
            // The reference keeps another thread's Dispose from freeing what this call is using.
            handle.DangerousAddRef(ref held);
            var status = NativeMethods.sso_operation_next(handle.DangerousGetHandle(), ref bytes, out length);
            ended = status != SsoStatus.Event;
            return status switch
            {
                SsoStatus.Event => Copy(bytes, length),
                SsoStatus.End => null,
                _ => throw SsoErrors.BadStatus(status),
            };
        }
        finally
        {
            NativeMethods.sso_bytes_free(bytes, length);
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static byte[] Copy(IntPtr bytes, ulong length)
    {
        if (bytes == IntPtr.Zero || length > int.MaxValue)
        {
            throw SsoErrors.BadEvent(null);
        }

        var copy = new byte[(int)length];
        Marshal.Copy(bytes, copy, 0, copy.Length);
        return copy;
    }

    /// <summary>Loads the library where it is not loaded yet, and makes sure that it speaks this assembly's language.</summary>
    private static void CheckLibrary()
    {
        uint version;
        try
        {
            LoadByPath();
            version = NativeMethods.sso_abi_version();
        }
        catch (Exception fault) when (fault is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or Win32Exception)
        {
            throw SsoErrors.LibraryUnavailable(LibraryPath(), Platform(), fault);
        }

        if (version != NativeMethods.SSO_ABI_VERSION)
        {
            throw SsoErrors.LibraryVersionMismatch(LibraryPath(), version, NativeMethods.SSO_ABI_VERSION);
        }
    }

    /// <summary>
    /// Windows PowerShell 5.1 does not look into a folder of the platform's name, as PowerShell 7 does. Once the library is loaded by its
    /// full path, its bare name is enough. Loading it once more only counts up a number; it is never unloaded, as Rust has threads in it.
    /// </summary>
    private static void LoadByPath()
    {
        const uint searchBesideTheLibrary = 0x8;
        if (RuntimeInformation.FrameworkDescription.StartsWith(".NET Framework", StringComparison.Ordinal)
            && LoadLibraryEx(LibraryPath(), IntPtr.Zero, searchBesideTheLibrary) == IntPtr.Zero)
        {
            throw new Win32Exception(Marshal.GetLastWin32Error());
        }
    }

    /// <summary>The place where PowerShell 7 looks, and where a build puts the library.</summary>
    private static string LibraryPath()
    {
        var extension = RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? ".dll" : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? ".dylib" : ".so";
        var folder = Path.GetDirectoryName(typeof(SsoOperation).Assembly.Location) ?? "";
        return Path.Combine(folder, Platform(), NativeMethods.NativeLib + extension);
    }

    private static string Platform()
    {
        var system = RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "win" : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "osx" : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    [DllImport("kernel32", EntryPoint = "LoadLibraryExW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    private static extern IntPtr LoadLibraryEx(string path, IntPtr reserved, uint flags);

    private sealed class SsoOperationHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        internal void Take(IntPtr operation) => SetHandle(operation);

        protected override bool ReleaseHandle()
        {
            NativeMethods.sso_operation_free(handle);
            return true;
        }
    }
}

using System;
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
        SsoLibrary.Load();
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
    /// Cancels the run, waits until it has written what it fetched, and frees it. A run that has ended is only freed.
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
            // An error of the library is the end, too. Whatever made the caller leave early is what counts.
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

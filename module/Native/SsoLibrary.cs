using System;
using System.ComponentModel;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace AwsSso.Native;

/// <summary>The native library as a file: where it lies, whether it is whole, and why it does not load.</summary>
internal static class SsoLibrary
{
    /// <summary>The folder that PowerShell 7 looks into, as a build names it.</summary>
    private static readonly string Platform = SystemName + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static readonly string Folder = System.IO.Path.GetDirectoryName(typeof(SsoLibrary).Assembly.Location) ?? "";

    private static readonly string Path = PathFor(Platform);

    private static volatile bool isReady;

    /// <summary>Whether the library is loaded.</summary>
    internal static bool IsReady => isReady;

    /// <summary>The folder that has the library of this platform and the program for AWS tools.</summary>
    internal static string PlatformFolder => System.IO.Path.Combine(Folder, Platform);

    /// <summary>Loads the library where it is not loaded yet, and checks that it has the version that this assembly needs.</summary>
    internal static void Load()
    {
        if (isReady)
        {
            return;
        }

        uint version;
        try
        {
            CheckLength();
            LoadByPath();
            version = NativeMethods.sso_abi_version();
        }
        catch (Exception fault) when (fault is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException
            or Win32Exception)
        {
            throw !File.Exists(Path) ? SsoErrors.LibraryMissing(Path, Platform, OtherPlatforms(), fault)
                : IsMusl ? SsoErrors.LibraryForGlibc(Path, fault)
                : SsoErrors.LibraryUnloadable(Path, Platform, Cause(fault), fault);
        }

        if (version != NativeMethods.SSO_ABI_VERSION)
        {
            throw SsoErrors.LibraryVersionMismatch(Path, version, NativeMethods.SSO_ABI_VERSION);
        }

        isReady = true;
    }

    private static string SystemName =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "win" : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "osx" : "linux";

    private static bool IsLinux => RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    /// <summary>Whether this process was started by the loader of musl, which is no glibc: its map then has that loader.</summary>
    private static bool IsMusl =>
        IsLinux && File.Exists("/proc/self/maps") && File.ReadLines("/proc/self/maps").Any(line => line.Contains("/ld-musl-"));

    /// <summary>The place of a platform's library.</summary>
    private static string PathFor(string platform)
    {
        var extension = platform.StartsWith("win", StringComparison.Ordinal) ? ".dll"
            : platform.StartsWith("osx", StringComparison.Ordinal) ? ".dylib"
            : ".so";
        return System.IO.Path.Combine(Folder, platform, NativeMethods.NativeLib + extension);
    }

    /// <summary>The platforms that this installation has a library for.</summary>
    private static string[] OtherPlatforms() => Directory.GetDirectories(Folder)
        .Select(System.IO.Path.GetFileName)
        .Where(platform => File.Exists(PathFor(platform)))
        .OrderBy(platform => platform, StringComparer.Ordinal)
        .ToArray();

    /// <summary>
    /// Linux maps an incomplete file without an error, and the process dies at the first touch of what is missing. An ELF file ends with
    /// its section headers, so their place gives its length; the other systems look by themselves.
    /// </summary>
    private static void CheckLength()
    {
        const int headerLength = 64;
        const uint magic = 0x464C457F;
        if (!IsLinux || !File.Exists(Path))
        {
            return;
        }

        long length;
        int read;
        var header = new byte[headerLength];
        try
        {
            using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            length = file.Length;
            read = file.Read(header, 0, headerLength);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw SsoErrors.LibraryUnloadable(Path, Platform, fault.Message, fault);
        }

        if (read < headerLength || BitConverter.ToUInt32(header, 0) != magic)
        {
            throw SsoErrors.LibraryIsNone(Path);
        }

        // e_shoff, e_shentsize and e_shnum of a 64-bit header, little-endian as all platforms here are.
        var wanted = BitConverter.ToInt64(header, 40) + ((long)BitConverter.ToUInt16(header, 58) * BitConverter.ToUInt16(header, 60));
        if (wanted > length)
        {
            throw SsoErrors.LibraryCutOff(Path, length, wanted);
        }
    }

    /// <summary>
    /// Windows PowerShell 5.1 does not look into a folder of the platform's name, as PowerShell 7 does. Once the library is loaded by its
    /// full path, its bare name is enough. It is never unloaded, as Rust has threads in it.
    /// </summary>
    private static void LoadByPath()
    {
        const uint searchBesideTheLibrary = 0x8;
        if (IsNetFramework && LoadLibraryEx(Path, IntPtr.Zero, searchBesideTheLibrary) == IntPtr.Zero)
        {
            throw new Win32Exception(Marshal.GetLastWin32Error());
        }
    }

    /// <summary>Whether this is .NET Framework, or Mono in its place: their core has the old name.</summary>
    private static bool IsNetFramework => typeof(object).Assembly.GetName().Name == "mscorlib";

    /// <summary>
    /// What the system says about this very file. PowerShell's own error names the places where .NET looked after it, so the file is
    /// loaded once more by its path, with what .NET has for that and .NET Standard does not.
    /// </summary>
    private static string Cause(Exception fault)
    {
        if (fault is Win32Exception windows)
        {
            return $"{windows.Message} (0x{0x80070000 | (uint)windows.NativeErrorCode:X8})";
        }

        try
        {
            Type.GetType("System.Runtime.InteropServices.NativeLibrary, System.Runtime.InteropServices")?
                .GetMethod("Load", [typeof(string)])?
                .Invoke(null, [Path]);
        }
        catch (TargetInvocationException reflected) when (reflected.InnerException is { } inner)
        {
            fault = inner;
        }

        const string introduction = "dependencies: ";
        var lines = fault.Message.Split('\r', '\n');
        var ofPath = Array.Find(lines, candidate => candidate.StartsWith(Path + ": ", StringComparison.Ordinal));
        var line = ofPath?.Substring(Path.Length + 2) ?? lines[0];
        var start = line.IndexOf(introduction, StringComparison.Ordinal);
        return start < 0 ? line : line.Substring(start + introduction.Length);
    }

    [DllImport("kernel32", EntryPoint = "LoadLibraryExW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    private static extern IntPtr LoadLibraryEx(string path, IntPtr reserved, uint flags);
}

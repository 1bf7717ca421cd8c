using System;
using System.IO;

namespace AwsSso;

/// <summary>A file that may come from anywhere, read up to a limit.</summary>
internal static class ImportedFile
{
    /// <summary>No file with environments comes near it, in bytes.</summary>
    internal const int LargestFile = 4 * 1024 * 1024;

    /// <summary>The longest text of one value, in characters.</summary>
    internal const int LongestValue = 64 * 1024;

    /// <summary>The most rows of a table, and the most environments of a file.</summary>
    internal const int MostRows = 10_000;

    /// <summary>Reads a file as text in UTF-8, or in UTF-16 with a byte order mark.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="errorId">The id of the error for a file in another encoding.</param>
    internal static string ReadText(string path, string errorId)
    {
        var (text, fault) = TextEncoding.Decode(ReadBytes(path));
        return text ?? throw SsoErrors.WrongEncoding(errorId, path, fault!);
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = file.Read(buffer, 0, buffer.Length)) > 0)
            {
                // What a file says of its length need not be so.
                bytes.Write(buffer, 0, read);
                if (bytes.Length > LargestFile)
                {
                    throw SsoErrors.FileTooLarge(path);
                }
            }

            return bytes.ToArray();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw SsoErrors.ReadFailed(path, fault);
        }
    }
}

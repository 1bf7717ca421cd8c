using System;
using System.Globalization;

namespace AwsSso;

/// <summary>Times as the module shows them; public, since the table views call it.</summary>
public static class SsoTime
{
    /// <summary>Gives a time with what is left until then.</summary>
    /// <param name="time">A local time.</param>
    /// <returns>For example <c>17:05 (0:59 left)</c> or <c>17:05 (expired)</c>; null where there is no time.</returns>
    public static string? Until(DateTime? time)
    {
        if (time is not { } end)
        {
            return null;
        }

        var left = Left(end);
        return left > TimeSpan.Zero ? $"{Clock(end)} ({Math.Floor(left.TotalHours)}:{left:mm} left)" : $"{Clock(end)} (expired)";
    }

    /// <summary>A time of today without its date.</summary>
    internal static string Clock(DateTime time) =>
        time.ToString(time.Date == DateTime.Today ? "HH:mm" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    /// <summary>What is left until a time, and nothing where it has passed; a change to or from summer time does not count.</summary>
    internal static TimeSpan Left(DateTime time)
    {
        var left = time.ToUniversalTime() - DateTime.UtcNow;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}

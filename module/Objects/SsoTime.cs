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

        // Beside what is left, the date of a time just after midnight only takes room from the other columns.
        var isSoon = Left(end) is { Ticks: > 0 } left && left < TimeSpan.FromHours(12);
        return $"{(isSoon ? Minute(end) : Clock(end))} ({Remaining(end)})";
    }

    /// <summary>What is left until a time, for example <c>0:59 left</c> or <c>expired</c>.</summary>
    internal static string Remaining(DateTime time) =>
        Left(time) is { Ticks: > 0 } left ? $"{Math.Floor(left.TotalHours)}:{left:mm} left" : "expired";

    /// <summary>Gives how long a session renews itself, which is more than its access token lasts.</summary>
    /// <param name="session">A session.</param>
    /// <returns>
    /// For example <c>until 2027-02-24 09:00 at most</c>, or <c>no, ends 17:05</c>; null where there is no session. The service may end it
    /// earlier; nothing tells when.
    /// </returns>
    public static string? Renewal(SsoSession session) => session switch
    {
        { State: SsoSessionState.None or SsoSessionState.Ended } => null,
        { Refreshable: true, RegistrationExpires: { } end } => $"until {Clock(end)} at most",
        { Refreshable: true } => "by itself",
        { TokenExpires: { } end } => $"no, ends {Clock(end)}",
        _ => null,
    };

    /// <summary>Gives a time in the future.</summary>
    /// <param name="time">A local time.</param>
    /// <returns>For example <c>17:05</c> or <c>now</c>; null where there is no time.</returns>
    public static string? Next(DateTime? time) => time is not { } next ? null : next > DateTime.Now ? Clock(next) : "now";

    /// <summary>A time of today without its date.</summary>
    internal static string Clock(DateTime time) =>
        time.Date == DateTime.Today ? Minute(time) : time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Minute(DateTime time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    /// <summary>What is left until a time, and nothing where it has passed; a change to or from summer time does not count.</summary>
    internal static TimeSpan Left(DateTime time)
    {
        var left = time.ToUniversalTime() - DateTime.UtcNow;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}

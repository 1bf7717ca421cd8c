using System;

namespace AwsSso.Commands;

/// <summary>What one object of a pipeline means: an environment, or some of its profiles. Names of objects are literal.</summary>
internal sealed class PipedTarget
{
    /// <summary>The environment; null where any environment is meant that has the profile.</summary>
    internal NamePattern? Environment { get; set; }

    internal string? ProfileName { get; set; }

    internal string? AccountId { get; set; }

    internal string? RoleName { get; set; }

    /// <summary>The account's name, if it is known; nothing is selected by it.</summary>
    internal string? AccountName { get; set; }

    /// <summary>The account's email address, if it is known; nothing is selected by it.</summary>
    internal string? EmailAddress { get; set; }

    /// <summary>Whether every profile of the environment is meant.</summary>
    internal bool IsWhole => ProfileName is null && AccountId is null;

    /// <summary>Whether it is one profile of one environment, both by their names.</summary>
    internal bool IsPair => this is { ProfileName: not null, Environment: { IsLiteral: true } };

    /// <summary>The same text for the same environment and profile.</summary>
    internal string Key => $"{Environment?.Literal.ToUpperInvariant()}\n{ProfileName}";

    /// <summary>The account or role, as a message names it.</summary>
    internal string Account
    {
        get
        {
            var account = $"account {AccountId}{(AccountName is { } name ? $" ({name})" : "")}";
            return RoleName is { } role ? $"{role} in {account}" : account;
        }
    }

    /// <summary>One profile.</summary>
    internal static PipedTarget Of(SsoProfile profile) => new()
    {
        Environment = NamePattern.Exactly(profile.Environment, ignoreCase: true),
        ProfileName = profile.ProfileName,
        AccountId = profile.AccountId,
        RoleName = profile.RoleName,
    };

    internal bool Matches(string environment) => Environment?.Matches(environment) != false;

    internal bool Matches(SsoProfile profile) =>
        Matches(profile.Environment)
        && (ProfileName is null || string.Equals(ProfileName, profile.ProfileName, StringComparison.Ordinal))
        && (AccountId is null || ProfileName is not null || string.Equals(AccountId, profile.AccountId, StringComparison.Ordinal))
        && (RoleName is null || ProfileName is not null || string.Equals(RoleName, profile.RoleName, StringComparison.Ordinal));
}

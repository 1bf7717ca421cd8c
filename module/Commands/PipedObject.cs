using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>What an object of a pipeline is, as far as the cmdlets distinguish them.</summary>
[Flags]
internal enum PipedKinds
{
    /// <summary>Not one of the module's, and without the properties of one.</summary>
    None = 0,

    /// <summary>A name, or an object that has the name of an environment and nothing of a profile or an account.</summary>
    Name = 1,

    /// <summary>An environment.</summary>
    Environment = 2,

    /// <summary>A session.</summary>
    Session = 4,

    /// <summary>A profile, its credentials, or its result of an update.</summary>
    Profile = 8,

    /// <summary>An account.</summary>
    Account = 16,

    /// <summary>A role in an account.</summary>
    Role = 32,

    /// <summary>Whatever belongs to an environment as a whole.</summary>
    Whole = Name | Environment | Session,

    /// <summary>Whatever means some profiles of an environment.</summary>
    Part = Profile | Account | Role,
}

/// <summary>One object of a pipeline, read by its type where that is known and by its properties else.</summary>
internal sealed class PipedObject
{
    private const string Namespace = "AwsSso.";

    private static readonly string[] Prefixes = ["Deserialized.", "Selected."];

    private readonly PSObject piped;
    private readonly string? type;

    private PipedObject(PSObject piped)
    {
        this.piped = piped;
        type = piped.TypeNames.Select(OwnType).FirstOrDefault(name => name is not null);
        Text = piped.BaseObject as string;
        Kind = KindOf();
    }

    internal PipedKinds Kind { get; }

    /// <summary>The text where the object is text; null for others.</summary>
    internal string? Text { get; }

    /// <summary>What a message calls it.</summary>
    internal string Description
    {
        get
        {
            var name = type ?? piped.TypeNames.FirstOrDefault() ?? nameof(Object);
            var noun = Kind switch
            {
                PipedKinds.Profile when type is "SsoCredential" => "a credential",
                PipedKinds.Profile when type is "SsoProfileResult" => "a profile result",
                PipedKinds.Profile when type is "SsoCredentialRefresh" => "a credential refresh",
                PipedKinds.Profile => "a profile",
                PipedKinds.Account => "an account",
                PipedKinds.Role => "a role",
                PipedKinds.Environment => "an environment",
                PipedKinds.Session => "a session",
                PipedKinds.Name => "a name",
                _ => "an object",
            };
            return $"{noun} ({name})";
        }
    }

    /// <summary>The names of the environment; empty where it has none.</summary>
    internal string[] Environments => type is "SsoEnvironment" ? Values("Name") : First("Environment", "EnvironmentName", "Name");

    /// <summary>The names of profiles; empty where it has none.</summary>
    internal string[] Profiles => First("ProfileName", "Profile");

    /// <summary>The account's id with all of its 12 digits; null where it has none.</summary>
    internal string? AccountId => Values("AccountId").FirstOrDefault()?.PadLeft(12, '0');

    /// <summary>The role's name; null where it has none.</summary>
    internal string? RoleName => Values("RoleName").FirstOrDefault();

    /// <summary>The account's name; null where it has none.</summary>
    internal string? AccountName => Values("AccountName").FirstOrDefault();

    /// <summary>The email address of the account; null where it has none.</summary>
    internal string? EmailAddress => Values("EmailAddress").FirstOrDefault();

    /// <summary>Reads what a cmdlet was given; arrays in it are taken apart.</summary>
    internal static IEnumerable<PipedObject> All(IEnumerable<PSObject?> input) => input.SelectMany(item => item switch
    {
        null => [],
        { BaseObject: IEnumerable items and (Array or IList) } => items
            .Cast<object?>()
            .Where(inner => inner is not null)
            .Select(inner => new PipedObject(PSObject.AsPSObject(inner))),
        _ => new[] { new PipedObject(item) },
    });

    private PipedKinds KindOf() => type switch
    {
        "SsoEnvironment" => PipedKinds.Environment,
        "SsoSession" => PipedKinds.Session,
        "SsoProfile" or "SsoCredential" or "SsoProfileResult" or "SsoCredentialRefresh" => PipedKinds.Profile,
        "SsoAccount" => PipedKinds.Account,
        "SsoRole" => PipedKinds.Role,
        _ when Text is not null => PipedKinds.Name,
        _ when Has("ProfileName") || Has("Profile") => PipedKinds.Profile,
        _ when Has("AccountId") => Has("RoleName") ? PipedKinds.Role : PipedKinds.Account,
        _ when Has("Environment") || Has("EnvironmentName") || Has("Name") => PipedKinds.Name,
        _ => PipedKinds.None,
    };

    /// <summary>
    /// The name of a type of the module's, also after Select-Object or on the way back from another process; null for others.
    /// </summary>
    private static string? OwnType(string name)
    {
        while (Prefixes.FirstOrDefault(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            name = name.Substring(found.Length);
        }

        return name.StartsWith(Namespace, StringComparison.Ordinal) ? name.Substring(Namespace.Length) : null;
    }

    private bool Has(string property) => piped.Properties[property] is not null;

    private string[] First(params string[] properties) => properties.Select(Values).FirstOrDefault(values => values.Length > 0) ?? [];

    private string[] Values(string property)
    {
        try
        {
            return piped.Properties[property]?.Value switch
            {
                null => [],
                PSObject { BaseObject: IEnumerable items and not string } => Texts(items),
                IEnumerable items and not string => Texts(items),
                var value => Texts(new[] { value }),
            };
        }
        catch (GetValueException)
        {
            return [];
        }
    }

    private static string[] Texts(IEnumerable values) =>
        values
            .Cast<object?>()
            .Select(value => Convert.ToString(value is PSObject wrapped ? wrapped.BaseObject : value, CultureInfo.InvariantCulture))
            .Where(text => !string.IsNullOrEmpty(text))
            .ToArray()!;
}

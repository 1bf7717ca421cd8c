using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Makes an environment, or changes one; what is not given stays as it is.</summary>
[Cmdlet(VerbsCommon.Set, "SsoEnvironment", SupportsShouldProcess = true)]
[OutputType(typeof(SsoEnvironment))]
public sealed class SetSsoEnvironmentCommand : SsoCmdlet
{
    /// <summary>The environment's name: no blanks, no <c>]</c>, compared without case.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>The access portal's start URL; a new environment needs one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? StartUrl { get; set; }

    /// <summary>The region of the Identity Center instance; a new environment needs one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>The permission set role of every profile that names none.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DefaultRoleName { get; set; }

    /// <summary>The whole new table of profiles: hashtables or objects with Profile, AccountId and, where it differs, RoleName.</summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? Account { get; set; }

    /// <summary>Where access tokens of this environment are kept.</summary>
    [Parameter]
    public SsoTokenCache TokenCache { get; set; }

    /// <summary>Writes the environment as it is now.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Changes the environment; where that is declined, the input is checked all the same.</summary>
    protected override void ProcessRecord()
    {
        var work = new SetEnvironmentWork
        {
            Name = Name,
            StartUrl = StartUrl,
            Region = Region,
            DefaultRoleName = DefaultRoleName,
            Accounts = Account?.Select((row, index) => Row(row, index + 1)).ToArray(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache.ToString() : null,
            CheckOnly = !ShouldProcess(Name, "Set SSO environment"),
        };
        Run(new SsoWork { SetEnvironment = work }, happened =>
        {
            if (PassThru && !work.CheckOnly && happened.Environment is { } environment)
            {
                WriteObject(environment);
            }
        });
    }

    private SsoAccountRow Row(object row, int number)
    {
        string? profile = null;
        string? accountId = null;
        string? roleName = null;
        foreach (var field in Fields(row))
        {
            switch (field.Key.ToUpperInvariant())
            {
                case "PROFILE" or "PROFILENAME":
                    profile ??= Text(field.Value);
                    break;
                case "ACCOUNTID":
                    accountId ??= Text(field.Value);
                    break;
                case "ROLENAME":
                    roleName ??= Text(field.Value);
                    break;
                case "CREDSEXPIRATION":
                    // The old script keeps the end of the credentials here; the credentials file has it now.
                    break;
                default:
                    WriteVerbose($"Row {number} of -Account: '{field.Key}' is not used.");
                    break;
            }
        }

        if (profile is null || accountId is null)
        {
            var missing = profile is not null ? $"(Profile '{profile}') has no AccountId" : accountId is not null ? "has no Profile" : "has no Profile and no AccountId";
            ThrowTerminatingError(SsoErrors.RowInvalid(Name, number, missing).ToRecord());
        }

        return new SsoAccountRow(profile!, accountId!, roleName);
    }

    private static IEnumerable<KeyValuePair<string, object?>> Fields(object row)
    {
        var wrapped = PSObject.AsPSObject(row);
        return wrapped.BaseObject is IDictionary table
            ? table.Cast<DictionaryEntry>().Select(entry => new KeyValuePair<string, object?>(entry.Key.ToString(), entry.Value))
            : wrapped.Properties.Select(property => new KeyValuePair<string, object?>(property.Name, property.Value));
    }

    /// <summary>A value as text, a number with its own digits; null where there is none. An account id without its leading zeros is for the library to refuse.</summary>
    private static string? Text(object? value)
    {
        var text = (value is PSObject wrapped ? wrapped.BaseObject : value) switch
        {
            null => "",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            var other => other.ToString(),
        };
        return string.IsNullOrEmpty(text) ? null : text;
    }
}

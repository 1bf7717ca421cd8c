using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Text;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Stores the environments of copies of the published script, which are read and never run, and of files that Export-SsoEnvironment wrote.
/// </summary>
[Cmdlet(VerbsData.Import, "SsoEnvironment", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(SsoEnvironment))]
public sealed class ImportSsoEnvironmentCommand : StoringCmdlet
{
    private bool isNameTaken;

    /// <summary>Copies of the script, exported files, or folders of scripts; wildcards are resolved.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Path", ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Copies of the script, exported files, or folders of scripts, by their exact paths.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "LiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The environment's name, instead of the one in the file.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string? Name { get; set; }

    /// <summary>Replaces an environment that already exists.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Imports what the paths lead to; a file that cannot be imported does not keep the others from it.</summary>
    protected override void ProcessRecord()
    {
        foreach (var (file, isNamed) in Files())
        {
            try
            {
                foreach (var environment in Read(file, isNamed))
                {
                    Import(environment);
                }
            }
            catch (SsoException error)
            {
                WriteError(error.ToRecord());
            }
        }
    }

    /// <summary>The files, each with whether it was named itself and not found in a folder.</summary>
    private IEnumerable<(string File, bool IsNamed)> Files()
    {
        var patterns = Path.SelectMany(path => Resolved(path, wildcards: true));
        foreach (var path in patterns.Concat(LiteralPath.SelectMany(path => Resolved(path, wildcards: false))))
        {
            if (Directory.Exists(path))
            {
                var files = Directory.GetFiles(path, "*.ps1").OrderBy(file => file, StringComparer.Ordinal).ToArray();
                if (files.Length == 0)
                {
                    WriteError(SsoErrors.NoScripts(path).ToRecord());
                }

                foreach (var file in files)
                {
                    yield return (file, false);
                }
            }
            else
            {
                yield return (path, true);
            }
        }
    }

    private Collection<string> Resolved(string path, bool wildcards)
    {
        try
        {
            return wildcards
                ? GetResolvedProviderPathFromPSPath(path, out _)
                : [GetUnresolvedProviderPathFromPSPath(path)];
        }
        catch (Exception fault) when (fault is ItemNotFoundException or System.Management.Automation.DriveNotFoundException
            or ProviderNotFoundException or PSInvalidOperationException)
        {
            WriteError(SsoErrors.ReadFailed(path, fault).ToRecord());
            return [];
        }
    }

    /// <summary>The environments of a file, complete.</summary>
    private List<SsoEnvironment> Read(string file, bool isNamed)
    {
        CheckIsFile(file);
        return System.IO.Path.GetExtension(file).ToUpperInvariant() switch
        {
            ".PS1" => ReadScript(file, isNamed),
            ".JSON" => ExportedEnvironment.Read(file),
            _ => ReadEnvironments(file),
        };
    }

    private List<SsoEnvironment> ReadEnvironments(string file)
    {
        // The library reads it again; this finds out whether it may.
        ImportedFile.ReadText(file, "EnvironmentInvalid");
        return Environments(new GetEnvironmentWork { StoredOnly = true }, file);
    }

    /// <summary>
    /// Refuses what has no end or waits for somebody, such as a pipe or a device, before it is opened. Only PowerShell's provider knows
    /// what it is.
    /// </summary>
    private void CheckIsFile(string path)
    {
        if (!File.Exists(path))
        {
            throw SsoErrors.ReadFailed(path, new FileNotFoundException("there is no such file"));
        }

        try
        {
            var item = InvokeProvider.Item.Get([path], force: true, literalPath: true).FirstOrDefault();
            if (item?.Properties["LinkTarget"]?.Value is not null
                && item.Methods["ResolveLinkTarget"]?.Invoke(true) is FileSystemInfo target)
            {
                item = InvokeProvider.Item.Get([target.FullName], force: true, literalPath: true).FirstOrDefault();
            }

            // On Windows there is no such property, and no file that is a pipe.
            var status = item?.Properties["UnixStat"]?.Value;
            var kind = status is null ? null : PSObject.AsPSObject(status).Properties["ItemType"]?.Value?.ToString();
            if (kind is not (null or "File"))
            {
                throw SsoErrors.NoFile(path, kind switch
                {
                    "Directory" => "a folder",
                    "NamedPipe" => "a named pipe",
                    "Socket" => "a socket",
                    _ => "a device",
                });
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or RuntimeException)
        {
            throw SsoErrors.ReadFailed(path, fault);
        }
    }

    private List<SsoEnvironment> ReadScript(string file, bool isNamed)
    {
        if (SsoScript.Read(file) is not { } script)
        {
            if (isNamed)
            {
                throw SsoErrors.NoTable(file);
            }

            WriteVerbose($"{file} has no table of accounts.");
            return [];
        }

        var name = Name ?? script.EnvironmentName ?? throw SsoErrors.NotInScript(file, "name of the environment", "$EnvironmentName");
        var startUrl = script.StartUrl ?? throw SsoErrors.NotInScript(file, "start URL", "$StartUrl");
        var region = script.Region ?? throw SsoErrors.NotInScript(file, "region", "$Region");
        foreach (var note in script.Notes)
        {
            WriteWarning(note);
        }

        return
        [
            new SsoEnvironment
            {
                Name = name,
                StartUrl = startUrl,
                Region = region,
                DefaultRoleName = script.DefaultRoleName,
                Profiles = [.. script.Rows],
                Source = file,
            },
        ];
    }

    private void Import(SsoEnvironment found)
    {
        var name = Name ?? found.Name;
        if (Name is not null && isNameTaken)
        {
            throw SsoErrors.OneNameForMany(Name, found.Source);
        }

        isNameTaken = true;
        CheckIsUnicode(found);
        var stored = Find(name, storedOnly: true);
        var differences = stored is null ? $"{Counted(found.Profiles.Length)} of {found.StartUrl}" : Differences(stored, found);
        if (stored is not null && differences.Length == 0)
        {
            WriteVerbose($"{name} is already stored as {found.Source} has it.");
            if (PassThru)
            {
                WriteObject(stored);
            }

            return;
        }

        if (stored is not null && !Force && !IsWhatIf)
        {
            throw SsoErrors.EnvironmentExists(name, found.Source, differences);
        }

        var action = stored is null ? "Import SSO environment" : "Replace SSO environment";
        var work = new SetEnvironmentWork
        {
            Name = name,
            StartUrl = found.StartUrl,
            Region = found.Region,
            DefaultRoleName = found.DefaultRoleName,
            ProfileRegion = found.ProfileRegion,
            ProfileOutput = found.ProfileOutput,
            Sync = found.Sync,
            Accounts = found.Profiles,
            TokenCache = found.TokenCache == SsoTokenCache.AwsCli ? null : found.TokenCache,
            ImportedFrom = found.Source,
            KeepBroken = !Force,
            CheckOnly = !ShouldProcess(ShownText.Of($"{name}: {differences}"), action),
        };
        if (Store(work, isShown: true) is { } environment && PassThru)
        {
            WriteObject(environment);
        }
    }

    /// <summary>Refuses half of a character, which JSON can have as an escape and no file can.</summary>
    private static void CheckIsUnicode(SsoEnvironment found)
    {
        var values = new[] { found.Name, found.StartUrl, found.Region, found.DefaultRoleName, found.ProfileRegion, found.ProfileOutput }
            .Concat(found.Sync is { } sync ? [.. sync.Roles, .. sync.Accounts, .. sync.Exclude, sync.NameTemplate, sync.NamePrefix] : [])
            .Concat(found.Profiles.SelectMany(
                row => new[] { row.Profile, row.AccountId, row.RoleName, row.ProfileRegion, row.ProfileOutput }));
        if (!values.All(IsUnicode))
        {
            const string fault = "a value has half of a character (an unpaired surrogate)";
            throw SsoErrors.RecordInvalid(found.Source, $"the environment {found.Name}", fault);
        }

        static bool IsUnicode(string? value)
        {
            try
            {
                return new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(value ?? "") >= 0;
            }
            catch (EncoderFallbackException)
            {
                return false;
            }
        }
    }

    /// <summary>What an import would change in an environment, as one line; empty where nothing.</summary>
    private static string Differences(SsoEnvironment stored, SsoEnvironment found)
    {
        var differences = new List<string>();
        Compare("start URL", stored.StartUrl, found.StartUrl);
        Compare("region", stored.Region, found.Region);
        if (found.Sync is { } sync && SyncFilters.Of(stored.Sync, sync) is { IsChanged: true } filters)
        {
            differences.Add($"filters of Sync-SsoProfile {(filters.Arguments() is { Length: > 0 } words ? words : "(none)")}");
        }

        var before = stored.Profiles.ToDictionary(row => row.Profile, StringComparer.Ordinal);
        var after = found.Profiles
            .GroupBy(row => row.Profile, StringComparer.Ordinal)
            .ToDictionary(rows => rows.Key, rows => rows.First(), StringComparer.Ordinal);
        List("new", after.Keys.Where(profile => !before.ContainsKey(profile)));
        List("gone", before.Keys.Where(profile => !after.ContainsKey(profile)));
        foreach (var row in stored.Profiles.Where(row => after.ContainsKey(row.Profile)))
        {
            var other = after[row.Profile];
            Compare($"account of {row.Profile}", row.AccountId, other.AccountId);
            Compare($"role of {row.Profile}", row.RoleName, other.RoleName ?? found.DefaultRoleName);
            Compare($"region of {row.Profile}", row.ProfileRegion, other.ProfileRegion ?? found.ProfileRegion ?? stored.ProfileRegion);
            var output = other.ProfileOutput ?? found.ProfileOutput ?? stored.ProfileOutput;
            Compare($"output format of {row.Profile}", row.ProfileOutput, output);
        }

        return string.Join("; ", differences);

        void Compare(string what, string? then, string? now)
        {
            if (!string.Equals(then, now, StringComparison.Ordinal))
            {
                differences.Add($"{what} {now} instead of {then}");
            }
        }

        void List(string what, IEnumerable<string> profiles)
        {
            var names = profiles.ToArray();
            if (names.Length > 0)
            {
                differences.Add($"{what}: {string.Join(", ", names)}");
            }
        }
    }
}

namespace AwsSso.Commands;

/// <summary>What a cmdlet takes from the pipeline.</summary>
/// <param name="kinds">The kinds of objects.</param>
/// <param name="description">The same as a message names it.</param>
internal sealed class PipelineInput(PipedKinds kinds, string description)
{
    /// <summary>What belongs to an environment as a whole.</summary>
    internal static readonly PipelineInput Environments =
        new(PipedKinds.Whole, "names of environments and objects from Get-SsoEnvironment or Get-SsoSession");

    /// <summary>What belongs to an environment, or to some of its profiles.</summary>
    internal static readonly PipelineInput Everything =
        new(PipedKinds.Whole | PipedKinds.Part, "profiles, accounts and roles, environments and their names, and sessions");

    internal PipedKinds Kinds { get; } = kinds;

    internal string Description { get; } = description;

    /// <summary>What a command without input must name, as a message says it; null where no name means everything.</summary>
    internal string? Needed { get; set; }

    /// <summary>Whether text is the name of a profile, as it is where the first parameter takes a profile.</summary>
    internal bool IsTextProfile { get; set; }

    /// <summary>One profile: its name as a parameter, or what has one profile.</summary>
    /// <param name="isNamed">Whether a parameter names the profile, so that only its environment is piped.</param>
    /// <param name="parts">What has one profile, as a message names it.</param>
    internal static PipelineInput OneProfile(bool isNamed, string parts) => isNamed
        ? new(PipedKinds.Whole, Environments.Description) { IsTextProfile = true }
        : new(PipedKinds.Part, parts) { IsTextProfile = true, Needed = "the name of a profile" };
}

using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>
/// Puts the name of a profile on what a script block writes: a property on objects, and a line before text. It is part of a pipeline that
/// <see cref="BlockRun"/> makes, and no command of the module.
/// </summary>
internal sealed class OutputLabel : PSCmdlet
{
    /// <summary>The property that has the profile's name.</summary>
    private const string Property = "SsoProfileName";

    private bool hasHeader;

    /// <summary>What the script block writes.</summary>
    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    /// <summary>The profile's name.</summary>
    [Parameter]
    public string ProfileName { get; set; } = "";

    /// <summary>The line before the text of a profile.</summary>
    internal static PSObject Header(string profile) => On($"== {ShownText.Of(profile)} ==", profile);

    /// <summary>The object with the name of a profile.</summary>
    internal static PSObject On(object item, string profile)
    {
        var labeled = PSObject.AsPSObject(item);
        labeled.Properties.Remove(Property);
        labeled.Properties.Add(new PSNoteProperty(Property, profile));
        return labeled;
    }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
        {
            WriteObject(null);
            return;
        }

        if (InputObject.BaseObject is string && !hasHeader)
        {
            hasHeader = true;
            WriteObject(Header(ProfileName));
        }

        WriteObject(On(InputObject, ProfileName));
    }
}

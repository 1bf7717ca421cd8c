using System.Collections.Generic;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Runs a script block in the pipeline of a cmdlet, with other variables while it runs.</summary>
/// <param name="cmdlet">The cmdlet whose output and errors the block's are.</param>
/// <param name="block">The block; it runs in a scope of its own.</param>
/// <param name="loan">The variables of this process.</param>
internal sealed class BlockRun(Cmdlet cmdlet, ScriptBlock block, VariableLoan loan)
{
    /// <summary>
    /// The pipeline is not redirected where the cmdlet's is not, so programs in the block have the terminal.
    /// </summary>
    private const string Plain = "param($block) & $block";

    private const string Labeled = "param($block, $label, $profile) & $block | & $label -ProfileName $profile";

    /// <summary>Runs the block once; what it throws is thrown, after the variables were restored.</summary>
    /// <param name="profile">The profile; a block that takes input gets it where the output is labeled.</param>
    /// <param name="variables">What is set while the block runs.</param>
    /// <param name="isLabeled">Whether the profile's name is put on what the block writes.</param>
    internal void Run(SsoProfile profile, IEnumerable<(string Name, string? Value)> variables, bool isLabeled)
    {
        loan.Set(variables);
        try
        {
            object[] given = isLabeled ? [block, new CmdletInfo("Add-OutputLabel", typeof(OutputLabel)), profile.ProfileName] : [block];
            using var pipeline = ScriptBlock.Create(isLabeled ? Labeled : Plain).GetSteppablePipeline(CommandOrigin.Internal, given);
            pipeline.Begin(cmdlet);
            if (isLabeled)
            {
                pipeline.Process(profile);
            }
            else
            {
                pipeline.Process();
            }

            pipeline.End();
        }
        finally
        {
            loan.Restore();
        }
    }
}

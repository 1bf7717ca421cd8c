using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>The exit code of the programs that run from now on, without that of an earlier one.</summary>
internal sealed class LastExitCode
{
    private const string Name = "global:LASTEXITCODE";

    private readonly PSVariableIntrinsics variables;
    private readonly object? before;

    internal LastExitCode(PSVariableIntrinsics variables)
    {
        this.variables = variables;
        before = variables.GetValue(Name);
        variables.Set(Name, null);
    }

    /// <summary>The code of the last program where it is not zero; null where that ended well, or where no program ran.</summary>
    internal int? Failure
    {
        get
        {
            var code = variables.GetValue(Name);
            if (code is null)
            {
                variables.Set(Name, before);
            }

            return code is int number && number != 0 ? number : null;
        }
    }
}

using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What the cmdlets for sessions have in common.</summary>
public abstract class SessionCmdlet : EnvironmentCmdlet
{
    private protected SessionCmdlet()
    {
    }

    /// <summary>How the sessions of the environments stand that are meant. Nothing is sent for it.</summary>
    private protected List<SsoSession> Sessions() => Ask(
        names => new SsoWork { GetSession = new GetSessionWork { Environments = names } },
        happened => happened.Session,
        session => session.Environment);

    /// <summary>The environments that are meant and that the user agrees to; where there are none, nothing is to be run, since no name means all.</summary>
    private protected string[] Agreed(string action) =>
        Sessions().Select(session => session.Environment).Where(name => ShouldProcess(name, action)).ToArray();
}

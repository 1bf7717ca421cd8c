// What stands in for Windows PowerShell 5.1 where there is no Windows: a program of .NET Framework's, run by Mono, that loads the module's assembly
// and has it do one whole update. It takes the assembly and the name of an environment, and writes what it is told of.
using System;
using System.IO;
using System.Reflection;

public static class NetFramework
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static Assembly module;

    public static int Main(string[] arguments)
    {
        module = Assembly.LoadFrom(arguments[0]);
        try
        {
            Update(arguments[1]);
            return 0;
        }
        catch (TargetInvocationException reflected)
        {
            Console.WriteLine("{0}: {1}", Get(reflected.InnerException, "Code"), reflected.InnerException.Message);
            return 1;
        }
    }

    private static void Update(string environment)
    {
        var target = With(New("UpdateTarget"), "Environment", environment);
        var targets = Array.CreateInstance(target.GetType(), 1);
        targets.SetValue(target, 0);
        var update = With(New("UpdateWork"), "Targets", targets, "Session", With(New("SessionTerms"), "Login", true), "ThrottleLimit", 16, "ReportProfiles", true);
        var request = New("SsoRequest", With(New("SsoWork"), "Update", update), Directory.GetCurrentDirectory(), false);
        var operations = module.GetType("AwsSso.Native.SsoOperation", true);
        using (var operation = (IDisposable)operations.GetMethod("Start", All).Invoke(null, new[] { request }))
        {
            object happened;
            while ((happened = operations.GetMethod("Next", All).Invoke(operation, null)) != null)
            {
                var profile = Get(happened, "Profile");
                var completed = Get(happened, "Completed");
                if (profile != null)
                {
                    Console.WriteLine("{0} {1} {2}", Get(profile, "ProfileName"), Get(profile, "RoleName"), Get(profile, "Status"));
                }

                if (completed != null)
                {
                    Console.WriteLine("{0}: {1} fetched, {2} failed", Get(completed, "Environment"), Get(completed, "Refreshed"), Get(completed, "Failed"));
                }
            }
        }
    }

    private static object New(string type, params object[] arguments)
    {
        return Activator.CreateInstance(module.GetType("AwsSso.Native." + type, true), All, null, arguments, null);
    }

    private static object Get(object from, string name)
    {
        return from.GetType().GetProperty(name, All).GetValue(from, null);
    }

    private static object With(object target, params object[] members)
    {
        for (var index = 0; index < members.Length; index += 2)
        {
            target.GetType().GetProperty((string)members[index], All).SetValue(target, members[index + 1], null);
        }

        return target;
    }
}

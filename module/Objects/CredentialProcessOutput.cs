using System.IO;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using AwsSso.Native;

namespace AwsSso;

/// <summary>
/// What AWS tools read from a <c>credential_process</c> (AWS SDKs and Tools Reference Guide, "Process credential provider").
/// </summary>
[DataContract]
internal sealed class CredentialProcessOutput(KeysEvent keys)
{
    [DataMember(Order = 0)]
    internal int Version { get; private set; } = 1;

    [DataMember(Order = 1)]
    internal string AccessKeyId { get; private set; } = keys.AccessKeyId;

    [DataMember(Order = 2)]
    internal string SecretAccessKey { get; private set; } = keys.SecretAccessKey;

    [DataMember(Order = 3)]
    internal string SessionToken { get; private set; } = keys.SessionToken;

    [DataMember(Order = 4)]
    internal string Expiration { get; private set; } = keys.Expiration;

    [DataMember(Order = 5)]
    internal string AccountId { get; private set; } = keys.AccountId;

    /// <summary>Gives no secret.</summary>
    /// <returns>What every type with a secret prints.</returns>
    public override string ToString() => "** redacted **";

    /// <summary>The JSON text, in one line.</summary>
    internal string Write()
    {
        using var stream = new MemoryStream();
        new DataContractJsonSerializer(typeof(CredentialProcessOutput)).WriteObject(stream, this);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}

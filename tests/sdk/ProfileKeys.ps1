# What profile_keys.mjs does, with the AWS SDK for .NET.
param([string] $Folder, [Parameter(ValueFromRemainingArguments)] [string[]] $Name)

$ErrorActionPreference = 'Stop'
# The SDK loads the assemblies of its SSO clients by name.
foreach ($assembly in 'AWSSDK.Core', 'AWSSDK.SSOOIDC', 'AWSSDK.SSO') { Add-Type -Path (Join-Path $Folder "$assembly.dll") }
$chain = [Amazon.Runtime.CredentialManagement.CredentialProfileStoreChain]::new()
$found = @{}
foreach ($one in $Name) {
    $credentials = $null
    try { $found[$one] = if ($chain.TryGetAWSCredentials($one, [ref] $credentials)) { $credentials.GetCredentials().AccessKey } else { 'not found' } }
    catch { $found[$one] = "$_" }
}
ConvertTo-Json -Compress $found

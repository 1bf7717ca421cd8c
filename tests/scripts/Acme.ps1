# The set-up of the published script, in its form; what follows the table must never run.
Param( $DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = "https://d-12345abcde.awsapps.com/start/", $EnvironmentName = "Acme" )
Try { $SsoAwsAccounts = (Get-Variable "${EnvironmentName}SsoAwsAccounts" -Scope Global -ErrorAction Stop).Value } Catch { $SsoAwsAccounts = $null }
if (-not $SsoAwsAccounts) { $SsoAwsAccounts = @(
    # The accounts of the company
    @{Profile = "Account1" ; AccountId = "100000000000 "; RoleName = $DefaultRoleName },
    @{Profile = "Account2" ; AccountId = "100000000001"; RoleName = "AWSReadOnlyAccess" }
 )}
for ($i = 0; $i -lt $SsoAwsAccounts.Count; $i++) {
    $SsoAwsAccounts[$i].CredsExpiration = Get-Date
    throw 'This script was run.'
}

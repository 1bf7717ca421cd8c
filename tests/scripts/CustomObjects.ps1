param([string] $DefaultRoleName = "AWSAdministratorAccess", [string] $Region = "eu-central-1", [string] $StartUrl = 'https://d-12345abcde.awsapps.com/start', [string] $EnvironmentName = 'Objects')
$SsoAwsAccounts = @(
    [PSCustomObject]@{ Profile = 'Dev'; AccountId = '100000000000'; RoleName = $DefaultRoleName }
    [PSCustomObject]@{ Profile = 'Test'; AccountId = '100000000001'; RoleName = 'AWSReadOnlyAccess' }
    [ordered]@{ Profile = 'Prod'; AccountId = '100000000002' }
)

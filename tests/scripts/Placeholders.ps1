param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = 'https://d-12345abcde.awsapps.com/start/', $EnvironmentName = 'Unfilled')
$SsoAwsAccounts = @(
    @{ Profile = 'Account1'; AccountId = '100000000000'; RoleName = $DefaultRoleName },
    @{ Profile = '<Account2>'; AccountId = '<123456789012 >'; RoleName = '<AWSReadOnlyAccess>' }
)

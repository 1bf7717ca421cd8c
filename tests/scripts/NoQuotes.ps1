param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = 'https://d-12345abcde.awsapps.com/start/', $EnvironmentName = 'Bare')
$SsoAwsAccounts = @(
    @{ Profile = Account1; AccountId = 012345678901; RoleName = AWSReadOnlyAccess }
    @{ 'Profile' = "Account2"; "AccountId" = 123456789012 }
)

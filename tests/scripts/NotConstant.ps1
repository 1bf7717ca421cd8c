param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = 'https://d-12345abcde.awsapps.com/start/', $EnvironmentName = 'Computed')
$SsoAwsAccounts = @(
    @{ Profile = 'Account1'; AccountId = '100000000000' }
    @{ Profile = 'Account2'; AccountId = (Get-Content accounts.txt)[1] }
)

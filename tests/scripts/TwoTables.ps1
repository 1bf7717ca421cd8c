param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = 'https://d-12345abcde.awsapps.com/start/', $EnvironmentName = 'Two')
$SsoAwsAccounts = @(@{ Profile = 'Account1'; AccountId = '100000000000' })
$Others = @(@{ Profile = 'Account2'; AccountId = '100000000001' })

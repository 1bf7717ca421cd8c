param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $StartUrl = 'https://d-12345abcde.awsapps.com/start/', $EnvironmentName = 'Added')
$SsoAwsAccounts = @()
$SsoAwsAccounts += @{ Profile = 'First'; AccountId = '100000000000'; RoleName = $DefaultRoleName }
$SsoAwsAccounts += @{ Profile = 'Second'; AccountId = '100000000001'; RoleName = $DefaultRoleName }, @{ Profile = 'Third'; AccountId = '100000000002' }
# $SsoAwsAccounts += @{ Profile = 'Left out'; AccountId = '100000000003' }

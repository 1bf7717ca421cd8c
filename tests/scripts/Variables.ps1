param($DefaultRoleName = 'AWSAdministratorAccess', $Region = 'us-west-2', $EnvironmentName = 'Variables')
$Company = 'd-12345abcde'
$StartUrl = "https://$Company.awsapps.com/start/"
$ReadOnly = 'AWSReadOnlyAccess'
$Prefix = 'acme'
[array] $SsoAwsAccounts = @(
    @{ Profile = "$Prefix-dev"; AccountId = '100000000000'; RoleName = $ReadOnly }, # the developers'
    @{ Profile = "${Prefix}-it's"; AccountId = '100000000001'; RoleName = $DefaultRoleName }
    @{ Profile = $Prefix + '-prod'; AccountId = '100000000002'; RoleName = "$($ReadOnly)" }
)

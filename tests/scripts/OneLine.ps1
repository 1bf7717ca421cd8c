param($DefaultRoleName='AWSAdministratorAccess',$Region='us-west-2',$StartUrl='https://d-12345abcde.awsapps.com/start/#/',$EnvironmentName='Line')
$SsoAwsAccounts=@(@{Profile='A';AccountId='100000000000'},@{Profile="B";AccountId="100000000001"};@{profile='C c';accountid='100000000002';rolename='AWSReadOnlyAccess'})

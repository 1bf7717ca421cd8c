# Where files are looked for: the home folder, and paths in variables as users write them.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Credential
}

AfterAll {
    Clear-StandIn
}

Describe 'A path in a variable' {
    It 'has its variables and ~ replaced, those of this PowerShell: <_>' -ForEach '$HOME/work/creds', '${HOME}/work/creds', '~/work/creds', '$WORK/creds', '${WORK}/creds' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service @"
`$env:WORK = '$own/work'
`$env:AWS_SHARED_CREDENTIALS_FILE = '$_'
Update-SsoCredential Acme -PassThru
"@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Status | Should -Be 'Created', 'Created'
        (Get-Credential $own "$own/work/creds").Keys | Should -Be 'Account1', 'Account2'
        Get-ChildItem $own -Directory -Force | Where-Object Name -Match '[$~]' | Should -BeNullOrEmpty
    }

    It 'that has a name without a value is refused by name, and nothing is made: <Variable>, <Value>' -ForEach @(
        @{ Variable = 'AWS_SHARED_CREDENTIALS_FILE'; Value = '$NOWHERE/creds' }
        @{ Variable = 'AWS_SHARED_CREDENTIALS_FILE'; Value = '${NOWHERE}/creds' }
        @{ Variable = 'AWS_SHARED_CREDENTIALS_FILE'; Value = '~no-such-user/creds' }
        @{ Variable = 'AWS_CONFIG_FILE'; Value = '$NOWHERE/config' }
        @{ Variable = 'AWS_SSO_ENVIRONMENTS_FILE'; Value = '$NOWHERE/environments' }
        @{ Variable = 'AWS_CA_BUNDLE'; Value = '$NOWHERE/ca.pem' }
    ) {
        $own = New-UserHome -From $loggedIn
        $folder = New-Item -ItemType Directory "$own/current"
        # A CA bundle counts only where there is TLS.
        $tls = if ($Variable -eq 'AWS_CA_BUNDLE') { "`$env:AWS_ENDPOINT_URL_SSO = 'https://127.0.0.1:9'" }
        $run = Invoke-UserRunspace $own $service "Set-Location '$folder'; `$env:$Variable = '$Value'; $tls; Update-SsoCredential Acme -Force"
        $run.Errors[0].Id | Should -Be 'PathInvalid,AwsSso.Commands.UpdateSsoCredentialCommand'
        $run.Errors[0].Category, $run.Errors[0].Target | Should -Be 'InvalidArgument', $Variable
        $run.Errors[0].Message | Should -Match ([regex]::Escape("The variable $Variable is set to '$Value', and"))
        $run.Errors[0].Action | Should -Match $Variable
        Get-ChildItem $folder -Recurse -Force | Should -BeNullOrEmpty
    }

    It 'never gets a secret put in: <_>' -ForEach 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'DB_PASSWORD' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service "`$env:$_ = 'wJalrXUtnFEMI'; `$env:AWS_SHARED_CREDENTIALS_FILE = '~/`$$_/creds'; Update-SsoCredential Acme -Verbose *>&1 | Out-String; `$Error | Out-String"
        "$($run.Output)" -replace '\s+', ' ' | Should -Match "may hold a secret"
        "$($run.Output) $($run.Text) $($run.ErrorText)" | Should -Not -Match 'wJalr'
        Get-ChildItem $own -Recurse -Force | Where-Object Name -Match 'wJalr' | Should -BeNullOrEmpty
    }

    It 'that a command is given is taken as it is' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service @'
$null = New-Item -ItemType Directory '~/a $HOME and ${X} and ~b'
Set-Location -LiteralPath (Resolve-Path '~/a $HOME and ${X} and ~b')
Export-SsoEnvironment Acme -Path './team $HOME.json'
Export-SsoEnvironment Acme -Path './sso $HOME' -Format Ini
Remove-SsoEnvironment Acme -Confirm:$false
Import-SsoEnvironment './team $HOME.json' -Name Team
(Get-SsoEnvironment).Name
Remove-SsoEnvironment Team -Confirm:$false
Import-SsoEnvironment './sso $HOME' -Name Other
(Get-SsoEnvironment).Name
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Team', 'Other'
    }
}

Describe 'A path of Windows' -Skip:(-not $IsWindows) {
    It 'leads to the same file and the same lock in every spelling: <_>' -ForEach '%USERPROFILE%\work\creds', '%UserProfile%\work\creds', '~\work\creds.', '%USERPROFILE%\work\creds . ' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service "`$env:AWS_SHARED_CREDENTIALS_FILE = '$_'; Update-SsoCredential Acme -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Status | Should -Be 'Created', 'Created'
        (Get-ChildItem "$own/work" -Force).Name | Sort-Object | Should -Be 'creds', 'creds.fetch-acme.lock', 'creds.lock'
        Get-ChildItem $own -Directory -Force | Where-Object Name -Match '[%~]' | Should -BeNullOrEmpty
    }

    It 'NUL is an empty config file, and no place for credentials or environments' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service '$env:AWS_CONFIG_FILE = "NUL"; (Get-SsoEnvironment).Name'
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Acme'
        foreach ($variable in 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_SSO_ENVIRONMENTS_FILE') {
            $run = Invoke-UserRunspace $own $service "`$env:$variable = 'NUL'; Update-SsoCredential Acme -Force"
            $run.Errors[0].Id | Should -Be 'PathInvalid,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Message | Should -Be "The variable $variable is set to 'NUL', which is a device."
        }
    }

    It 'is below HOMEDRIVE and HOMEPATH where USERPROFILE is not set, as in the AWS CLI' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace (New-UserHome) $service "`$env:USERPROFILE = `$null; `$env:HOMEDRIVE = '$($own.Substring(0, 2))'; `$env:HOMEPATH = '$($own.Substring(2))'; (Get-SsoSession Acme).Path"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -BeLike "$own\.aws\sso\cache\*"
    }
}

Describe 'Without HOME, as under systemd and cron' -Skip:$IsWindows {
    BeforeAll {
        # A password database of this test's own.
        $preload = $null
        if ($IsLinux -and (Get-Command gcc -CommandType Application -ErrorAction Ignore)) {
            $folder = New-TestFolder
            Set-Content "$folder/users.c" @'
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
static int found(struct passwd *user, struct passwd **result, int known) {
    char *home = getenv("SSO_TEST_REGISTERED_HOME");
    *result = 0;
    if (home && known) {
        memset(user, 0, sizeof *user);
        user->pw_name = "me"; user->pw_passwd = user->pw_gecos = user->pw_shell = ""; user->pw_dir = home;
        *result = user;
    }
    return 0;
}
int getpwuid_r(uid_t id, struct passwd *user, char *buffer, size_t length, struct passwd **result) { return found(user, result, 1); }
int getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t length, struct passwd **result) { return found(user, result, !strcmp(name, "me")); }
'@
            gcc -shared -fPIC -o "$folder/users.so" "$folder/users.c"
            $preload = "$folder/users.so"
        }

        # Runs a script where the password database has this home folder, or none.
        function Invoke-WithUser([string] $Registered, [string] $Script, [string[]] $Through = @(), [hashtable] $Variable = @{}) {
            $current = New-UserHome
            $users = @{ LD_PRELOAD = $preload }
            if ($Registered) { $users.SSO_TEST_REGISTERED_HOME = $Registered }
            $run = Invoke-UserPowerShell $current $service $Script ($Variable + $users) $Through
            # Nothing is made in the folder where the command ran.
            Get-ChildItem "$current/.aws" -Force -ErrorAction Ignore | Should -BeNullOrEmpty
            $run
        }
    }

    It 'everything is in the home folder of the password database: <Name>' -ForEach @(
        @{ Name = 'HOME was never set'; Through = @('env', '-u', 'HOME'); Script = '' }
        @{ Name = 'HOME is empty'; Through = @('env', 'HOME='); Script = '' }
        @{ Name = 'HOME is removed in this PowerShell'; Through = @(); Script = '$env:HOME = $null; ' }
    ) {
        if (-not $preload) { Set-ItResult -Skipped -Because 'a password database of its own is made with gcc, for Linux'; return }
        $own = New-UserHome -From $loggedIn
        Remove-Item (Get-AwsPath $own credentials)
        $run = Invoke-WithUser $own ($Script + 'Update-SsoCredential Acme -PassThru; (Get-SsoSession Acme).Path') $Through
        $run.Errors | Should -BeNullOrEmpty
        ($run.Output | Where-Object Status).Status | Should -Be 'Created', 'Created'
        $run.Output[-1] | Should -BeLike "$own/.aws/sso/cache/*"
        (Get-Credential $own).Keys | Should -Be 'Account1', 'Account2'
    }

    It 'takes ~name for the home folder of that user' {
        if (-not $preload) { Set-ItResult -Skipped -Because 'a password database of its own is made with gcc, for Linux'; return }
        $own = New-UserHome -From $loggedIn
        $run = Invoke-WithUser $own '$env:AWS_SHARED_CREDENTIALS_FILE = "~me/creds"; Update-SsoCredential Acme -PassThru' 'env', '-u', 'HOME'
        $run.Errors | Should -BeNullOrEmpty
        (Get-Credential $own "$own/creds").Keys | Should -Be 'Account1', 'Account2'
    }

    It 'says so where that has none either, in the words of this system' {
        if (-not $preload) { Set-ItResult -Skipped -Because 'a password database of its own is made with gcc, for Linux'; return }
        $run = Invoke-WithUser '' 'Update-SsoCredential Acme' 'env', '-u', 'HOME'
        $run.Errors[0].Id | Should -Be 'ReadFailed,AwsSso.Commands.UpdateSsoCredentialCommand'
        "$($run.Errors[0].Message) $($run.Errors[0].Action)" | Should -Match 'HOME is not set'
        "$($run.Errors[0].Message) $($run.Errors[0].Action)" | Should -Not -Match 'USERPROFILE'
    }
}

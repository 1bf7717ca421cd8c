# What is written is read back by real AWS code: boto3 and botocore from PyPI, in a virtual environment that is thrown away with the tests.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    $environment = New-PythonEnvironment boto3
    $python, $missing = $environment.Python, $environment.Missing

    # Runs a Python script as the user of the home folder; what it prints as JSON comes back. It must never print a secret.
    function Invoke-Python([string] $UserHome, [object] $StandIn, [string] $Script) {
        $file = Join-Path (New-TestFolder) script.py
        [IO.File]::WriteAllText($file, $Script)
        $run = Wait-UserProgram (Start-UserProgram $python, $file (Get-UserVariable $UserHome $StandIn @{ AWS_EC2_METADATA_DISABLED = 'true' }))
        if ($run.ExitCode -ne 0) { throw "Python ended with $($run.ExitCode): $($run.ErrorText)" }
        $run.Text | ConvertFrom-Json
    }

    function Test-Python {
        if ($missing) { Set-ItResult -Skipped -Because $missing }
        -not $missing
    }

    $service = Start-StandIn '--approve-after-polls', '0'

    # Keys among a user's own lines; the token has the name of its start URL.
    $plain = New-UserHome
    Add-AwsText $plain credentials "# my own`n[default]`nregion = us-west-2`ns3 =`n    max_concurrent_requests = 4`n`n[Account3]`naws_security_token = stale`n"
    Add-Environment $plain $service Acme
    $plainRun = Invoke-UserRunspace $plain $service 'Update-SsoCredential Acme -NoBrowser'

    # The token has the name of a session of the AWS CLI, and a profile uses it as the AWS CLI does.
    $session = New-UserHome
    Add-AwsText $session config "[sso-session my-sso]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`nsso_registration_scopes = sso:account:access`n`n"
    Add-AwsText $session config "[profile cli]`nregion = us-west-2`nsso_session = my-sso`nsso_account_id = $(Get-AccountId 5)`nsso_role_name = AWSReadOnlyAccess`n"
    Add-Environment $session $service Acme -Count 2
    $sessionRun = Invoke-UserRunspace $session $service 'Update-SsoCredential Acme -NoBrowser'
}

AfterAll {
    Clear-StandIn
}

Describe 'The credentials file' {
    BeforeAll {
        if ($python) {
            $read = Invoke-Python $plain $service @'
import configparser, json, os, re
import boto3

path = os.path.expanduser('~/.aws/credentials')
parser = configparser.RawConfigParser()
parser.read([path])

# By hand, so that boto3 is not compared with itself.
sections, current = {}, {}
for line in open(path, encoding='utf-8'):
    if header := re.match(r'\[(.+)\]$', line.strip()):
        current = sections.setdefault(header[1], {})
    elif setting := re.match(r'(\S+) = (.*)$', line.rstrip('\n')):
        current[setting[1]] = setting[2]

profiles = []
for name in boto3.Session().available_profiles:
    if name == 'default':
        continue
    found = boto3.Session(profile_name=name).get_credentials()
    frozen = found.get_frozen_credentials()
    wanted = sections[name]
    profiles.append({
        'name': name,
        'same': [frozen.access_key, frozen.secret_key, frozen.token]
                == [wanted['aws_access_key_id'], wanted['aws_secret_access_key'], wanted['aws_session_token']],
        'account': frozen.account_id,
        'method': found.method,
    })
print(json.dumps({'profiles': profiles, 'sections': parser.sections(), 'region': parser['default']['region'], 's3': parser['default']['s3'].strip()}))
'@
        }
    }

    It 'gives boto3 the keys of every profile, and its account' {
        $plainRun.Errors | Should -BeNullOrEmpty
        if (Test-Python) {
            $read.profiles.name | Sort-Object | Should -Be (1..20 | ForEach-Object { "Account$_" } | Sort-Object)
            foreach ($number in 1..20) {
                $found = $read.profiles | Where-Object name -EQ "Account$number"
                $found.same | Should -BeTrue
                $found.account | Should -Be (Get-AccountId $number)
                $found.method | Should -Be 'shared-credentials-file'
            }
        }
    }

    It 'is one that configparser reads, with the lines of its owner' {
        if (Test-Python) {
            $read.sections.Count | Should -Be 21
            $read.region | Should -Be 'us-west-2'
            $read.s3 | Should -Be 'max_concurrent_requests = 4'
        }
    }
}

Describe 'The token cache' {
    It 'is one that the SSO token loader of botocore takes, under the start URL and under the name of a session' {
        $sessionRun.Errors | Should -BeNullOrEmpty
        if (Test-Python) {
            $script = @'
import datetime, json, os
from botocore.utils import JSONFileCache, SSOTokenLoader
from dateutil.parser import parse

token = SSOTokenLoader(cache=JSONFileCache(os.path.expanduser('~/.aws/sso/cache')))(START_URL, session_name=SESSION)
print(json.dumps({'keys': sorted(token), 'hours': round((parse(token['expiresAt']) - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600)}))
'@
            foreach ($case in @{ UserHome = $plain; Session = 'None' }, @{ UserHome = $session; Session = "'my-sso'" }) {
                $token = Invoke-Python $case.UserHome $service $script.Replace('START_URL', "'$($service.StartUrl)'").Replace('SESSION', $case.Session)
                $token.keys | Should -Be 'accessToken', 'clientId', 'clientSecret', 'expiresAt', 'refreshToken', 'region', 'registrationExpiresAt', 'startUrl'
                $token.hours | Should -Be 8
            }
        }
    }

    It 'lets boto3 fetch role credentials for an SSO profile without a login' {
        if (Test-Python) {
            $before = Get-StandInStats $service
            $found = Invoke-Python $session $service @'
import json
import boto3
found = boto3.Session(profile_name='cli').get_credentials()
frozen = found.get_frozen_credentials()
print(json.dumps({'method': found.method, 'account': frozen.account_id, 'complete': bool(frozen.access_key and frozen.secret_key and frozen.token)}))
'@
            $found.method | Should -Be 'sso'
            $found.account | Should -Be (Get-AccountId 5)
            $found.complete | Should -BeTrue
            $after = Get-StandInStats $service
            $after.requests.GetRoleCredentials - $before.requests.GetRoleCredentials | Should -Be 1
            $after.device_authorizations | Should -Be $before.device_authorizations
        }
    }

    It 'is refreshed by botocore, and the next run uses what botocore wrote' {
        if (Test-Python) {
            # The token of the cache is as good as over, and the service would refuse it.
            Set-StandIn $service @{ expire_tokens = $true }
            $before = Get-StandInStats $service
            $refreshed = Invoke-Python $session $service @'
import datetime, json, os
import botocore.session
from botocore.tokens import SSOTokenProvider

# The SHA-1 of my-sso.
path = os.path.expanduser('~/.aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json')
with open(path) as file:
    old = json.load(file)
soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
with open(path, 'w') as file:
    json.dump({**old, 'expiresAt': soon.strftime('%Y-%m-%dT%H:%M:%SZ')}, file)

token = SSOTokenProvider(botocore.session.Session(profile='cli'), profile_name='cli').load_token().get_frozen_token()
with open(path) as file:
    new = json.load(file)
print(json.dumps({
    'used': token.token == new['accessToken'],
    'renewed': new['accessToken'] != old['accessToken'],
    'rotated': new['refreshToken'] != old['refreshToken'],
}))
'@
            $refreshed.used, $refreshed.renewed, $refreshed.rotated | Should -Be $true, $true, $true
            (Get-StandInStats $service).refreshes - $before.refreshes | Should -Be 1

            $run = Invoke-UserRunspace $session $service 'Update-SsoCredential Acme -Force -NoLogin -PassThru'
            $run.Errors | Should -BeNullOrEmpty
            $run.Output.Status | Should -Be 'Refreshed', 'Refreshed'
            $after = Get-StandInStats $service
            $after.refreshes - $before.refreshes | Should -Be 1
            $after.device_authorizations | Should -Be $before.device_authorizations
        }
    }

    It 'that botocore has rotated can be refreshed again by the next run' {
        if (Test-Python) {
            $before = Get-StandInStats $service
            $file = Get-AwsPath $session sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json
            $soon = [DateTime]::UtcNow.AddMinutes(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [cultureinfo]::InvariantCulture)
            Set-Content $file ((Get-Content -Raw $file) -replace '(?<="expiresAt": ")[^"]+', $soon) -NoNewline
            $run = Invoke-UserRunspace $session $service 'Update-SsoCredential Acme -Force -NoLogin -PassThru'
            $run.Errors | Should -BeNullOrEmpty
            $run.Output.Status | Should -Be 'Refreshed', 'Refreshed'
            (Get-StandInStats $service).refreshes - $before.refreshes | Should -Be 1
        }
    }
}

Describe 'The folder of the token cache' {
    It 'can be read by a tool that takes each of its files for a JSON object, as aws2-wrap does, and by botocore after a refused refresh' {
        if (-not (Test-Python)) { return }
        $own = New-UserHome
        Add-Environment $own $service Acme -Count 1
        $null = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -NoBrowser'
        $read = Invoke-Python $own $service @'
import hashlib, json, os
from botocore.utils import JSONFileCache, SSOTokenLoader

folder = os.path.expanduser('~/.aws/sso/cache')
blobs = [json.load(open(os.path.join(folder, name), encoding='utf-8')) for name in os.listdir(folder)]
token = next(blob for blob in blobs if 'accessToken' in blob)
path = os.path.join(folder, hashlib.sha1(token['startUrl'].encode()).hexdigest() + '.json')
token['x_refresh_token_refused'] = hashlib.sha1(token['refreshToken'].encode()).hexdigest()
json.dump(token, open(path, 'w'))
loaded = SSOTokenLoader(cache=JSONFileCache(folder))(token['startUrl'])
print(json.dumps({'objects': all(isinstance(blob, dict) for blob in blobs), 'files': len(blobs), 'same': loaded['accessToken'] == token['accessToken']}))
'@
        $read.objects | Should -BeTrue
        $read.files | Should -Be 2
        $read.same | Should -BeTrue
    }
}

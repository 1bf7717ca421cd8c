# What a user sees of a login where there is no browser, and of one by PKCE in a real browser.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '2', '--approve-after-polls', '0'

    function New-Home {
        $path = New-UserHome
        Add-Environment $path $service Acme -Count 2
        $path
    }

    # The QR code in what a user saw, in half blocks or in ASCII, as a bitmap: what is drawn is white.
    function ConvertTo-Bitmap([string] $Text) {
        $blocks = "$([char] 0x2588)$([char] 0x2580)$([char] 0x2584) "
        $lines = @($Text -split "`n" | Where-Object { $_.Length -gt 20 -and (-not $_.Trim($blocks) -or -not $_.Trim('# ')) })
        $scale = 8
        $modules = foreach ($line in $lines) {
            if ($line.Contains('#')) {
                # Two columns for a module, since a character is twice as high as it is wide.
                -join ($line -split '(..)' | Where-Object { $_ } | ForEach-Object { if ($_ -eq '##') { '0' } else { '1' } })
            }
            else {
                foreach ($half in 0x2580, 0x2584) { -join ($line.ToCharArray() | ForEach-Object { if ([int] $_ -in 0x2588, $half) { '0' } else { '1' } }) }
            }
        }
        $rows = foreach ($row in $modules) { @(-join ($row.ToCharArray() | ForEach-Object { "$_" * $scale })) * $scale }
        "P1`n$($rows[0].Length) $(@($rows).Count)`n$($rows -join "`n")`n"
    }

    # What a phone reads from the QR code that a user saw; nothing, with the test skipped, if there is no zbarimg.
    function Read-QrCode([string] $Text) {
        if (-not (Get-Command zbarimg -CommandType Application -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'zbarimg is not installed'
            return
        }

        $image = Join-Path (New-TestFolder) 'code.pbm'
        [IO.File]::WriteAllText($image, (ConvertTo-Bitmap $Text))
        & zbarimg --quiet --raw --oneshot $image 2>$null
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'A login without a browser' {
    It 'shows address, code and a QR code of exactly that address: <Where>' -TestCases @(
        @{ Where = 'over SSH'; Variable = @{ SSH_CONNECTION = '192.0.2.1 50000 192.0.2.2 22'; DISPLAY = ':0' } }
        @{ Where = 'in WSL'; Variable = @{ WSL_DISTRO_NAME = 'Debian'; DISPLAY = ':0' } }
        @{ Where = 'in a container'; Variable = @{ CODESPACES = 'true'; DISPLAY = ':0' } }
    ) {
        $result = Invoke-UserPowerShell (New-Home) $service 'Connect-SsoSession Acme -Verbose' $Variable
        $result.Errors | Should -BeNullOrEmpty
        $shown = [regex]::Match($result.Text, '(?s)Log in to Acme \(d-12345abcde\.awsapps\.com\): open\r?\n  (http://127\.0\.0\.1:\d+/device\?user_code=([A-Z]{4}-[A-Z]{4}))\r?\nor scan:\r?\n.*\nCheck that the page shows \2, then allow it\. Valid until \d\d:\d\d; Ctrl\+C cancels\.')
        $shown.Success | Should -BeTrue -Because $result.Text
        $url = $shown.Groups[1].Value
        $result.Text -replace '\r?\n', ' ' | Should -Match "no browser is opened because PowerShell runs $Where"
        @($result.Text -split "`n" | Where-Object { $_ -match "^[\u2580\u2584\u2588 ]{20,}$" -and $_.Length -gt 80 }) | Should -BeNullOrEmpty
        Read-QrCode $result.Text | Should -Be $url
    }

    It 'draws the QR code with plain characters where the console has no half blocks' {
        # The lines are those of the records, since what the console writes is in its encoding.
        $result = Invoke-UserPowerShell (New-Home) $service @'
            $before = [Console]::OutputEncoding
            foreach ($name in 'us-ascii', 'iso-8859-1', 'windows-1252', 'ibm437', 'ibm850', 'utf-8') {
                [Console]::OutputEncoding = [Text.Encoding]::GetEncoding($name)
                Connect-SsoSession Acme -NoBrowser -InformationVariable said 6> $null
                [pscustomobject] @{ Encoding = $name; Lines = [string[]] $said.MessageData }
                Disconnect-SsoSession Acme -Confirm:$false
            }
            [Console]::OutputEncoding = $before
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output.Count | Should -Be 6
        foreach ($login in $result.Output) {
            $allowed = if ($login.Encoding -in 'us-ascii', 'iso-8859-1', 'windows-1252') { '# ' } else { "$([char] 0x2588)$([char] 0x2580)$([char] 0x2584) " }
            $caption, $check = 'or scan:', 'Check that' | ForEach-Object { $start = $_; [Array]::FindIndex([string[]] $login.Lines, [Predicate[string]] { $args[0].StartsWith($start) }) }
            $rows = $login.Lines[($caption + 1)..($check - 1)]
            $rows.Trim($allowed) | Where-Object { $_ } | Should -BeNullOrEmpty -Because $login.Encoding
            $rows | Where-Object Length -NE $rows[0].Length | Should -BeNullOrEmpty -Because $login.Encoding
            $rows[0].Length | Should -BeLessOrEqual 80
            Read-QrCode ($rows -join "`n") | Should -Be $login.Lines[$caption - 1].Trim() -Because $login.Encoding
        }
    }

    It 'shows no QR code with -NoQrCode' {
        $result = Invoke-UserPowerShell (New-Home) $service 'Connect-SsoSession Acme -NoBrowser -NoQrCode'
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match 'Log in to Acme \(d-12345abcde\.awsapps\.com\): open'
        $result.Text | Should -Not -Match 'or scan'
        $result.Text | Should -Not -Match '\u2588'
    }

    It 'draws the QR code in colours of its own' {
        $result = Invoke-UserPowerShell (New-Home) $service @'
            Connect-SsoSession Acme -NoBrowser -InformationVariable said 6> $null
            $said.MessageData | Where-Object { "$_".StartsWith([char] 0x2588) } | ForEach-Object { "$($_.ForegroundColor) on $($_.BackgroundColor)" } | Select-Object -Unique
'@
        $result.Output | Should -Be 'White on Black'
    }

    It 'falls back to the code where a login by PKCE could not come back, and says so' {
        $result = Invoke-UserPowerShell (New-Home) $service 'Update-SsoCredential Acme -LoginMethod Pkce -Quiet -NoQrCode' @{ SSH_TTY = '/dev/pts/0' }
        $result.Errors | Should -BeNullOrEmpty
        $result.Text -replace '\r?\n', ' ' | Should -Match "WARNING: Acme: the browser cannot return to this computer because PowerShell runs over SSH; using a device code instead\."
        $result.Text | Should -Match 'Check that the page shows [A-Z]{4}-[A-Z]{4}, then allow it'
    }
}

Describe 'A browser that the user names' -Skip:($IsWindows) {
    It 'is started by a quoted path with its arguments: <Line>' -TestCases @(
        @{ Line = '"PATH" --profile ''a b'' --app=%s'; Expected = '--profile|a b|--app=URL' }
        @{ Line = '''PATH'' -P work'; Expected = '-P|work|URL' }
        @{ Line = 'PATH'; Expected = 'URL' }
    ) {
        $folder = New-TestFolder
        $browser = Join-Path $folder 'my browser'
        # The list is there at once and as a whole.
        [IO.File]::WriteAllText($browser, "#!/bin/sh`nfor word; do printf '%s|' `"`$word`"; done > '$folder/part' && mv '$folder/part' '$folder/words'`n")
        & chmod +x $browser
        $result = Invoke-UserPowerShell (New-Home) $service 'Connect-SsoSession Acme' @{ AWS_SSO_BROWSER = $Line.Replace('PATH', $browser); SSH_TTY = '/dev/pts/0' }
        $result.Errors | Should -BeNullOrEmpty
        $url = [regex]::Match($result.Text, 'http://127\.0\.0\.1:\d+/device\?user_code=[A-Z]{4}-[A-Z]{4}').Value
        for ($try = 0; $try -lt 600 -and -not (Test-Path "$folder/words"); $try++) { Start-Sleep -Milliseconds 50 }
        [IO.File]::ReadAllText("$folder/words").TrimEnd('|') | Should -Be $Expected.Replace('URL', $url)
    }
}

Describe 'A login by PKCE' -Skip:(-not $IsLinux) {
    BeforeAll {
        # A browser of the user's that leaves what it shows in the end in a file.
        function New-Browser {
            $path = Join-Path (New-TestFolder) 'browser'
            [IO.File]::WriteAllText($path, "#!/bin/sh`nexec chromium --headless --no-sandbox --disable-gpu --user-data-dir='$path.data' --dump-dom `"`$1`" > '$path.html' 2> '$path.log'`n")
            & chmod +x $path
            $path
        }

        function Test-Chromium {
            $found = Get-Command chromium -CommandType Application -ErrorAction Ignore
            if (-not $found) { Set-ItResult -Skipped -Because 'chromium is not installed' }
            [bool] $found
        }

        function Wait-Page([string] $Browser) {
            for ($try = 0; $try -lt 200 -and -not ((Test-Path "$Browser.html") -and (Get-Item "$Browser.html").Length); $try++) { Start-Sleep -Milliseconds 50 }
            Get-Content -Raw "$Browser.html"
        }
    }

    It 'is made in a real browser, which says that its window can be closed' {
        if (-not (Test-Chromium)) { return }
        $browser = New-Browser
        $userHome = New-Home
        $before = Get-StandInStats $service
        $result = Invoke-UserPowerShell $userHome $service 'Update-SsoCredential Acme -LoginMethod Pkce -Timeout 60' @{ AWS_SSO_BROWSER = $browser; BROWSER = '/nonexistent'; SSH_TTY = '/dev/pts/0' }
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match 'Log in to Acme \(d-12345abcde\.awsapps\.com\): your browser opens now\. If it does not, open\r?\n  http://127\.0\.0\.1:\d+/authorize\?response_type=code&\S+\r?\nAllow access on that page\. Valid until \d\d:\d\d; Ctrl\+C cancels\.'
        $result.Text | Should -Match 'Acme: 2 profiles fresh until ([\d-]+ )?\d\d:\d\d'
        Wait-Page $browser | Should -Match 'You are logged in to Acme\. You can close this window and go back to PowerShell\.'
        $after = Get-StandInStats $service
        $after.device_authorizations | Should -Be $before.device_authorizations
        $after.violations | Should -BeNullOrEmpty
        (Get-Credential $userHome).Keys | Sort-Object | Should -Be 'Account1', 'Account2'
    }

    It 'that is declined in a real browser is said on both sides' {
        if (-not (Test-Chromium)) { return }
        $denying = Start-StandIn '--deny'
        $browser = New-Browser
        $userHome = New-UserHome
        Add-Environment $userHome $denying Acme -Count 1
        $result = Invoke-UserPowerShell $userHome $denying 'Connect-SsoSession Acme -LoginMethod Pkce -Timeout 60' @{ AWS_SSO_BROWSER = $browser }
        $result.Errors.Id | Should -Be 'LoginDeclined,AwsSso.Commands.ConnectSsoSessionCommand'
        Wait-Page $browser | Should -Match 'You are not logged in to Acme\. You can close this window'
    }
}

# Packs the module for the PowerShell Gallery, and publishes it.

# Every platform that a released package has a library for.
$platforms = 'linux-arm64', 'linux-x64', 'osx-arm64', 'osx-x64', 'win-arm64', 'win-x64'

# Writes a zip whose bytes depend on its entries and the time only: sorted, with the rights of plain files.
function Write-Zip([string] $Path, [hashtable] $Entry, [DateTimeOffset] $Time) {
    $names = [string[]] $Entry.Keys
    [Array]::Sort($names, [StringComparer]::Ordinal)
    $zip = [IO.Compression.ZipArchive]::new([IO.File]::Create($Path), 'Create')
    try {
        foreach ($name in $names) {
            $item = $zip.CreateEntry($name, 'SmallestSize')
            $item.LastWriteTime = $Time
            $item.ExternalAttributes = 0x81A4 -shl 16
            $stream = $item.Open()
            $stream.Write($Entry[$name])
            $stream.Dispose()
        }
    }
    finally { $zip.Dispose() }
}

# A gallery package's entries, less what its maker put in of the moment and of the machine: a name by chance, the order of a folder, a system.
function Read-Package([string] $Path) {
    $entries = @{}
    $zip = [IO.Compression.ZipFile]::OpenRead($Path)
    try {
        foreach ($item in $zip.Entries) {
            $bytes = [IO.MemoryStream]::new()
            $stream = $item.Open()
            $stream.CopyTo($bytes)
            $stream.Dispose()
            $entries[$item.FullName] = $bytes.ToArray()
        }
    }
    finally { $zip.Dispose() }
    $utf8 = [Text.UTF8Encoding]::new($false)
    $chosen = "$($entries.Keys | Where-Object { $_ -like '*.psmdcp' })"
    $fixed = 'package/services/metadata/core-properties/properties.psmdcp'
    $properties = $utf8.GetString($entries[$chosen]) -replace '(?<=<lastModifiedBy>)[^<]*', 'Compress-PSResource'
    $entries.Remove($chosen)
    $entries[$fixed] = $utf8.GetBytes($properties)
    $relationships = $utf8.GetString($entries['_rels/.rels']).Replace($chosen, $fixed) -replace "(?<=$fixed`" Id=`")[^`"]*", 'R1'
    $entries['_rels/.rels'] = $utf8.GetBytes($relationships)
    # The kinds of files, in the order in which a folder gave them.
    $types = '[Content_Types].xml'
    $kinds = [regex] '(?m)^ *<(Default|Override) .*/>\r?\n'
    $text = $utf8.GetString($entries[$types])
    $sorted = [string[]] $kinds.Matches($text).Value
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    $entries[$types] = $utf8.GetBytes($kinds.Replace($text, '').Replace('</Types>', "$(-join $sorted)</Types>"))
    $entries
}

# When the commit was made, since packages of one commit are to be equal.
function Get-CommitTime {
    $seconds = $env:SOURCE_DATE_EPOCH
    if (-not $seconds -and (Get-Command git -CommandType Application -ErrorAction Ignore)) { $seconds = git log -1 --format=%ct 2>$null }
    # A zip knows no time before 1980.
    [DateTimeOffset]::FromUnixTimeSeconds([Math]::Max([long] $seconds, 315532800))
}

# The manifest is the one place for it.
function Get-Version {
    (Import-PowerShellDataFile "$root/Set-AwsCliSsoCredentials.psd1").ModuleVersion
}

function Get-PackagePath {
    "out/Set-AwsCliSsoCredentials.$(Get-Version).nupkg"
}

# Adds the address of the repository, which the source does not know, to the manifest of a package.
function Set-ProjectUri([string] $Manifest, [string] $Uri) {
    $text = [IO.File]::ReadAllText($Manifest)
    [IO.File]::WriteAllText($Manifest, ($text -replace '(?m)^( +)LicenseUri', "`$1ProjectUri   = '$Uri'`n`$1LicenseUri"))
}

function Invoke-Pack([switch] $Full) {
    if ($env:PROJECT_URI -and $env:PROJECT_URI -notmatch '^https://[\w.:/~-]+$') { throw "PROJECT_URI is not an https URL: $env:PROJECT_URI." }
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    if (-not (Get-Command Compress-PSResource -ErrorAction Ignore)) {
        throw 'Compress-PSResource was not found: use PowerShell 7.5 or later, or run Install-PSResource Microsoft.PowerShell.PSResourceGet.'
    }
    if ($IsLinux -and -not (Test-Zig)) {
        throw "cargo-zigbuild was not found on the PATH: it makes the library for glibc $glibc and later, not only for this machine's; run pip install cargo-zigbuild."
    }
    Invoke-Build
    $missing = $platforms | Where-Object { -not (Test-Path (Get-Library $_)) }
    if ($Full -and $missing) {
        throw "There is no library for $($missing -join ', '): run ./build.ps1 on each of them, and bring its folder in bin/ here."
    }
    $stage = 'target/pack/Set-AwsCliSsoCredentials'
    Remove-Item target/pack -Recurse -Force -ErrorAction Ignore
    $files = @('Set-AwsCliSsoCredentials.psd1', 'LICENSE', 'THIRD-PARTY-NOTICES.txt', 'module/AwsSso.Format.ps1xml', 'bin/AwsSso.dll') +
        @(Get-ChildItem en-US -File | ForEach-Object { "en-US/$($_.Name)" }) + @($platforms | Where-Object { $_ -notin $missing } | ForEach-Object { Get-Library $_ })
    foreach ($file in $files) { Copy-Whole $file "$stage/$file" }
    if ($env:PROJECT_URI) { Set-ProjectUri "$PWD/$stage/Set-AwsCliSsoCredentials.psd1" $env:PROJECT_URI }
    $package, $version, $time = (Get-PackagePath), (Get-Version), (Get-CommitTime)
    $zip = $package -replace 'nupkg$', 'zip'
    $null = New-Item -ItemType Directory -Force out
    Compress-PSResource -Path (Convert-Path $stage) -DestinationPath (Convert-Path target/pack)
    Write-Zip "$PWD/$package" (Read-Package "$PWD/target/pack/$(Split-Path -Leaf $package)") $time
    $entries = @{}
    # So that it can be unpacked right into a folder of modules.
    foreach ($file in $files) { $entries["Set-AwsCliSsoCredentials/$version/$file"] = [IO.File]::ReadAllBytes("$PWD/$stage/$file") }
    Write-Zip "$PWD/$zip" $entries $time
    foreach ($file in $files | Sort-Object) { Write-Host ('{0,12:n0}  {1}' -f (Get-Item "$stage/$file").Length, $file) }
    foreach ($made in $package, $zip) { Write-Host ('{0,12:n0}  {1}  sha256 {2}' -f (Get-Item $made).Length, $made, (Get-FileHash $made).Hash.ToLowerInvariant()) }
    if ($missing) { Write-Host "Without a library for $($missing -join ', ')." }
}

function Invoke-Publish([string] $Repository) {
    $package = Get-PackagePath
    if (-not (Test-Path $package)) { throw "There is no ${package}: make it with ./build.ps1 Pack -Full." }
    Assert-Tool git 'the package of a tag is published, and git knows whether this is one.'
    $tag = "v$(Get-Version)"
    if ($tag -notin @(git tag --points-at HEAD)) { throw "What is checked out is not the tag ${tag}: a version is published from its tag." }
    Publish-PSResource -NupkgPath (Convert-Path $package) -Repository $Repository -ApiKey $env:PSGALLERY_API_KEY
}

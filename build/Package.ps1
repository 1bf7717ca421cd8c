# Packs the module for the PowerShell Gallery, and publishes it.

# The platforms of a released package.
$platforms = 'linux-arm64', 'linux-x64', 'osx-arm64', 'osx-x64', 'win-arm64', 'win-x64'

# The platforms whose libraries zig links on Linux, with their targets of Rust and the file names that cargo gives. A library for macOS needs Apple's SDK.
$zigPlatforms = @{
    'linux-arm64' = @{ Target = 'aarch64-unknown-linux-gnu'; Built = 'libaws_sso.so' }
    'linux-x64'   = @{ Target = 'x86_64-unknown-linux-gnu'; Built = 'libaws_sso.so' }
    'win-arm64'   = @{ Target = 'aarch64-pc-windows-gnullvm'; Built = 'aws_sso.dll' }
    'win-x64'     = @{ Target = 'x86_64-pc-windows-gnu'; Built = 'aws_sso.dll' }
}

# Writes a zip file whose bytes depend only on its entries and the time: sorted, with the permissions of plain files.
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

# The entries of a package, without what depends on the moment and the machine: a random name, the order of a folder, the operating system.
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
    # The content types are in the order of a folder listing.
    $types = '[Content_Types].xml'
    $kinds = [regex] '(?m)^ *<(Default|Override) .*/>\r?\n'
    $text = $utf8.GetString($entries[$types])
    $sorted = [string[]] $kinds.Matches($text).Value
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    $entries[$types] = $utf8.GetBytes($kinds.Replace($text, '').Replace('</Types>', "$(-join $sorted)</Types>"))
    $entries
}

# The time of the commit, since packages of the same commit must be identical.
function Get-CommitTime {
    $seconds = $env:SOURCE_DATE_EPOCH
    if (-not $seconds -and (Get-Command git -CommandType Application -ErrorAction Ignore)) { $seconds = git log -1 --format=%ct 2>$null }
    # A zip file cannot store a time before 1980.
    [DateTimeOffset]::FromUnixTimeSeconds([Math]::Max([long] $seconds, 315532800))
}

# The version in the manifest.
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

# The files of a package with the libraries of these platforms. Without a signature, there can be no script and no .ps1xml file among them: some execution
# policies block both.
function Get-PackageFile([string[]] $Platform) {
    @('Set-AwsCliSsoCredentials.psd1', 'LICENSE', 'THIRD-PARTY-NOTICES.txt', 'bin/AwsSso.dll') +
        @(Get-ChildItem en-US -File | ForEach-Object { "en-US/$($_.Name)" }) + @($Platform | ForEach-Object { Get-Library $_; Get-Helper $_ })
}

# Whether this machine has Rust's standard library for a target.
function Test-RustTarget([string] $Target) {
    (Get-Command rustc -CommandType Application -ErrorAction Ignore) -and (Test-Path (rustc --print target-libdir --target $Target))
}

# Links the libraries and programs that zig can link here and that are not in bin/, and returns their paths by platform. Not in bin/, where they would be taken for
# those of a later commit.
function Invoke-ZigLibrary {
    $linked = @{}
    foreach ($platform in $zigPlatforms.Keys | Sort-Object) {
        $zig = $zigPlatforms[$platform]
        if ((Test-Path (Get-Library $platform)) -or -not (Test-RustTarget $zig.Target)) { continue }
        $built = Invoke-LibraryBuild "Native library for $platform" $zig.Target
        $null = Invoke-HelperBuild "credential_process program for $platform" $zig.Target
        $program = Get-Helper $platform
        $linked[$platform] = @{ (Get-Library $platform) = "$built/$($zig.Built)"; $program = "$built/$(Split-Path -Leaf $program)" }
    }
    $linked
}

# Says which libraries of a package were not built by their own systems, which are missing, and what would add them.
function Write-PackedLibrary([string[]] $Linked, [string[]] $Missing) {
    if ($Linked) { Write-Host "Linked on this machine, and not tested: $($Linked -join ', '). A release has the libraries that release.yml builds on each system." }
    if (-not $Missing) { return }
    Write-Host "The package has no library for $($Missing -join ', ')."
    $targets = $Missing | Where-Object { (Test-Zig) -and $zigPlatforms[$_] } | ForEach-Object { $zigPlatforms[$_].Target }
    if ($targets) { Write-Host "To link more of them here, run rustup target add $($targets -join ' ')." }
}

function Invoke-Pack([switch] $Full) {
    if ($env:PROJECT_URI -and $env:PROJECT_URI -notmatch '^https://[\w.:/~-]+$') { throw "PROJECT_URI is not an https URL: $env:PROJECT_URI." }
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    if (-not (Get-Command Compress-PSResource -ErrorAction Ignore)) {
        throw 'Compress-PSResource was not found: use PowerShell 7.5 or later, or run Install-PSResource Microsoft.PowerShell.PSResourceGet.'
    }
    if ($IsLinux -and -not (Test-Zig)) {
        throw "cargo-zigbuild was not found on the PATH. It links the library for glibc $glibc and later. Run pip install cargo-zigbuild."
    }
    Invoke-Build
    $missing = $platforms | Where-Object { -not ((Test-Path (Get-Library $_)) -and (Test-Path (Get-Helper $_))) }
    if ($Full -and $missing) {
        throw "The library is missing for $($missing -join ', '). Run ./build.ps1 on each of them and copy its folder in bin/ to this machine."
    }
    $linked = if ($missing -and (Test-Zig)) { Invoke-ZigLibrary } else { @{} }
    $missing = $missing | Where-Object { -not $linked[$_] }
    $stage = 'target/pack/Set-AwsCliSsoCredentials'
    Remove-Item target/pack -Recurse -Force -ErrorAction Ignore
    $files = Get-PackageFile ($platforms | Where-Object { $_ -notin $missing })
    $built = @{}
    foreach ($platform in $linked.Keys) { $built += $linked[$platform] }
    foreach ($file in $files) { Copy-Whole ($built[$file] ?? $file) "$stage/$file" }
    if ($env:PROJECT_URI) { Set-ProjectUri "$PWD/$stage/Set-AwsCliSsoCredentials.psd1" $env:PROJECT_URI }
    $package, $version, $time = (Get-PackagePath), (Get-Version), (Get-CommitTime)
    $zip = $package -replace 'nupkg$', 'zip'
    $null = New-Item -ItemType Directory -Force out
    Compress-PSResource -Path (Convert-Path $stage) -DestinationPath (Convert-Path target/pack)
    Write-Zip "$PWD/$package" (Read-Package "$PWD/target/pack/$(Split-Path -Leaf $package)") $time
    $entries = @{}
    # Users unpack it directly into a folder of modules.
    foreach ($file in $files) { $entries["Set-AwsCliSsoCredentials/$version/$file"] = [IO.File]::ReadAllBytes("$PWD/$stage/$file") }
    Write-Zip "$PWD/$zip" $entries $time
    foreach ($file in $files | Sort-Object) { Write-Host ('{0,12:n0}  {1}' -f (Get-Item "$stage/$file").Length, $file) }
    foreach ($file in $package, $zip) { Write-Host ('{0,12:n0}  {1}  sha256 {2}' -f (Get-Item $file).Length, $file, (Get-FileHash $file).Hash.ToLowerInvariant()) }
    Write-PackedLibrary ($linked.Keys | Sort-Object) $missing
}

function Invoke-Publish([string] $Repository) {
    $package = Get-PackagePath
    if (-not (Test-Path $package)) { throw "The package $package does not exist. Create it with ./build.ps1 Pack -Full." }
    Assert-Tool git 'only the package of a tag can be published, and git tells whether this is one.'
    $tag = "v$(Get-Version)"
    if ($tag -notin @(git tag --points-at HEAD)) { throw "The tag $tag is not checked out. A version can only be published from its tag." }
    # A repository in a folder needs no key.
    $key = if ($env:PSGALLERY_API_KEY) { @{ ApiKey = $env:PSGALLERY_API_KEY } } else { @{} }
    Publish-PSResource -NupkgPath (Convert-Path $package) -Repository $Repository @key
}

# Other PowerShell.
param($Region = 'us-west-2')
Get-ChildItem | ForEach-Object { $names = @{ $_.Name = $_.Length }; $names }

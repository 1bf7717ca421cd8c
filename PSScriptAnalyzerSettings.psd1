# The rules for PowerShell files. ./build.ps1 Test checks them where PSScriptAnalyzer is installed, and the PowerShell extension of an editor finds this file by its name.
@{
    # Named one by one, so that a new version of PSScriptAnalyzer brings no new rule by itself.
    IncludeRules = @(
        'PSAvoidAssignmentToAutomaticVariable'
        'PSAvoidDefaultValueForMandatoryParameter'
        'PSAvoidDefaultValueSwitchParameter'
        'PSAvoidMultipleTypeAttributes'
        'PSAvoidNullOrEmptyHelpMessageAttribute'
        'PSAvoidUsingCmdletAliases'
        'PSAvoidUsingWMICmdlet'
        'PSMissingModuleManifestField'
        'PSPossibleIncorrectComparisonWithNull'
        'PSPossibleIncorrectUsageOfAssignmentOperator'
        'PSPossibleIncorrectUsageOfRedirectionOperator'
        'PSReservedCmdletChar'
        'PSReservedParams'
        'PSReviewUnusedParameter'
        'PSUseApprovedVerbs'
        'PSUseLiteralInitializerForHashtable'
        'PSUseSingularNouns'
        'PSUseToExportFieldsInManifest'
    )
    Rules        = @{
        PSUseSingularNouns = @{ Enable = $true; NounAllowList = @('Data', 'Windows', 'StandInStats') }
    }
}

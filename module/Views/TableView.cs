using System.Management.Automation;

namespace AwsSso;

/// <summary>The table for objects of one type, as it is put together.</summary>
/// <typeparam name="T">The type of the objects.</typeparam>
internal sealed class TableView<T>
{
    private readonly TableControlBuilder table;
    private readonly TableRowDefinitionBuilder row;

    /// <summary>Starts a table without columns.</summary>
    /// <param name="autoSize">
    /// Whether PowerShell collects all rows first, to make each column as wide as it must be; otherwise it shows them as they come.
    /// </param>
    internal TableView(bool autoSize)
    {
        table = TableControl.Create(outOfBand: false, autoSize, hideTableHeaders: false);
        row = table.StartRowDefinition(wrap: false, entrySelectedByType: null, entrySelectedByCondition: null);
    }

    /// <summary>Shows a table of its own for each value of this property.</summary>
    internal TableView<T> GroupBy(string property)
    {
        table.GroupByProperty(property, customControl: null, label: null);
        return this;
    }

    /// <summary>Adds a column with a property, under its name.</summary>
    internal TableView<T> Column(string property)
    {
        table.AddHeader(Alignment.Undefined, width: 0, label: null);
        row.AddPropertyColumn(property, Alignment.Undefined, format: null);
        return this;
    }

    /// <summary>Adds a column with what a script makes of the object, <c>$_</c>.</summary>
    internal TableView<T> Column(string label, string script, Alignment alignment = Alignment.Undefined)
    {
        table.AddHeader(alignment, width: 0, label);
        row.AddScriptBlockColumn(script, Alignment.Undefined, format: null);
        return this;
    }

    /// <summary>The table in PowerShell's form.</summary>
    internal ExtendedTypeDefinition Build()
    {
        var name = typeof(T).FullName;
        return new ExtendedTypeDefinition(name, [new FormatViewDefinition(name, row.EndRowDefinition().EndTable())]);
    }
}

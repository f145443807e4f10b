package portal

import (
	"fmt"
	"slices"
)

// ColumnChange is something that a release did to a column, or to a whole table,
// which breaks a program that reads it by name and type.
type ColumnChange struct {
	Table  string `json:"table"`            // the resource's name
	Column string `json:"column,omitempty"` // "" where the whole table is gone
	What   string `json:"what"`             // ColumnRemoved, ColumnRenamed or ColumnRetyped
	Before string `json:"before,omitempty"` // of ColumnRetyped: the type
	After  string `json:"after,omitempty"`  // the new name or type
}

// What happens to columns.
const (
	ColumnRemoved = "removed"
	ColumnRenamed = "renamed" // one with another name stands in its place, with the same type
	ColumnRetyped = "retyped"
)

// MaxColumnChanges is how many are noted of one release.
const MaxColumnChanges = 50

// String says it in English, for logs and the terminal.
func (c ColumnChange) String() string {
	switch {
	case c.Column == "":
		return "table " + c.Table + " is gone"
	case c.What == ColumnRenamed:
		return fmt.Sprintf("%s: column %s is now %s", c.Table, c.Column, c.After)
	case c.What == ColumnRetyped:
		return fmt.Sprintf("%s: column %s was %s and is %s", c.Table, c.Column, c.Before, c.After)
	}
	return fmt.Sprintf("%s: column %s is gone", c.Table, c.Column)
}

// ColumnChanges gives what a release takes from who reads the tables of the one
// before it: tables that are gone, columns removed, renamed or of another type. What
// is added breaks nobody. Tables whose columns no schema names, as the later sheets
// of a workbook, are not compared.
func ColumnChanges(before, after Release) (list []ColumnChange) {
	for _, old := range before.Resources {
		if old.Schema == nil {
			continue
		}
		i := slices.IndexFunc(after.Resources, func(r Resource) bool { return r.Name == old.Name })
		if i < 0 {
			list = append(list, ColumnChange{Table: old.Name, What: ColumnRemoved})
			continue
		}
		if now := after.Resources[i].Schema; now != nil {
			list = append(list, fieldChanges(old.Name, old.Schema.Fields, now.Fields)...)
		}
	}
	return list
}

func fieldChanges(table string, before, after []Field) (list []ColumnChange) {
	find := func(in []Field, name string) int {
		return slices.IndexFunc(in, func(f Field) bool { return f.Name == name })
	}
	for i, old := range before {
		at := find(after, old.Name)
		switch {
		case at >= 0 && fieldType(after[at]) != fieldType(old):
			list = append(list, ColumnChange{Table: table, Column: old.Name, What: ColumnRetyped, Before: fieldType(old), After: fieldType(after[at])})
		case at >= 0:
		case i < len(after) && find(before, after[i].Name) < 0 && fieldType(after[i]) == fieldType(old):
			list = append(list, ColumnChange{Table: table, Column: old.Name, What: ColumnRenamed, After: after[i].Name})
		default:
			list = append(list, ColumnChange{Table: table, Column: old.Name, What: ColumnRemoved})
		}
	}
	return list
}

// fieldType is a field's type as Frictionless understands it.
func fieldType(f Field) string {
	if f.Type == "" {
		return "string"
	}
	return f.Type
}

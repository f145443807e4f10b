package table

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"sync"

	"koprik/portal/lang"

	"modernc.org/sqlite"
)

// foldFunction is the SQL function by which "contains" compares: the loose key
// of portal/lang, so that Toshkent finds Тошкент.
const foldFunction = "koprik_fold"

// registerFold gives the function to every connection opened after it. The
// driver keeps functions for the whole process, so it is done once.
var registerFold = sync.OnceValue(func() error {
	return sqlite.RegisterDeterministicScalarFunction(foldFunction, 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		switch v := args[0].(type) {
		case string:
			return lang.FoldLoose(v), nil
		case []byte:
			return lang.FoldLoose(string(v)), nil
		case int64:
			return lang.FoldLoose(strconv.FormatInt(v, 10)), nil
		case float64:
			return lang.FoldLoose(strconv.FormatFloat(v, 'f', -1, 64)), nil
		case nil:
			return nil, nil
		}
		return nil, fmt.Errorf("%s: value of type %T", foldFunction, args[0])
	})
})

// contains is the condition that c has value in it. What folds to nothing, such
// as a percent sign, is looked for as it is.
func contains(c, value string) (condition string, arg any) {
	if folded := lang.FoldLoose(value); folded != "" {
		return "instr(" + foldFunction + "(" + c + "), ?) > 0", folded
	}
	return "instr(CAST(" + c + " AS TEXT), ?) > 0", value
}

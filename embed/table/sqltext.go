package table

import (
	"strings"
	"unicode/utf8"
)

// sqlFunctions are what a stranger's statement may call: SQLite's own that
// neither touch anything outside nor make values out of nothing.
var sqlFunctions = setOf(`abs avg ceil ceiling char coalesce concat concat_ws count cume_dist date datetime
	degrees dense_rank exp first_value floor format glob group_concat hex if ifnull iif instr julianday
	json json_array json_array_length json_each json_extract json_object json_quote
	json_tree json_type json_valid lag last_value lead length like ln log log10 log2 lower ltrim max min mod nth_value
	ntile nullif percent_rank pi pow power printf quote radians rank replace round row_number rtrim sign sqrt
	strftime string_agg substr substring sum time timediff total trim trunc typeof unicode unixepoch upper
	acos asin atan atan2 cos sin tan -> ->> median percentile percentile_cont percentile_disc octet_length
	likelihood likely unlikely ` + foldFunction)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// oneStatement refuses a text with more than one statement, or with none. It
// knows strings, names and comments as SQLite does, and nothing else of SQL.
func oneStatement(text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return usage("sql", "is not UTF-8 text")
	}
	words, ended := false, false
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case strings.HasPrefix(text[i:], "--"):
			i = after(text, i+2, "\n")
			continue
		case strings.HasPrefix(text[i:], "/*"):
			i = after(text, i+2, "*/")
			continue
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
			continue
		case c == ';':
			ended = ended || words
			i++
			continue
		}
		if ended {
			return usage("sql", "is more than one statement")
		}
		words = true
		switch c {
		case '\'', '"', '`':
			i = quoted(text, i, c)
		case '[':
			i = after(text, i+1, "]")
		default:
			i++
		}
	}
	if !words {
		return usage("sql", "is empty")
	}
	return nil
}

// after is the place behind the next end, or the end of the text.
func after(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// quoted is the place behind a string that begins at from; a quote that stands
// twice is one of the string.
func quoted(text string, from int, quote byte) int {
	for i := from + 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(text)
}

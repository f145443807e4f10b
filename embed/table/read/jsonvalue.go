package read

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// members gives the keys and raw values of an object that is known to be valid
// JSON, in the order in which they stand.
func members(raw []byte, fn func(key string, value []byte) error) error {
	i := skipSpace(raw, 1)
	for i < len(raw) && raw[i] != '}' {
		end := valueEnd(raw, i)
		key, err := jsonString(raw[i:end])
		if err != nil {
			return err
		}
		i = skipSpace(raw, skipSpace(raw, end)+1) // past the colon
		end = valueEnd(raw, i)
		if err := fn(key, raw[i:end]); err != nil {
			return err
		}
		if i = skipSpace(raw, end); i < len(raw) && raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return nil
}

// elements gives the raw values of an array that is known to be valid JSON.
func elements(raw []byte, fn func(value []byte) error) error {
	i := skipSpace(raw, 1)
	for i < len(raw) && raw[i] != ']' {
		end := valueEnd(raw, i)
		if err := fn(raw[i:end]); err != nil {
			return err
		}
		if i = skipSpace(raw, end); i < len(raw) && raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return nil
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// valueEnd is where the value that begins at i ends.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return min(i+1, len(raw))
		}
	}
	return len(raw)
}

// jsonCell makes a cell of a raw value.
func jsonCell(raw []byte) (cell, error) {
	if len(raw) > maxCell {
		return cell{}, fmt.Errorf("a value is longer than 1 MiB")
	}
	if len(raw) == 0 {
		return cell{kind: cellNull}, nil
	}
	switch raw[0] {
	case '"':
		s, err := jsonString(raw)
		return cell{text: s, kind: cellLiteral}, err
	case 'n':
		return cell{kind: cellNull}, nil
	case '{', '[':
		var b bytes.Buffer
		err := json.Compact(&b, raw)
		return cell{text: b.String(), kind: cellNested}, err
	}
	return cell{text: string(raw)}, nil
}

func jsonString(raw []byte) (string, error) {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

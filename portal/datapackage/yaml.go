package datapackage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads exactly one YAML document into the values that parseJSON
// gives. Aliases are followed, each time counted anew against maxValues and
// maxDepth, so a document cannot unfold without end; merge keys are refused.
func parseYAML(data []byte) (value, error) {
	if !utf8.Valid(data) {
		return value{}, fmt.Errorf("is not UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return value{}, nil
	} else if err != nil {
		return value{}, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return value{}, fmt.Errorf("has more than one document")
	}
	c := converter{}
	return c.value(&doc, 0)
}

type converter struct{ count int }

func (c *converter) value(n *yaml.Node, depth int) (value, error) {
	if c.count++; c.count > maxValues {
		return value{}, fmt.Errorf("line %d: more than %d values", n.Line, maxValues)
	}
	if depth > maxDepth {
		return value{}, fmt.Errorf("line %d: nested more than %d deep", n.Line, maxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.value(n.Content[0], depth)
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		v := value{kind: list}
		for _, item := range n.Content {
			w, err := c.value(item, depth+1)
			if err != nil {
				return v, err
			}
			v.items = append(v.items, w)
		}
		return v, nil
	case yaml.MappingNode:
		return c.object(n, depth)
	}
	return scalar(n), nil
}

func (c *converter) object(n *yaml.Node, depth int) (value, error) {
	v := value{kind: object}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.ShortTag() == "!!merge":
			return v, fmt.Errorf("line %d: merge keys (<<) are not read here; write the lines out", k.Line)
		case k.Kind != yaml.ScalarNode:
			return v, fmt.Errorf("line %d: a name must be a plain word", k.Line)
		case seen[k.Value]:
			return v, fmt.Errorf("line %d: %.80q stands twice", k.Line, k.Value)
		}
		seen[k.Value] = true
		item, err := c.value(n.Content[i+1], depth+1)
		if err != nil {
			return v, err
		}
		v.keys, v.items = append(v.keys, k.Value), append(v.items, item)
	}
	return v, nil
}

// scalar keeps the spelling of the file, so that a version 1.10 stays 1.10, a
// code 0012 and a phone +998… keep their first sign, and a day stays a day.
func scalar(n *yaml.Node) value {
	switch n.ShortTag() {
	case "!!null":
		return value{}
	case "!!bool":
		return value{kind: boolean, str: strings.ToLower(n.Value)}
	case "!!int", "!!float":
		if _, ok := jsonNumber(n.Value); ok {
			return value{kind: number, str: n.Value}
		}
	}
	return value{kind: text, str: n.Value}
}

// jsonNumber spells a number of YAML (0x1F, +5, .5) as JSON does, where it can.
func jsonNumber(s string) (string, bool) {
	if numberLength(s) == len(s) && len(s) <= 100 {
		return s, s != ""
	}
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return strconv.FormatInt(i, 10), true
	}
	f, err := strconv.ParseFloat(s, 64)
	out := strconv.FormatFloat(f, 'g', -1, 64)
	return out, err == nil && numberLength(out) == len(out)
}

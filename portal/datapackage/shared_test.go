package datapackage_test

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"koprik/internal/sharedtest"
	"koprik/portal"
	"koprik/portal/datapackage"
)

func TestLoadTakesRealPackages(t *testing.T) {
	root := sharedtest.Path(t, "data", "datapackages")
	for name, fields := range map[string]int{"country-codes": 56, "population": 4, "population-global-historical": 11} {
		d, err := datapackage.Load(os.DirFS(root), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := d.Release
		if d.Name != name || d.HasPassport || len(r.Resources) != 1 || len(r.Licenses) != 1 || len(r.Resources[0].Schema.Fields) != fields {
			t.Errorf("%s: name %q, passport %v, licences %v, %d columns", name, d.Name, d.HasPassport, r.Licenses, len(r.Resources[0].Schema.Fields))
		}
		in, err := d.Files[0].Open(os.DirFS(root))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n, err := io.Copy(io.Discard, in); err != nil || n == 0 {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

func TestLoadSaysWhichFileOfARealPackageIsNotThere(t *testing.T) {
	root := sharedtest.Path(t, "data", "datapackages", "un-locode") // its largest table was not copied
	_, err := datapackage.Load(os.DirFS(root), ".")
	if err == nil || !strings.Contains(err.Error(), "resources[0].path") || !errors.Is(err, portal.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

// looksAhead stands in for the one pattern of the Frictionless profiles that Go's
// regexp does not read: a path inside the package, or an address.
type looksAhead struct{}

func (looksAhead) String() string { return "path or address" }
func (looksAhead) MatchString(s string) bool {
	if u, err := url.Parse(s); err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "ftp"}, u.Scheme) {
		return true
	}
	return s != "" && !strings.ContainsAny(s[:1], "./~") && !strings.HasPrefix(s, "file:") && !strings.Contains(s, "/../") && !strings.Contains(s, "://")
}

func engine(pattern string) (jsonschema.Regexp, error) {
	if strings.HasPrefix(pattern, `^((?=[^./~])`) {
		return looksAhead{}, nil
	}
	return regexp.Compile(pattern)
}

func profileOf(t *testing.T, path string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(engine)
	c.AssertFormat()
	s, err := c.Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func conforms(t *testing.T, s *jsonschema.Schema, b []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestManifestsAreFrictionlessPackages(t *testing.T) {
	s := profileOf(t, sharedtest.Path(t, "data", "validation", "frictionless-profiles", "2.0", "datapackage.json"))
	b, err := datapackage.Encode(water())
	if err != nil {
		t.Fatal(err)
	}
	if err := conforms(t, s, b); err != nil {
		t.Error(err)
	}
}

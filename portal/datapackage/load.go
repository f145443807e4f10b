package datapackage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/lang"
)

// Descriptors are the names under which a folder's descriptor is looked for.
var Descriptors = []string{"datapackage.json", "datapackage.yaml", "datapackage.yml"}

const maxYAML = 1 << 20 // bytes of a descriptor in YAML

// Load reads what a publisher handed in: a folder with a data package, "." for
// the folder fsys itself; its descriptor by name; or a table file, with the
// passport that PassportName names beside it where there is one.
//
// Whatever cannot be taken is portal.ErrRejected and says in words what is wrong
// and where, all of it at once. A folder's passport.yaml wins over what the
// descriptor says. Nothing is read but descriptors, schemas and passports.
func Load(fsys fs.FS, name string) (Draft, error) {
	info, err := fs.Stat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid):
		return Draft{}, portal.Rejected(name, "there is no such file or folder")
	case err != nil:
		return Draft{}, fmt.Errorf("load %s: %w", name, err)
	case info.IsDir():
		return loadFolder(fsys, name)
	case slices.Contains(Descriptors, path.Base(name)):
		return loadFolder(fsys, path.Dir(name))
	case strings.HasSuffix(name, ".passport.yaml") || strings.HasSuffix(name, ".passport.yml"):
		return Draft{}, portal.Rejected(name, "is a passport").WithHint("name the table beside it, or the folder with the data package")
	}
	return loadTable(fsys, name)
}

// PassportName is where the passport of a table file stands: the file's name
// with ".passport.yaml" in place of its extension.
func PassportName(file string) string {
	return strings.TrimSuffix(file, path.Ext(file)) + ".passport.yaml"
}

func loadFolder(fsys fs.FS, dir string) (Draft, error) {
	folder, err := fs.Sub(fsys, dir)
	if err != nil {
		return Draft{}, fmt.Errorf("load %s: %w", dir, err)
	}
	var found []string
	for _, name := range Descriptors {
		if there(folder, name) == nil {
			found = append(found, name)
		}
	}
	switch {
	case len(found) == 0:
		return Draft{}, portal.Rejected(dir, "has no data package: none of %s", strings.Join(Descriptors, ", ")).
			WithHint("name a table file, or write a datapackage.json")
	case len(found) > 1:
		return Draft{}, portal.Rejected(dir, "has two descriptors, %s", strings.Join(found, " and ")).WithHint("keep one of them")
	}
	d, err := loadDescriptor(folder, found[0])
	if err != nil {
		return Draft{}, err
	}
	for _, name := range []string{"passport.yaml", "passport.yml"} {
		if there(folder, name) != nil {
			continue
		}
		if err := overlay(&d, folder, name); err != nil {
			return Draft{}, err
		}
	}
	for i := range d.Files {
		for j, part := range d.Files[i].Parts {
			d.Files[i].Parts[j] = path.Join(dir, part)
		}
	}
	return d, nil
}

// there says in words why a file cannot be read; nil when it can.
func there(fsys fs.FS, name string) error {
	info, err := fs.Stat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
		return errors.New("there is no such file in the package")
	case err != nil:
		return errors.New("cannot be read; it may be a link that leads out of the package")
	}
	return nil
}

// overlay puts what a passport file says over what is known already.
func overlay(d *Draft, fsys fs.FS, name string) error {
	data, err := readFile(fsys, name, MaxPassport)
	if err != nil {
		return err
	}
	p, err := ParsePassport(data, name)
	if err != nil {
		return err
	}
	r, q := &d.Release, p.Release
	set(&r.Title, q.Title)
	set(&r.Description, q.Description)
	set(&r.Reason, q.Reason)
	for _, s := range []struct {
		to   *string
		from string
	}{{&r.Homepage, q.Homepage}, {&r.Version, q.Version}, {&d.Name, p.Name}} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	if q.Keywords != nil {
		r.Keywords = q.Keywords
	}
	if q.Licenses != nil {
		r.Licenses = q.Licenses
	}
	if q.Sources != nil {
		r.Sources = q.Sources
	}
	if q.Themes != nil {
		r.Themes = q.Themes
	}
	r.Passport, d.Contact, d.HasPassport = q.Passport, p.Contact, true
	return nil
}

func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, portal.Rejected(name, "there is no such file")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, portal.Rejected(name, "longer than %d bytes", limit)
	}
	return data, nil
}

// readValue reads a JSON or YAML file, by its extension.
func readValue(fsys fs.FS, name string) (value, error) {
	parse, limit := parseJSON, int64(MaxManifest)
	if ext := path.Ext(name); ext == ".yaml" || ext == ".yml" {
		parse, limit = parseYAML, maxYAML
	}
	data, err := readFile(fsys, name, limit)
	if err != nil {
		return value{}, err
	}
	v, err := parse([]byte(strings.TrimPrefix(string(data), "\ufeff")))
	if err != nil {
		return value{}, portal.Rejected(name, "%v", err)
	}
	return v, nil
}

func loadTable(fsys fs.FS, name string) (Draft, error) {
	base := path.Base(name)
	stem := strings.TrimSuffix(base, path.Ext(base))
	r := portal.Resource{Name: resourceName(stem), Path: portablePath(base), Format: formatOf(base)}
	r.MediaType = mediaTypes[r.Format]
	d := Draft{
		Name:    lang.Slug(stem),
		Release: portal.Release{Title: portal.PlainText(tidy(stem)), Resources: []portal.Resource{r}},
		Files:   []DraftFile{{Parts: []string{name}}},
	}
	passport := PassportName(name)
	if yml := strings.TrimSuffix(passport, ".yaml") + ".yml"; there(fsys, passport) != nil && there(fsys, yml) == nil {
		passport = yml
	}
	if there(fsys, passport) == nil {
		if err := overlay(&d, fsys, passport); err != nil {
			return Draft{}, err
		}
	}
	if d.Name == "" {
		return Draft{}, portal.Rejected(base, "its name gives no name for the dataset").WithHint("say dataset: in the passport")
	}
	return d, d.Release.ValidateContent().Under(base).Err()
}

// resourceName makes a resource's name of what a file or a package calls it.
func resourceName(s string) string {
	if low := strings.ToLower(s); valid(portal.ParseResourceName(low)) {
		return low
	}
	if slug := lang.Slug(s); slug != "" {
		return slug
	}
	return "table"
}

func valid(_ string, err error) bool { return err == nil }

// portablePath keeps a path that travels well, and spells any other in the
// letters that do: "Сув сифати.csv" becomes "suv-sifati.csv". A path that stays
// unfit is given back and refused by validation, which says why.
func portablePath(s string) string {
	if valid(portal.ParsePath(s)) {
		return s
	}
	parts := strings.Split(s, "/")
	for i, part := range parts {
		ext := ""
		if i == len(parts)-1 {
			if ext = strings.ToLower(path.Ext(part)); !valid(portal.ParsePath("x" + ext)) {
				ext = ""
			}
		}
		if slug := lang.Slug(strings.TrimSuffix(part, path.Ext(part))); slug != "" && !valid(portal.ParsePath(part)) {
			parts[i] = slug + ext
		}
	}
	if p := strings.Join(parts, "/"); valid(portal.ParsePath(p)) {
		return p
	}
	if p := parts[len(parts)-1]; valid(portal.ParsePath(p)) {
		return p
	}
	return s
}

func formatOf(name string) string {
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if strings.ContainsFunc(ext, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) || len(ext) > 32 {
		return ""
	}
	return ext
}

// mediaTypes are those of IANA for the formats that offices publish.
var mediaTypes = map[string]string{
	"csv":     "text/csv",
	"tsv":     "text/tab-separated-values",
	"txt":     "text/plain",
	"json":    "application/json",
	"geojson": "application/geo+json",
	"xml":     "application/xml",
	"xlsx":    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"xls":     "application/vnd.ms-excel",
	"ods":     "application/vnd.oasis.opendocument.spreadsheet",
	"parquet": "application/vnd.apache.parquet",
	"pdf":     "application/pdf",
	"zip":     "application/zip",
	"gz":      "application/gzip",
	"html":    "text/html",
}

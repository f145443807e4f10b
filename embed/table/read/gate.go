package read

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// The limits of a workbook. A deflated part can be a thousand times its size;
// real sheets are ten to thirty times.
const (
	maxUnzipped = 2 << 30
	maxRatio    = 100
	minUnzipped = 16 << 20 // small files may be of any ratio up to this
	maxParts    = 10_000
	maxOther    = 32 << 20 // bytes of the parts that are held in memory
	maxStrings  = 2_000_000
	maxXMLDepth = 64
)

// gate looks at every part of a workbook that holds values, refuses what is
// malformed or too big, and writes a slim copy of those parts, still
// compressed, to a temporary file.
func (rd *reader) gate() (slim string, err error) {
	zr, err := zip.NewReader(rd.src, rd.size)
	if err != nil {
		return "", unreadable(rd.where(nil), "the workbook is damaged: %v", err)
	}
	parts, err := rd.parts(zr)
	if err != nil {
		return "", err
	}
	out, err := os.CreateTemp(rd.tmp, "xlsx-*")
	if err != nil {
		return "", fmt.Errorf("copy of %s: %w", rd.where(nil), err)
	}
	zw := zip.NewWriter(out)
	for _, part := range parts {
		if err == nil {
			err = copyPart(zw, part)
		}
	}
	if err = errors.Join(err, zw.Close(), out.Close()); err != nil {
		os.Remove(out.Name())
		return "", fmt.Errorf("copy of %s: %w", rd.where(nil), err)
	}
	return out.Name(), nil
}

func copyPart(zw *zip.Writer, part *zip.File) error {
	r, err := part.OpenRaw()
	if err != nil {
		return err
	}
	h := part.FileHeader
	w, err := zw.CreateRaw(&h)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// parts picks the parts with values, and reads them through.
func (rd *reader) parts(zr *zip.Reader) ([]*zip.File, error) {
	if len(zr.File) > maxParts {
		return nil, unreadable(rd.where(nil), "the workbook has %d parts; at most %d are read", len(zr.File), maxParts)
	}
	limit := uint64(min(maxUnzipped, max(minUnzipped, maxRatio*rd.size)))
	var parts []*zip.File
	seen := map[string]bool{}
	var total, other uint64
	for _, f := range zr.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, "\\", "/"))
		sheet, kept := partKind(name)
		if !kept || f.FileInfo().IsDir() {
			continue
		}
		if seen[name] {
			return nil, unreadable(rd.where(nil), "the workbook has two parts named %q", f.Name)
		}
		seen[name] = true
		if f.UncompressedSize64 > limit || total+f.UncompressedSize64 > limit {
			return nil, unreadable(rd.where(nil), "the workbook is larger than %d MiB when it is unpacked", limit>>20)
		}
		total += f.UncompressedSize64
		if !sheet {
			if other += f.UncompressedSize64; other > maxOther {
				return nil, unreadable(rd.where(nil), "the workbook's styles and links are larger than %d MiB", maxOther>>20)
			}
		}
		if err := rd.readPart(f, sheet); err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	if !seen["[content_types].xml"] {
		return nil, unreadable(rd.where(nil), "the file is a ZIP archive, but no workbook")
	}
	return parts, nil
}

// partKind tells whether a part is needed for values, and whether excelize
// spills it to a file (it does so with these names only).
func partKind(name string) (spills, kept bool) {
	switch {
	case strings.HasPrefix(name, "xl/worksheets/sheet") && path.Ext(name) == ".xml", name == "xl/sharedstrings.xml":
		return true, true
	case path.Ext(name) == ".xml" && strings.HasPrefix(name, "xl/worksheets/"), name == "[content_types].xml",
		path.Dir(name) == "xl" && strings.HasPrefix(name, "xl/workbook"), name == "xl/styles.xml",
		strings.HasSuffix(name, ".rels") && !strings.Contains(name, "/drawings/") && strings.Count(name, "/") <= 2:
		return false, true
	case path.Dir(name) == "xl" && path.Ext(name) == ".xml" && !strings.Contains(name, "calcchain"):
		return false, true
	}
	return false, false
}

func (rd *reader) readPart(f *zip.File, data bool) error {
	r, err := f.Open()
	if err == nil {
		c := xmlCheck{}
		err = checkXML(rd.ctx, r, data, &c)
		if len(c.merges) > 0 {
			if rd.merges == nil {
				rd.merges = map[string][]merge{}
			}
			rd.merges[strings.TrimPrefix(f.Name, "xl/")] = c.merges
		}
		r.Close()
	}
	if err == nil || rd.ctx.Err() != nil {
		return rd.ctx.Err()
	}
	return unreadable(rd.where(nil), "the workbook's part %s is damaged: %v", clip(f.Name, 60), err)
}

// checkXML reads a part from beginning to end: well formed, each cell bounded,
// no column beyond the limit with a value.
func checkXML(ctx context.Context, r io.Reader, data bool, c *xmlCheck) error {
	m := newMeter(r, 2*maxCell)
	d := xml.NewDecoder(m)
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m.reset()
		t, err := d.Token()
		if err == io.EOF {
			if n == 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.token(t, d.InputOffset(), data); err != nil {
			return err
		}
	}
}

// xmlCheck keeps where a part's reading stands.
type xmlCheck struct {
	depth   int
	start   int64 // offset of the open cell or string
	column  int
	strings int
	row     int
	merges  []merge
}

func (c *xmlCheck) token(t xml.Token, at int64, data bool) error {
	switch t := t.(type) {
	case xml.StartElement:
		if c.depth++; c.depth > maxXMLDepth {
			return fmt.Errorf("elements stand %d deep", c.depth)
		}
		if !data {
			return nil
		}
		switch t.Name.Local {
		case "c":
			c.start = at
			c.column = cellColumn(t.Attr)
		case "si":
			c.start = at
			if c.strings++; c.strings > maxStrings {
				return fmt.Errorf("more than %d different texts", maxStrings)
			}
		case "row":
			return c.nextRow(t.Attr)
		case "mergeCell":
			if m, ok := parseMerge(t.Attr); ok && len(c.merges) < maxMerges {
				c.merges = append(c.merges, m)
			}
		case "v", "is":
			if c.column > MaxColumns {
				return fmt.Errorf("a value stands in column %d; at most %d columns are read", c.column, MaxColumns)
			}
		}
	case xml.EndElement:
		c.depth--
		if data && (t.Name.Local == "c" || t.Name.Local == "si") && at-c.start > 2*maxCell {
			return fmt.Errorf("a cell is longer than %d MiB", maxCell>>20)
		}
	}
	return nil
}

// nextRow wants rows in order, as the format demands: excelize would misplace
// others.
func (c *xmlCheck) nextRow(attrs []xml.Attr) error {
	n := c.row + 1
	for _, a := range attrs {
		if a.Name.Local == "r" {
			v, err := strconv.Atoi(a.Value)
			if err != nil || v <= c.row || v > 1<<20 {
				return fmt.Errorf("row %q stands after row %d", clip(a.Value, 20), c.row)
			}
			n = v
		}
	}
	c.row = n
	return nil
}

// cellColumn reads the letters of a reference such as AB12; 0 when there is none.
func cellColumn(attrs []xml.Attr) int {
	for _, a := range attrs {
		if a.Name.Local != "r" || a.Name.Space != "" {
			continue
		}
		n := 0
		for _, r := range a.Value {
			if r |= 0x20; r < 'a' || r > 'z' || n > 1<<20 {
				break
			}
			n = n*26 + int(r-'a') + 1
		}
		return n
	}
	return 0
}

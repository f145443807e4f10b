package read

import (
	"bytes"
	"io"
	"path"
	"strings"

	"koprik/portal"
)

// fileKind is how a file holds rows.
type fileKind uint8

const (
	kindNone fileKind = iota
	kindCSV
	kindTSV
	kindXLSX
	kindJSON
	kindNDJSON
	kindODS
	kindGeoJSON
	kindGZIP
	kindZIP
)

// kinds maps formats and file extensions.
var kinds = map[string]fileKind{
	"csv": kindCSV, "tsv": kindTSV, "tab": kindTSV,
	"xlsx": kindXLSX, "xlsm": kindXLSX,
	"json": kindJSON, "ndjson": kindNDJSON, "jsonl": kindNDJSON,
	"ods": kindODS, "fods": kindNone, "geojson": kindGeoJSON, "gz": kindGZIP, "gzip": kindGZIP, "zip": kindZIP,
	"sdmx-csv": kindCSV,
}

var mediaKinds = map[string]fileKind{
	"text/csv": kindCSV, "text/tab-separated-values": kindTSV,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": kindXLSX,
	"application/vnd.ms-excel.sheet.macroenabled.12":                    kindXLSX,
	"application/vnd.oasis.opendocument.spreadsheet":                    kindODS,
	"application/geo+json":                                              kindGeoJSON, "application/gzip": kindGZIP, "application/zip": kindZIP,
	"application/vnd.sdmx.data+csv": kindCSV,
	"application/json":              kindJSON, "application/x-ndjson": kindNDJSON, "application/jsonl": kindNDJSON,
}

// declaredKind goes by format, then media type, then the file's name.
func declaredKind(r portal.Resource) fileKind {
	if r.Format != "" {
		return kinds[strings.ToLower(strings.TrimPrefix(r.Format, "."))]
	}
	media, _, _ := strings.Cut(strings.ToLower(r.MediaType), ";")
	if k, ok := mediaKinds[strings.TrimSpace(media)]; ok {
		return k
	}
	return kinds[strings.TrimPrefix(strings.ToLower(path.Ext(r.Path)), ".")]
}

// signatures are first bytes that no text table has.
var signatures = []struct{ magic, what string }{
	{"PK\x03\x04", "a ZIP archive or a workbook (XLSX, ODS)"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (XLS) or an encrypted one"},
	{"%PDF-", "a PDF document"},
	{"\x1f\x8b", "a gzip archive"},
	{"\x28\xb5\x2f\xfd", "a zstd archive"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"SQLite format 3\x00", "an SQLite database"},
	{"version https://git-lfs.github.com/spec/", "a pointer to a file in Git LFS, and not the file"},
}

// kind decides by what the resource says, and refuses bytes that contradict it.
func (rd *reader) kind() (fileKind, error) {
	head := make([]byte, 128)
	n, err := rd.src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return kindNone, err
	}
	head = head[:n]
	kind := declaredKind(rd.res)
	if kind == kindNone && rd.res.Schema != nil && rd.res.Format == "" {
		kind = sniffKind(head)
	}
	if kind == kindNone {
		return kind, nil
	}
	if n == 0 {
		return kindNone, unreadable(rd.where(nil), "the file is empty")
	}
	kind = rd.wrapped(kind, head)
	for _, s := range signatures {
		packed := kind == kindXLSX || kind == kindODS || kind == kindZIP
		if !bytes.HasPrefix(head, []byte(s.magic)) || packed && strings.HasPrefix(s.magic, "PK") || kind == kindGZIP && s.magic == "\x1f\x8b" {
			continue
		}
		return kindNone, unreadable(rd.where(nil), "the file is %s, not what its name or format says", s.what)
	}
	if kind == kindXLSX && !bytes.HasPrefix(head, []byte("PK")) {
		return kindNone, unreadable(rd.where(nil), "the file is no XLSX workbook: it does not begin like one")
	}
	if (kind == kindODS || kind == kindZIP) && !bytes.HasPrefix(head, []byte("PK")) || kind == kindGZIP && !bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		return kindNone, unreadable(rd.where(nil), "the file is not what its name or format says: it does not begin like an archive")
	}
	if rd.inside && (kind == kindZIP || kind == kindGZIP) {
		return kindNone, unreadable(rd.where(nil), "an archive in an archive is not opened")
	}
	return kind, nil
}

// wrapped: a table in a gzip archive may keep its own format, and workbooks are
// told apart by what is in them.
func (rd *reader) wrapped(kind fileKind, head []byte) fileKind {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")) && strings.HasSuffix(strings.ToLower(rd.res.Path), ".gz"):
		return kindGZIP
	case kind == kindXLSX && isODS(head):
		return kindODS
	}
	return kind
}

// sniffKind goes by first bytes, for what only a schema calls a table.
func sniffKind(head []byte) fileKind {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return kindXLSX
	case bytes.HasPrefix(head, []byte("{")), bytes.HasPrefix(head, []byte("[")):
		return kindJSON
	case bytes.IndexByte(head, 0) >= 0 && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff")):
		return kindNone
	}
	return kindCSV
}

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
)

// kinds maps formats and file extensions.
var kinds = map[string]fileKind{
	"csv": kindCSV, "tsv": kindTSV, "tab": kindTSV,
	"xlsx": kindXLSX, "xlsm": kindXLSX,
	"json": kindJSON, "ndjson": kindNDJSON, "jsonl": kindNDJSON,
}

var mediaKinds = map[string]fileKind{
	"text/csv": kindCSV, "text/tab-separated-values": kindTSV,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": kindXLSX,
	"application/vnd.ms-excel.sheet.macroenabled.12":                    kindXLSX,
	"application/json": kindJSON, "application/x-ndjson": kindNDJSON, "application/jsonl": kindNDJSON,
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
	head := make([]byte, 64)
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
	for _, s := range signatures {
		if !bytes.HasPrefix(head, []byte(s.magic)) || kind == kindXLSX && strings.HasPrefix(s.magic, "PK") {
			continue
		}
		return kindNone, unreadable(rd.where(nil), "the file is %s, not what its name or format says", s.what)
	}
	if kind == kindXLSX && !bytes.HasPrefix(head, []byte("PK")) {
		return kindNone, unreadable(rd.where(nil), "the file is no XLSX workbook: it does not begin like one")
	}
	return kind, nil
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

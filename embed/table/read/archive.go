package read

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"koprik/portal"
)

// The limits of archives: what is unpacked may be maxArchiveRatio times the
// archive's size, or minArchive where that is more, and never over maxUnzipped.
const (
	maxArchiveRatio = 200
	minArchive      = 64 << 20
)

func (rd *reader) unpackLimit() int64 {
	return min(maxUnzipped, max(minArchive, maxArchiveRatio*rd.size))
}

// unpack writes one packed stream to a temporary file, bounded, and gives it.
func (rd *reader) unpack(name string, from io.Reader, limit int64) (*os.File, int64, error) {
	out, err := os.CreateTemp(rd.tmp, "koprik-unpacked-*")
	if err != nil {
		return nil, 0, fmt.Errorf("unpack %s: %w", name, err)
	}
	n, err := io.Copy(out, io.LimitReader(stopping{rd.ctx, from}, limit+1))
	switch {
	case err == nil && n > limit:
		err = unreadable(name, "the archive is larger than %d MiB when it is unpacked", limit>>20)
	case err != nil && rd.ctx.Err() != nil:
		err = rd.ctx.Err()
	case err != nil && !isDiskError(err):
		err = unreadable(name, "the archive is damaged: %v", err)
	}
	if err != nil {
		return nil, 0, errors.Join(err, out.Close(), os.Remove(out.Name()))
	}
	return out, n, nil
}

// isDiskError tells an error of the file written from one of the archive.
func isDiskError(err error) bool { return errors.As(err, new(*os.PathError)) }

// stopping ends reading with its context.
type stopping struct {
	ctx context.Context
	r   io.Reader
}

func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// openGzip reads the file that is packed: water.csv.gz is water.csv.
func (rd *reader) openGzip() ([]*sheet, error) {
	z, err := gzip.NewReader(io.NewSectionReader(rd.src, 0, rd.size))
	if err != nil {
		return nil, unreadable(rd.where(nil), "the archive is damaged: %v", err)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(rd.res.Path, ".gz"), ".GZ")
	if path.Ext(name) == "" && z.Name != "" {
		name = path.Base(z.Name)
	}
	return rd.openInside(name, "", z, rd.unpackLimit())
}

// openZip reads every table in the archive; archives in it are not opened.
func (rd *reader) openZip() ([]*sheet, error) {
	zr, err := zip.NewReader(rd.src, rd.size)
	if err != nil {
		return nil, unreadable(rd.where(nil), "the archive is damaged: %v", err)
	}
	if len(zr.File) > maxParts {
		return nil, unreadable(rd.where(nil), "the archive has %d files; at most %d are read", len(zr.File), maxParts)
	}
	var tables []*zip.File
	for _, f := range zr.File {
		base := path.Base(strings.ReplaceAll(f.Name, "\\", "/"))
		if kind := declaredKind(portal.Resource{Path: base}); kind != kindNone && kind != kindZIP && !f.FileInfo().IsDir() &&
			!strings.HasPrefix(base, ".") && !strings.HasPrefix(f.Name, "__MACOSX/") && !isDescriptor(base) {
			tables = append(tables, f)
		}
	}
	if len(tables) > maxSheets {
		return nil, unreadable(rd.where(nil), "the archive has %d tables; at most %d are read", len(tables), maxSheets)
	}
	var all []*sheet
	left := rd.unpackLimit()
	for i, title := range titlesOf(tables) {
		sheets, used, err := rd.openEntry(tables[i], title, left)
		if err != nil {
			return nil, err
		}
		left -= used
		all = append(all, sheets...)
	}
	return all, nil
}

// isDescriptor: a data package in an archive describes it and is no table.
func isDescriptor(name string) bool {
	switch strings.ToLower(name) {
	case "datapackage.json", "package.json", "schema.json", "metadata.json":
		return true
	}
	return false
}

// titlesOf calls the files of an archive; one alone needs no name.
func titlesOf(files []*zip.File) []string {
	titles := make([]string, len(files))
	if len(files) == 1 {
		return titles
	}
	for i, f := range files {
		titles[i] = cleanLabel(strings.TrimSuffix(f.Name, path.Ext(f.Name)))
	}
	distinct(titles)
	return titles
}

func (rd *reader) openEntry(f *zip.File, title string, left int64) ([]*sheet, int64, error) {
	name := rd.where(nil) + "/" + strings.ReplaceAll(f.Name, "\\", "/")
	if f.UncompressedSize64 > uint64(left) { //nolint:gosec // not negative
		return nil, 0, unreadable(name, "the archive is larger than %d MiB when it is unpacked", rd.unpackLimit()>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, 0, unreadable(name, "the archive is damaged: %v", err)
	}
	defer r.Close()
	sheets, err := rd.openInside(name, title, r, left)
	return sheets, int64(f.UncompressedSize64), err //nolint:gosec // below left
}

// openInside unpacks one file and finds its tables, which are called title.
func (rd *reader) openInside(name, title string, from io.Reader, limit int64) ([]*sheet, error) {
	tmp, size, err := rd.unpack(rd.where(nil), from, limit)
	if err != nil {
		return nil, err
	}
	res := rd.res
	res.Path, res.Format, res.MediaType = name, "", ""
	inner := &reader{ctx: rd.ctx, src: tmp, size: size, res: res, strict: rd.strict, tmp: rd.tmp, report: rd.report, inside: true, title: title}
	if own := inner.stated("").Encoding; own != "" {
		inner.res.Encoding = own
	}
	rd.onClose(func() error {
		inner.close()
		return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
	})
	sheets, err := inner.open()
	if err != nil {
		return nil, err
	}
	for _, s := range sheets {
		switch {
		case s.name == "":
			s.name = title
		case title != "":
			s.name = title + ", " + s.name
		}
	}
	return sheets, nil
}

// onClose adds to what is done when the file is closed.
func (rd *reader) onClose(fn func() error) {
	before := rd.closer
	rd.closer = func() error {
		if before != nil {
			return errors.Join(fn(), before())
		}
		return fn()
	}
}

// Unsupported says in words why a file that people call a table is not read;
// "" for others.
func Unsupported(r portal.Resource) string {
	format := strings.ToLower(strings.TrimPrefix(r.Format, "."))
	if format == "" {
		format = strings.TrimPrefix(strings.ToLower(path.Ext(r.Path)), ".")
	}
	switch format {
	case "xls", "xlsb", "xlt":
		return "is an old or binary Excel workbook (" + strings.ToUpper(format) + "), which is not read; save it as XLSX or CSV"
	case "mdb", "accdb", "dbf", "sav", "dta", "numbers", "parquet", "pq", "xml", "pdf", "doc", "docx":
		return "is a file of the kind " + strings.ToUpper(format) + ", which is not read as a table; export it as CSV or XLSX"
	case "rar", "7z", "tar", "tgz", "bz2", "xz", "zst":
		return "is an archive of the kind " + strings.ToUpper(format) + ", which is not opened; use ZIP or gzip"
	}
	return ""
}

var zipMagic = []byte("PK\x03\x04")

// isODS tells an OpenDocument file by its first entry, the media type.
func isODS(head []byte) bool {
	return bytes.HasPrefix(head, zipMagic) && bytes.Contains(head, []byte("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"))
}

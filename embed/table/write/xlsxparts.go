package write

import (
	"archive/zip"
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Names of ECMA-376, part 1.
const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packages  = "http://schemas.openxmlformats.org/package/2006/"
	sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml."
	vtSpace   = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
)

// styles of the workbook: cellXfs in the order of the constants style…
const styles = `<styleSheet xmlns="` + mainSpace + `"><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>` +
	`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
	`<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border><left/><right/><top/><bottom style="thin"><color auto="1"/></bottom><diagonal/></border></borders>` +
	`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="9">` +
	`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
	`<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyFont="1" applyBorder="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>` +
	`<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="22" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="3" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>` +
	`<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>` +
	`</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

// appendXML writes a text into XML. Characters that XML has none for are written
// as workbooks do: _x0007_; what looks so already has its line escaped.
func appendXML(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '\t' || r == '\n':
			b = append(b, byte(r))
		case r < ' ' || r == 0xfffe || r == 0xffff:
			b = fmt.Appendf(b, "_x%04X_", r)
		case r == '_' && looksEscaped(s[i:]):
			b = append(b, "_x005F_"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// looksEscaped tells _xHHHH_.
func looksEscaped(s string) bool {
	const length = len("_x0000_")
	if len(s) < length || s[1] != 'x' || s[length-1] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:length-1], 16, 16)
	return err == nil
}

func escaped(s string) string {
	return strings.ReplaceAll(string(appendXML(nil, s)), `"`, "&quot;")
}

// customProperties are what a workbook says of itself to programs.
func customProperties(f File) string {
	var b strings.Builder
	b.WriteString(`<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="` + vtSpace + `">`)
	for i, p := range [][2]string{
		{"koprik_provenance", f.From.String()},
		{"dataset", string(f.From.Dataset)},
		{"release", strconv.Itoa(f.From.Release)},
		{"fingerprint", f.From.Fingerprint.Hex()},
	} {
		fmt.Fprintf(&b, `<property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="%d" name="%s"><vt:lpwstr>%s</vt:lpwstr></property>`, i+2, p[0], escaped(p[1]))
	}
	return b.String() + `</Properties>`
}

// aboutSheet writes the last sheet: whose data it is, and what the columns mean.
func (x *xlsxFile) aboutSheet() error {
	lines := append(x.f.about(), line{label: x.f.word("rows"), text: strconv.FormatInt(x.total, 10)})
	if len(x.sheets) > 1 {
		lines = append(lines, line{label: x.f.word("note"), text: x.f.word("split")})
	}
	if len(x.cut) > 0 {
		lines = append(lines, line{label: x.f.word("note"), text: x.f.word("cut") + ": " + strings.Join(x.cut, ", ")})
	}
	lines = append(lines, line{}, line{label: x.f.word("column"), text: x.f.word("columnmeaning")})
	for _, c := range x.f.Columns[:len(x.heads)] {
		title, _ := c.Title.In(x.f.language())
		if c.Meaning.Unit != "" {
			title = strings.TrimSpace(title + " (" + c.Meaning.Unit + ")")
		}
		lines = append(lines, line{label: c.Name, text: title})
	}
	x.sheets = append(x.sheets, x.f.word("about"))
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("xl/worksheets/sheet%d.xml", len(x.sheets)), Method: zip.Deflate})
	if err != nil {
		return err
	}
	x.sheet = bufio.NewWriterSize(w, buffered)
	b := append(x.line[:0], xmlHead+`<worksheet xmlns="`+mainSpace+`"><sheetViews><sheetView workbookViewId="0"/></sheetViews><cols><col min="1" max="1" width="30" customWidth="1"/><col min="2" max="2" width="90" customWidth="1"/></cols><sheetData>`...)
	for i, l := range lines {
		b = fmt.Appendf(b, `<row r="%d">`, i+1)
		if l.label != "" {
			b = x.text(b, 0, i+1, l.label, styleLabel)
		}
		if l.text != "" {
			b = x.text(b, 1, i+1, l.text, styleWrap)
		}
		b = append(b, `</row>`...)
	}
	x.line = append(b, `</sheetData></worksheet>`...)
	if err := x.flush(); err != nil {
		return err
	}
	return x.sheet.Flush()
}

// named is a part of the workbook and what stands in it.
type named struct{ name, body string }

// parts are the ones that say what the others are, in the order of writing.
func (x *xlsxFile) parts() []named {
	var book, rels, types strings.Builder
	for i, name := range x.sheets {
		n := i + 1
		fmt.Fprintf(&book, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, escaped(name), n, n)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, relations, n)
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, n, sheetType)
	}
	title, _ := x.f.Release.Title.In(x.f.language())
	made := x.f.Release.Issued.UTC().Format(time.RFC3339)
	return []named{
		{"xl/styles.xml", styles},
		{"xl/workbook.xml", `<workbook xmlns="` + mainSpace + `" xmlns:r="` + relations + `"><sheets>` + book.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packages + `relationships">` + rels.String() +
			fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/></Relationships>`, len(x.sheets)+1, relations)},
		{"docProps/core.xml", `<cp:coreProperties xmlns:cp="` + packages + `metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>` +
			escaped(title) + `</dc:title><dcterms:created xsi:type="dcterms:W3CDTF">` + made + `</dcterms:created></cp:coreProperties>`},
		{"_rels/.rels", `<Relationships xmlns="` + packages + `relationships"><Relationship Id="rId1" Type="` + relations + `/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" Type="` + packages +
			`relationships/metadata/core-properties" Target="docProps/core.xml"/><Relationship Id="rId3" Type="` + relations + `/custom-properties" Target="docProps/custom.xml"/></Relationships>`},
		{"[Content_Types].xml", `<Types xmlns="` + packages + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + sheetType + `sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="` + sheetType + `styles+xml"/>` + types.String() +
			`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/><Override PartName="/docProps/custom.xml" ContentType="application/vnd.openxmlformats-officedocument.custom-properties+xml"/></Types>`},
	}
}

package demo

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"testing"
)

// TestTheArchiveIsTheFolders: what the program carries is what stands in the
// folders, byte by byte. KOPRIK_UPDATE=1 packs them anew.
func TestTheArchiveIsTheFolders(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, folder := range []string{"packages", "updates"} {
		err := fs.WalkDir(os.DirFS("."), folder, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			// No time and no mode: the same files give the same archive.
			f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
			if err == nil {
				_, err = f.Write(data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("KOPRIK_UPDATE") != "" {
		if err := os.WriteFile("packed.zip", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		packed = b.Bytes()
	}
	want, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	have, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	if len(have.File) != len(want.File) {
		t.Fatalf("the archive has %d files, the folders %d; run with KOPRIK_UPDATE=1", len(have.File), len(want.File))
	}
	for i, f := range want.File {
		a, err := fs.ReadFile(have, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := fs.ReadFile(want, f.Name); err != nil || have.File[i].Name != f.Name || !bytes.Equal(a, b) {
			t.Errorf("%s is another in the archive; run with KOPRIK_UPDATE=1 (%v)", f.Name, err)
		}
	}
}

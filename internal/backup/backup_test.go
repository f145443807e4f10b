package backup_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"koprik/internal/backup"
	"koprik/portal"
)

// files are those of a small node.
var files = map[string]string{
	"koprik.toml": "role = \"mirror\"\n", "local.db": strings.Repeat("rows ", 2000), "keys/root.pem": "a key", "trust/1.root.json": "{}", "repository/metadata/1.root.json": "{}",
}

func none(int64, int64) {}

// write makes a backup of files; what is in other stands there in place of what the
// manifest says.
func write(t *testing.T, seal backup.Seal, other map[string]string) ([]byte, error) {
	t.Helper()
	m := backup.Manifest{Made: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Role: portal.Mirror, Title: "Nukus", Generation: 7}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := backup.Digest(name, strings.NewReader(files[name]))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, f)
	}
	var out bytes.Buffer
	err := backup.Write(&out, m, seal, func(f backup.File) (io.ReadCloser, error) {
		text, ok := other[f.Name]
		if !ok {
			text = files[f.Name]
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}, none)
	return out.Bytes(), err
}

// read gives all files of a backup.
func read(b []byte, k backup.Key) (map[string]string, error) {
	r, err := backup.Open("b", bytes.NewReader(b), k)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got := map[string]string{}
	err = r.Each(func(f backup.File, in io.Reader) error {
		text, err := io.ReadAll(in)
		got[f.Name] = string(text)
		return err
	})
	return got, err
}

func passphrase(text string) backup.Key {
	return backup.Key{Passphrase: func() ([]byte, error) { return []byte(text), nil }}
}

func TestABackupGivesBackWhatWasPutIn(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		seal   backup.Seal
		key    backup.Key
		wrong  backup.Key
		sealed bool
	}{
		"open":       {},
		"passphrase": {backup.Seal{Passphrase: []byte("olma anor uzum")}, passphrase("olma anor uzum"), passphrase("olma"), true},
		"recipient":  {backup.Seal{Recipients: []string{id.Recipient().String()}}, backup.Key{Identities: []byte(id.String())}, passphrase("olma"), true},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := write(t, tt.seal, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(b, tt.key)
			if err != nil || !maps.Equal(got, files) {
				t.Errorf("%v %v", got, err)
			}
			if !backup.Looks(bytes.NewReader(b)) {
				t.Error("it does not look like a backup")
			}
			if tt.sealed {
				if _, err := read(b, tt.wrong); !errors.Is(err, portal.ErrRejected) {
					t.Errorf("a wrong key: %v", err)
				}
				if bytes.Contains(b, []byte("a key")) {
					t.Error("a key stands in it as it is")
				}
			}
		})
	}
}

func TestABackupThatIsCutShortOrAlteredIsNotGivenOut(t *testing.T) {
	for name, seal := range map[string]backup.Seal{"open": {}, "sealed": {Passphrase: []byte("olma anor uzum")}} {
		b, err := write(t, seal, nil)
		if err != nil {
			t.Fatal(err)
		}
		step := 1 + len(b)/400
		if seal.Sealed() {
			step = len(b) / 9 // each try costs the passphrase's effort
		}
		for n := 0; n < len(b); n += step {
			if _, err := read(b[:n], passphrase("olma anor uzum")); err == nil {
				t.Fatalf("%s: %d of %d bytes are taken for a whole backup", name, n, len(b))
			}
			flipped := bytes.Clone(b)
			flipped[n] ^= 1
			got, err := read(flipped, passphrase("olma anor uzum"))
			if err == nil && !maps.Equal(got, files) {
				t.Fatalf("%s: with byte %d altered it gives something else", name, n)
			}
		}
		if _, err := read(append(bytes.Clone(b), b...), passphrase("olma anor uzum")); err == nil {
			t.Errorf("%s: it goes on behind its end, and is taken", name)
		}
	}
}

func TestAFileThatChangesWhileItIsCopiedSpoilsTheBackup(t *testing.T) {
	for _, text := range []string{"", "rows", files["local.db"] + "x", strings.Repeat("ROWS ", 2000)} {
		if _, err := write(t, backup.Seal{}, map[string]string{"local.db": text}); err == nil {
			t.Errorf("%.10q was written in place of what was hashed", text)
		}
	}
}

// hostile makes an archive with a manifest and entries that need not fit.
func hostile(t *testing.T, manifest string, entries ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	all := append([]*tar.Header{{Name: "koprik-backup.json", Typeflag: tar.TypeReg, Size: int64(len(manifest))}}, entries...)
	for i, h := range all {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			_, _ = io.WriteString(w, manifest)
		} else if h.Typeflag == tar.TypeReg {
			_, _ = w.Write(make([]byte, h.Size))
		}
	}
	_ = w.Close()
	_ = z.Close()
	return out.Bytes()
}

func TestHostileBackupsAreRefused(t *testing.T) {
	const zero = "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" // of one zero byte
	file := func(name string) string { return `{"name":"` + name + `","bytes":1,"sha256":"` + zero + `"}` }
	manifest := func(names ...string) string {
		all := []string{file("koprik.toml"), file("local.db")}
		for _, n := range names {
			all = append(all, file(n))
		}
		return `{"format":"koprik backup 1","files":[` + strings.Join(all, ",") + `]}`
	}
	reg := func(name string) *tar.Header { return &tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 1} }
	base := []*tar.Header{reg("koprik.toml"), reg("local.db")}
	if _, err := read(hostile(t, manifest(), base...), backup.Key{}); err != nil {
		t.Fatalf("the whole one: %v", err)
	}
	for name, b := range map[string][]byte{
		"nothing":               nil,
		"a text":                []byte("role = central"),
		"a zip":                 []byte("PK\x03\x04...."),
		"another format":        hostile(t, `{"format":"koprik backup 2","files":[]}`),
		"no manifest":           hostile(t, `[]`),
		"no local.db":           hostile(t, `{"format":"koprik backup 1","files":[`+file("koprik.toml")+`]}`, base[:1]...),
		"a way out":             hostile(t, manifest("keys/../../etc/passwd"), append(slices.Clone(base), reg("keys/../../etc/passwd"))...),
		"an absolute path":      hostile(t, manifest("/etc/passwd"), append(slices.Clone(base), reg("/etc/passwd"))...),
		"a foreign file":        hostile(t, manifest("index/x"), append(slices.Clone(base), reg("index/x"))...),
		"a name of Windows":     hostile(t, manifest(`keys/a:b`), append(slices.Clone(base), reg("keys/a:b"))...),
		"a file twice":          hostile(t, manifest("local.db"), append(slices.Clone(base), reg("local.db"))...),
		"a file more":           hostile(t, manifest(), append(slices.Clone(base), reg("keys/root.pem"))...),
		"a file less":           hostile(t, manifest("keys/root.pem"), base...),
		"a link":                hostile(t, manifest("keys/root.pem"), append(slices.Clone(base), &tar.Header{Name: "keys/root.pem", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"})...),
		"another length":        hostile(t, manifest("keys/root.pem"), append(slices.Clone(base), &tar.Header{Name: "keys/root.pem", Typeflag: tar.TypeReg, Size: 1 << 20})...),
		"a length below 0":      hostile(t, strings.Replace(manifest(), `"bytes":1`, `"bytes":-1`, 1), base...),
		"a long manifest alone": hostile(t, strings.Repeat(" ", 1<<20)),
	} {
		_, err := read(b, backup.Key{})
		if !errors.Is(err, portal.ErrRejected) && !errors.Is(err, portal.ErrUnverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("age-encryption.org/v1\n-> X25519"))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	var out bytes.Buffer
	z, _ := zstd.NewWriter(&out)
	w := tar.NewWriter(z)
	_ = w.WriteHeader(&tar.Header{Name: "koprik-backup.json", Size: 2})
	_, _ = io.WriteString(w, "{}")
	_ = w.Close()
	_ = z.Close()
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := read(b, backup.Key{}); err == nil && len(got) == 0 {
			t.Error("an empty backup is taken")
		}
	})
}

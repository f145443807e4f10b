package post

import (
	"bytes"
	"testing"
)

func TestPaddingComesOffAsItWasPutOn(t *testing.T) {
	for _, n := range []int{0, 1, 1020, 1021, 2044, 2045, 16<<10 - 4} {
		body := bytes.Repeat([]byte{'x'}, n)
		padded, err := pad(body)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if got, err := unpad(padded); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := pad(make([]byte, 16<<10-3)); err == nil {
		t.Error("too much was padded")
	}
}

func FuzzUnpad(f *testing.F) {
	one, _ := pad([]byte("one"))
	f.Add(one)
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := unpad(b)
		if err != nil {
			return
		}
		if again, err := pad(body); err != nil || !bytes.Equal(again, b) {
			t.Fatal("another padding was taken")
		}
	})
}

func FuzzDecodeQuestion(f *testing.F) {
	f.Add([]byte(`{"kind":"question","text":"a","language":"uz","day":"2026-11-23","sequence":1}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var q questionJSON
		if decode(b, &q) != nil {
			return
		}
		out, err := encode(q)
		if err != nil {
			t.Fatal(err)
		}
		var again questionJSON
		if err := decode(out, &again); err != nil || again != q {
			t.Fatalf("its own writing is not read: %v", err)
		}
	})
}

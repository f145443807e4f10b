package qr

import (
	"strings"
	"testing"
)

func TestACodeHasItsMarginAndItsThreeCorners(t *testing.T) {
	path, size, ok := Path("https://example.uz/")
	if !ok || size < 21+2*quietZone {
		t.Fatalf("%d, %v", size, ok)
	}
	rows := map[string]string{"upper left": "M4 4h7v1h-7", "upper right": "h7v1h-7M4 5h1v1h-1", "lower left": "M4 "}
	for corner, want := range rows {
		if !strings.Contains(path, want) {
			t.Errorf("no %s corner in %.80s", corner, path)
		}
	}
	if strings.Contains(path, "M0 ") || strings.Contains(path, "M3 ") {
		t.Errorf("something stands in the margin: %s", path)
	}
}

func TestWhatFitsNoCodeIsNone(t *testing.T) {
	if path, size, ok := Path(strings.Repeat("x", 5000)); ok || path != "" || size != 0 {
		t.Errorf("%d %v %.40s", size, ok, path)
	}
}

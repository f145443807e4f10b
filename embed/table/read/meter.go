package read

import (
	"fmt"
	"io"
)

// meter lets a reader give only so many bytes between two calls of reset. A
// decoder that buffers one token, whatever its length, so stays bounded.
type meter struct {
	r     io.Reader
	limit int64
	left  int64
}

func newMeter(r io.Reader, limit int64) *meter { return &meter{r: r, limit: limit, left: limit} }

func (m *meter) reset() { m.left = m.limit }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("more than %d MiB in one piece: %w", m.limit>>20, errTooBig)
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

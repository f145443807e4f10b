package carrier

import "io"

// Encode writes the size bytes of r as the one zstd frame of WriteObject.
func Encode(w io.Writer, r io.Reader, size int64) error { return encode(w, r, size) }

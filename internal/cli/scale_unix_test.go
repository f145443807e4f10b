//go:build unix

package cli

import (
	"os"
	"runtime"
	"syscall"
)

// peak is the most memory that an ended process had, in bytes.
func peak(s *os.ProcessState) int64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	most := int64(u.Maxrss) //nolint:unconvert // of 32 bits where the machine is
	if runtime.GOOS == "darwin" {
		return most // bytes there, kilobytes elsewhere
	}
	return most << 10
}

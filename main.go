// Koprik is a whole open-data portal in one program (docs/ARCHITECTURE.md).
package main

import (
	"os"
	"runtime/debug"
	"time"

	"koprik/internal/cli"
)

// version is set by the linker (Makefile, "build").
var version = "dev"

func main() {
	os.Exit(cli.Main(cli.Program{Version: version, Build: buildTime()}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// buildTime is the commit's time, which no trusted clock may be before; zero
// when the build does not know it.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			t, _ := time.Parse(time.RFC3339, s.Value)
			return t
		}
	}
	return time.Time{}
}

package cli

import (
	"fmt"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"koprik/portal"
)

// stages are what takes long, in words.
var stages = map[string]string{
	"read":     "reading",
	"metadata": "checking signatures",
	"plan":     "planning",
	"fetch":    "fetching",
	"apply":    "writing the catalogue",
	"owed":     "fetching what was missing",
	"tables":   "building tables",
	"verify":   "verifying",
	"export":   "writing the stick",
	"backup":   "reading the backup",
	"restore":  "taking it out of the backup",
}

// progress shows a bar for each stage when a person is looking at a terminal.
func (a *app) progress() func(stage string, done, total int64) {
	f, ok := a.stderr.(*os.File)
	if a.quiet || a.json || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var mu sync.Mutex // several contents arrive side by side
	var bar *progressbar.ProgressBar
	var current string
	return func(stage string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if stage != current {
			if bar != nil {
				_ = bar.Finish()
			}
			current = stage
			if total == 0 {
				total = -1
			}
			bar = progressbar.NewOptions64(total, progressbar.OptionSetDescription(stages[stage]),
				progressbar.OptionSetWriter(f), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(65e6))
		}
		_ = bar.Set64(done)
	}
}

// doing says what a sync is doing.
func doing(s portal.SyncNow) string {
	if s.Total == 0 {
		return stages[string(s.Stage)]
	}
	return fmt.Sprintf("%s, %d of %d", stages[string(s.Stage)], s.Done, s.Total)
}

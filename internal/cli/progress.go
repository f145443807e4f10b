package cli

import (
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// stages are what takes long, in words.
var stages = map[string]string{
	"read":   "reading",
	"fetch":  "fetching",
	"tables": "building tables",
	"verify": "verifying",
	"export": "writing the stick",
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

package site

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"koprik/portal"
)

// browser starts a headless Chromium. Without one the test is skipped, unless
// KOPRIK_REQUIRE_BROWSER=1 says that there must be one.
func browser(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("KOPRIK_REQUIRE_BROWSER") == "1" {
			t.Fatal("no Chromium on this machine, and KOPRIK_REQUIRE_BROWSER=1")
		}
		t.Skip("no Chromium on this machine: chromium, chromium-browser or google-chrome in the PATH")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	}
	ctx, cancel := context.WithTimeout(t.Context(), browserTime())
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestInABrowser opens every page on a phone and on a desktop: nothing sticks
// out sideways, and the browser complains of nothing, the policy included.
// KOPRIK_SCREENSHOTS names a folder for pictures.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser: not with -short")
	}
	var flags []chromedp.ExecAllocatorOption
	if os.Getenv("KOPRIK_DARK") == "1" {
		flags = append(flags, chromedp.Flag("blink-settings", "preferredColorScheme=0"))
	}
	ctx := browser(t, flags...)
	url, addresses := layouts[1].served(t)
	console := chromedp.Console(ctx)
	for _, l := range portal.Langs {
		for i, below := range addresses {
			address := url + "/" + l.Path() + below
			if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			for _, width := range []int64{320, 360, 1280} {
				lookAt(t, ctx, address, width)
				picture(t, ctx, fmt.Sprintf("%d-%s-%02d.png", width, l, i))
			}
		}
	}
	const end = "that was all"
	if err := chromedp.Do(ctx, say(end)); err != nil {
		t.Fatal(err)
	}
	for m, err := range console {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text == end {
			break
		}
		// A page that says "404", "410" or "400" is one: the browser notes its status.
		if m.Source == "network" && (strings.Contains(m.Text, "404") || strings.Contains(m.Text, "410") || strings.Contains(m.Text, "400 (Bad")) && !strings.Contains(m.URL, "/assets/") {
			continue
		}
		t.Errorf("%s: %s: %s", m.URL, m.Type, m.Text)
	}
}

// say writes a line to the page's console.
func say(text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool](fmt.Sprintf("console.log(%q), true", text))(ctx, target)
		return chromedp.Void{}, err
	}
}

// lookAt checks the page that is open in a window of the width.
func lookAt(t *testing.T, ctx context.Context, address string, width int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64]("document.styleSheets.length >= 1 ? document.documentElement.scrollWidth : -1"))
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	if wide > width || wide < 0 {
		t.Errorf("%s: %d px wide in a window of %d", address, wide, width)
	}
}

func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("KOPRIK_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// browserTime is how long a browser may run for one test.
func browserTime() time.Duration {
	if soak() {
		return time.Hour
	}
	return 3 * time.Minute
}

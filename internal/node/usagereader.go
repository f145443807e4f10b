package node

import (
	"net/http"
	"net/url"
	"strings"

	"koprik/portal"
)

// Count counts one use, unless it was no person's: that the request tells, of which
// nothing is kept. It costs a page less than a microsecond.
func (n *Node) Count(r *http.Request, k portal.UsageKey) {
	if !byPerson(r, k.Kind) {
		return
	}
	if k.Lang == "" {
		k.Lang = cameFrom(r)
	}
	n.countUse(k)
}

// Missed counts a search that found nothing. Its words are held until the next
// flush, which forgets all of them that were not missed on five different days.
func (n *Node) Missed(r *http.Request, l portal.Lang, text string) {
	if byPerson(r, portal.Misses) {
		n.missed(l, text)
	}
}

// byPerson tells what counts (docs/reference/usage.md): what somebody asked for to
// read it now. Robots, programs that look whether a page is still there, and browsers
// that fetch ahead do not; nor who does not say what he is. A file may also be fetched
// by a program of a person's: it need not be a browser.
func byPerson(r *http.Request, kind portal.UsageKind) bool {
	if r.Method != http.MethodGet {
		return false
	}
	h := r.Header
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if v := h.Get(name); v != "" && (strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview")) {
			return false
		}
	}
	agent := h.Get("User-Agent")
	if kind != portal.Downloads && !strings.HasPrefix(agent, "Mozilla/") && !strings.HasPrefix(agent, "Opera/") {
		return false
	}
	return agent != "" && !isRobot(agent)
}

// robots are parts of the names of programs that nobody reads with, in small
// letters; those that are not browsers are told apart already.
var robots = []string{"bot", "crawl", "spider", "slurp", "archiver", "monitor", "headless", "lighthouse", "preview", "facebookexternalhit", "scan", "check"}

func isRobot(agent string) bool {
	agent = strings.ToLower(agent[:min(len(agent), 512)])
	for _, part := range robots {
		if strings.Contains(agent, part) {
			return true
		}
	}
	return false
}

// cameFrom is the language of the page of this node that led to a file; "" where
// none did.
func cameFrom(r *http.Request) portal.Lang {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	l, err := portal.ParseLang(first)
	if err != nil {
		return ""
	}
	return l
}

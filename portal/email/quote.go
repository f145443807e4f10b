package email

import (
	"html"
	"regexp"
	"strings"
)

// Above begins the first line of every letter: what stands below it in a reply
// is quoted.
const Above = "##-"

// Answer gives what a person wrote into a reply: what stands above the quoted
// letter, without the line that introduces it and without a signature.
func Answer(text string) string {
	lines := strings.Split(text, "\n")
	own := 0 // behind the writer's last line, if quotation marks are to be believed
	for i, l := range lines {
		if strings.TrimSpace(l) != "" && !strings.HasPrefix(l, ">") {
			own = i + 1
		}
	}
	end := len(lines)
	for i := range lines {
		if quoteBegins(lines, i) || i >= own && strings.HasPrefix(lines[i], ">") {
			end = i
			break
		}
	}
	quoted := end < len(lines)
	lines = lines[:end]
	for i, l := range lines {
		if l == "-- " || l == "--" { // the signature, as RFC 3676 marks it
			lines = lines[:i]
			break
		}
	}
	return strings.TrimSpace(strings.Join(withoutIntroduction(lines, quoted), "\n"))
}

var (
	// original is what mail programs draw above a letter that they quote.
	original = regexp.MustCompile(`^\s*(-{2,}\s*(Original Message|Forwarded message|Исходное сообщение|Пересылаемое сообщение|Asl xabar|Dastlabki xabar)\s*-{2,}|_{20,})\s*$`)
	// sender is the first line of the block that Outlook writes.
	sender = regexp.MustCompile(`^\s*\*?(From|От|От кого|Kimdan|Kimnen)\s*:\*?\s*\S`)
	// others are the lines that follow it.
	others = regexp.MustCompile(`(?m)^\s*\*?(To|Sent|Subject|Кому|Отправлено|Дата|Тема|Kimga|Sana|Mavzu)\s*:`)
)

// quoteBegins tells whether a quotation begins with the i-th line.
func quoteBegins(lines []string, i int) bool {
	l := strings.TrimLeft(lines[i], "> \t")
	switch {
	case strings.HasPrefix(l, Above), original.MatchString(lines[i]):
		return true
	case sender.MatchString(lines[i]):
		const near = 4
		return others.MatchString(strings.Join(lines[i+1:min(len(lines), i+1+near)], "\n"))
	}
	return false
}

// withoutIntroduction drops "On … wrote:" above a quotation: the last lines, up to
// three, that end with a colon and name an address or a time.
func withoutIntroduction(lines []string, quoted bool) []string {
	for len(lines) > 0 && strings.TrimSpace(strings.TrimLeft(lines[len(lines)-1], ">")) == "" {
		lines = lines[:len(lines)-1]
	}
	if !quoted || len(lines) == 0 || !strings.HasSuffix(strings.TrimSpace(lines[len(lines)-1]), ":") {
		return lines
	}
	const most = 3
	begin := len(lines) - 1
	for begin > 0 && len(lines)-begin < most && strings.TrimSpace(lines[begin-1]) != "" {
		begin--
	}
	said := strings.Join(lines[begin:], " ")
	last := lines[len(lines)-1]
	switch {
	case strings.ContainsAny(last, "@<"):
		if introduces(last) {
			return lines[:len(lines)-1]
		}
		return lines[:begin]
	case strings.ContainsAny(said, "@<"):
		return lines[:begin]
	}
	return lines
}

// introduces tells a line that has both a time and an address: it is the whole
// introduction.
func introduces(l string) bool { return regexp.MustCompile(`\d{1,2}[:.]\d{2}`).MatchString(l) }

var (
	hidden  = regexp.MustCompile(`(?is)<(style|script|head|title)\b.*?</(style|script|head|title)\s*>|<!--.*?-->`)
	older   = regexp.MustCompile(`(?is)<(blockquote\b|div[^>]*\b(gmail_quote|divRplyFwdMsg|appendonsend|yahoo_quoted)).*`)
	breaks  = regexp.MustCompile(`(?i)<(br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>`)
	anyTag  = regexp.MustCompile(`(?s)<[^>]*>`)
	newline = regexp.MustCompile(`[ \t]*\n[ \t]*`)
)

// pageText gives the words of a message that is only a page. It is read, never
// shown as one.
func pageText(page string) string {
	page = older.ReplaceAllString(hidden.ReplaceAllString(page, ""), "")
	page = strings.Join(strings.Fields(page), " ")
	page = anyTag.ReplaceAllString(breaks.ReplaceAllString(page, "\n"), "")
	page = strings.ReplaceAll(html.UnescapeString(page), "\u00a0", " ")
	return newline.ReplaceAllString(page, "\n")
}

package node

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// usageDataset is the name of the dataset of what was counted; its publisher's slug
// stands before it.
const usageDataset = "portal-usage"

// usageSettings say what a centre does with what was counted.
var usageSettings = []Setting{
	{
		Key: "usage_publisher", Help: "the publisher as whom a serving centre publishes the dataset of what was counted, on the third of each month; empty: only koprik usage publish does",
		get: func(c *Config) string { return string(c.UsagePublisher) },
		set: func(c *Config, v string) (err error) { c.UsagePublisher, err = portal.ParsePublisherID(v); return err },
	},
}

// usageWait is on which day of a month the months before are published: reports of
// its last day need time to come.
const usageWait = 3

// lastWhole is the last month that is over.
func lastWhole(today portal.Date) portal.Month { return portal.MonthOf(today).Before(1) }

// publishedKey is where local.db has the last month that was published on schedule.
const usagePublishedKey = "usage-published"

// errNoWholeMonth says that there is nothing to publish yet.
var errNoWholeMonth error = portal.Rejected(usageDataset, "nothing was counted in a month that is over").WithHint("it can be published when a month has ended")

// publishUsageDue publishes what was counted when a serving centre is told to and a
// new month is due. A centre in its first month has nothing to publish, and tries
// again.
func (n *Node) publishUsageDue(ctx context.Context) error {
	today := portal.DateOf(n.Now())
	if n.config.UsagePublisher == "" || today.Time().Day() < usageWait {
		return nil
	}
	month := string(lastWhole(today))
	if done, _, err := n.local.Get(ctx, usagePublishedKey); err != nil || done >= month {
		return err
	}
	if _, err := n.PublishUsage(ctx, n.config.UsagePublisher); errors.Is(err, errNoWholeMonth) {
		return nil
	} else if err != nil {
		return err
	}
	return n.local.Set(ctx, usagePublishedKey, month)
}

// PublishUsage makes a release of what was counted in whole months, as publisher; ""
// is the configured one. It is a dataset as others are: signed, with a passport, for
// which the publisher's own contact answers.
func (n *Node) PublishUsage(ctx context.Context, publisher portal.PublisherID) (Published, error) {
	if !n.central() {
		return Published{}, notCentral("usage publish")
	}
	draft, err := n.usageDraft(ctx)
	if err != nil {
		return Published{}, err
	}
	return n.Publish(ctx, publisher, []Input{{Label: usageDataset, Draft: &draft}})
}

// usageDraft makes the same of the same counts, whenever it is called.
func (n *Node) usageDraft(ctx context.Context) (d datapackage.Draft, err error) {
	end := portal.Date(portal.MonthOf(portal.DateOf(n.Now())) + "-01")
	totals, err := n.sumUsage(ctx, true, portal.DateOf(end.Time().AddDate(0, 0, -1)))
	if err != nil {
		return d, err
	}
	if len(totals.Months) == 0 {
		return d, errNoWholeMonth
	}
	t := func(key string) portal.Text { return usageTexts[key] }
	d = datapackage.Draft{Name: usageDataset, HasPassport: true}
	d.Release = portal.Release{
		Title: t("title"), Description: t("description"), Themes: []portal.ThemeID{"government"}, Keywords: []string{"usage"},
		Licenses: []portal.License{{Name: "CC-BY-4.0"}},
		Passport: portal.Passport{
			Uploaded: end, LastChanged: end, NextDue: portal.DateOf(end.Time().AddDate(0, 1, usageWait)),
			Periodicity: "monthly", Unit: t("times"), Method: t("method"), PrimarySource: t("source"),
		},
	}
	months := [][]string{{"month", "visits", "downloads", "searches", "misses", "kiosk_sessions"}}
	for _, m := range totals.Months {
		months = append(months, append([]string{string(m.Month)}, counts(m.Visits, m.Downloads, m.Searches, m.Misses, m.KioskSessions)...))
	}
	addTable(&d, "months", months)
	datasets := [][]string{{"dataset", "visits", "downloads"}}
	for _, u := range totals.Datasets {
		datasets = append(datasets, append([]string{string(u.Dataset)}, counts(u.Visits, u.Downloads)...))
	}
	addTable(&d, "datasets", datasets)
	words := [][]string{{"word", "searches"}}
	for _, w := range totals.Words {
		words = append(words, append([]string{w.Word}, counts(w.Searches)...))
	}
	addTable(&d, "words", words)
	return d, n.addDesks(&d)
}

// addDesks adds what publishers and their units have done with inquiries, as the
// centre has told it last.
func (n *Node) addDesks(d *datapackage.Draft) error {
	s, err := n.sidesNow()
	if err != nil {
		return err
	}
	desks, err := n.deskNumbers(s)
	if err != nil {
		return err
	}
	rows := [][]string{{"office", "unit", "received", "answered", "overdue", "median_days"}}
	for _, k := range desks {
		unit, _ := k.Unit.In(portal.Uzbek)
		rows = append(rows, append([]string{string(k.Publisher), unit}, plainCounts(k.Received, k.Answered, k.Overdue, k.Median)...))
	}
	addTable(d, "answers", rows)
	return nil
}

func plainCounts(list ...int) []string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return texts
}

// fewText is how a small count is written: no number, and none is missing either.
const fewText = "<5"

func counts(list ...int64) []string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.FormatInt(n, 10)
		if n > 0 && n < portal.SmallCount {
			texts[i] = fewText
		}
	}
	return texts
}

// addTable adds a table to a draft; one without rows is left out.
func addTable(d *datapackage.Draft, name string, rows [][]string) {
	if len(rows) < 2 {
		return
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // a buffer takes all
	s := &portal.TableSchema{MissingValues: []string{"", fewText}}
	for i, column := range rows[0] {
		f := portal.Field{Name: column, Type: "integer", Title: usageTexts[column]}
		switch {
		case column == "month":
			f.Type = "yearmonth"
		case i == 0, column == "unit":
			f.Type = "string"
		}
		s.Fields = append(s.Fields, f)
	}
	d.Release.Resources = append(d.Release.Resources, portal.Resource{
		Name: name, Path: name + ".csv", Title: usageTexts["table-"+name], Format: "csv", MediaType: "text/csv", Encoding: "utf-8", Schema: s,
	})
	d.Files = append(d.Files, datapackage.DraftFile{Inline: []byte(strings.ReplaceAll(b.String(), "\r\n", "\n"))})
}

// usageText is a text in the languages of a manifest.
func usageText(uz, kaa, ru, en string) portal.Text {
	return portal.Text{Plain: uz, Translated: map[portal.Lang]string{portal.Uzbek: uz, portal.Karakalpak: kaa, portal.Russian: ru, portal.English: en}}
}

// usageTexts are the words of the dataset, by what they name.
var usageTexts = map[string]portal.Text{
	"title": usageText("Portaldan foydalanish", "Portaldan paydalanıw", "Использование портала", "Use of the portal"),
	"description": usageText(
		"Portalning barcha tugunlarida sahifalar va fayllar necha marta soʻralgani. Odamlar emas, soʻrovlar sanaladi; 1 dan 4 gacha boʻlgan sonlar “<5” deb yozilgan.",
		"Portaldıń barlıq túyinlerinde betler hám faylları neshe márte soralǵanı. Adamlar emes, soranıslar sanaladı; 1 den 4 ke shekemgi sanlar “<5” dep jazılǵan.",
		"Сколько раз на всех узлах портала запрашивали страницы и файлы. Считаются запросы, а не люди; числа от 1 до 4 записаны как «<5».",
		"How often pages and files were asked for at all nodes of the portal. Requests are counted, not people; numbers from 1 to 4 are written as “<5”."),
	"method": usageText(
		"Tugunlar kun boʻyicha sanaydi va imzolangan hisobotlar yuboradi; markaz ularni qoʻshadi. Robotlar sanalmaydi.",
		"Túyinler kún boyınsha sanaydı hám qol qoyılǵan esabatlar jiberedi; oray olardı qosadı. Robotlar sanalmaydı.",
		"Узлы считают по дням и присылают подписанные отчёты; центр складывает их. Роботы не считаются.",
		"Nodes count by day and send signed reports; the centre adds them up. Robots are not counted."),
	"source":         usageText("Portal tugunlarining hisoblagichlari", "Portal túyinleriniń esaplaǵıshları", "Счётчики узлов портала", "Counters of the portal’s nodes"),
	"times":          usageText("marta", "márte", "раз", "times"),
	"month":          usageText("Oy", "Ay", "Месяц", "Month"),
	"dataset":        usageText("Toʻplam", "Toplam", "Набор данных", "Dataset"),
	"word":           usageText("Soʻz", "Sóz", "Слово", "Word"),
	"visits":         usageText("Koʻrishlar", "Kóriwler", "Просмотры", "Visits"),
	"downloads":      usageText("Yuklab olishlar", "Júklep alıwlar", "Скачивания", "Downloads"),
	"searches":       usageText("Qidiruvlar", "Izlewler", "Поиски", "Searches"),
	"misses":         usageText("Natijasiz qidiruvlar", "Nátiyjesiz izlewler", "Поиски без результата", "Searches without hits"),
	"kiosk_sessions": usageText("Jamoat ekranlariga tashriflar", "Jámiyetlik ekranlarǵa barıwlar", "Посещения общественных экранов", "Visits to public screens"),
	"office":         usageText("Nashr etuvchi", "Basıp shıǵarıwshı", "Издатель", "Publisher"),
	"unit":           usageText("Boʻlim", "Bólim", "Подразделение", "Unit"),
	"received":       usageText("Kelgan savollar", "Kelgen sorawlar", "Получено вопросов", "Questions received"),
	"answered":       usageText("Javob berilgan", "Juwap berilgen", "Отвечено", "Answered"),
	"overdue":        usageText("Muddati oʻtgan", "Múddeti ótken", "Просрочено", "Overdue"),
	"median_days":    usageText("Javobgacha ish kunlari (mediana)", "Juwapqa shekem jumıs kúnleri (mediana)", "Рабочих дней до ответа (медиана)", "Working days to the answer (median)"),
	"table-answers":  usageText("Savollar va javoblar", "Sorawlar hám juwaplar", "Вопросы и ответы", "Questions and answers"),
	"table-months":   usageText("Oylar boʻyicha", "Aylar boyınsha", "По месяцам", "By month"),
	"table-datasets": usageText("Toʻplamlar boʻyicha, oʻn ikki oy", "Toplamlar boyınsha, on eki ay", "По наборам данных, двенадцать месяцев", "By dataset, twelve months"),
	"table-words":    usageText("Qidirilgan va topilmagan soʻzlar, oʻn ikki oy", "Izlengen hám tabılmaǵan sózler, on eki ay", "Слова, которые искали и не нашли, двенадцать месяцев", "Words searched for in vain, twelve months"),
}

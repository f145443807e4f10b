package demo

import (
	"fmt"
	"time"

	"koprik/portal"
)

// Question is an example of something asked: nobody has asked it. It was asked Asked
// days ago, and answered Answered days ago.
type Question struct {
	portal.Inquiry
	Asked    int
	Answered int
	Answer   portal.Answer      // the zero value: it has none yet
	Shown    bool               // a moderator has let the public read it
	Code     portal.ReceiptCode // the zero value: one that nobody knows
}

// Receipt is the code that opens the answer to the private one of Questions, so
// that it can be tried at any node of the demonstration.
var Receipt = portal.NewReceiptCode([portal.ReceiptRandom]byte{'d', 'e', 'm', 'o'})

// Questions are examples, so that inbox, threads and receipts show each state: one
// answered, one that became data, one refused, one on time, one that waits too long,
// one that only its receipt opens, and one that waits for a moderator.
func Questions() []Question {
	of := func(kind portal.InquiryKind, lang portal.Lang, id portal.DatasetID, text string) portal.Inquiry {
		q := portal.Inquiry{Kind: kind, Lang: lang, Text: text, Public: true}
		if id != "" {
			q.About = portal.Place{Dataset: id, Release: 1}
		}
		return q
	}
	said := func(state portal.InquiryState, lang portal.Lang, text string) portal.Answer {
		post := map[portal.Lang]string{portal.Uzbek: "Namoyish stoli", portal.Russian: "Демонстрационный отдел"}[lang]
		office, _ := PublisherTitle.In(lang)
		return portal.Answer{State: state, Lang: lang, Text: text, Post: post, Office: office}
	}
	became := said(portal.Published, portal.Russian, "Да, это отдельный набор данных. Это ответ для примера.")
	became.Dataset = "demo_live-births-by-sex"
	private := of(portal.Question, portal.Uzbek, "demo_doctors-by-region", "Shifokorlar soniga stomatologlar kiradimi? (misol)")
	private.Public = false
	return []Question{
		{
			Inquiry: of(portal.Question, portal.Uzbek, "demo_population-by-region", "Aholi soni yilning qaysi kuniga berilgan? (misol)"), Asked: 40, Answered: 31, Shown: true,
			Answer: said(portal.Answered, portal.Uzbek, "Raqamlar qaysi kunga tegishli ekani jadval sarlavhasida va pasportida yozilgan. Bu misol uchun yozilgan javob."),
		},
		{
			Inquiry: of(portal.BreakdownRequest, portal.Russian, "demo_live-births-by-region", "Есть ли рождения отдельно по мальчикам и девочкам? (пример)"), Asked: 70, Answered: 52, Shown: true,
			Answer: became,
		},
		{
			Inquiry: of(portal.DataRequest, portal.Uzbek, "", "Har bir oʻquvchining baholari kerak. (misol)"), Asked: 25, Answered: 20, Shown: true,
			Answer: said(portal.Refused, portal.Uzbek, "Shaxsga doir maʼlumotlar eʼlon qilinmaydi. Bu misol uchun yozilgan javob."),
		},
		{Inquiry: of(portal.Question, portal.Russian, "demo_hospitals-by-region", "Входят ли в число больниц частные? (пример)"), Asked: 3, Shown: true},
		{Inquiry: of(portal.DataRequest, portal.Uzbek, "demo_general-schools", "Maktablar soni shahar va qishloq boʻyicha ham kerak. (misol)"), Asked: 60, Shown: true},
		{
			Inquiry: private, Asked: 20, Answered: 12, Code: Receipt,
			Answer: said(portal.Answered, portal.Uzbek, "Buni maʼlumot pasportida koʻrsatilgan idora biladi. Bu misol uchun yozilgan javob: uni faqat kvitansiya kodi ochadi."),
		},
		{Inquiry: of(portal.Feedback, portal.English, "", "The map is small on my phone. (example)"), Asked: 1},
	}
}

// Holidays are the days on which the law of the country closes its offices every
// year, of the last, this and the next one; days that a decree adds or moves are not
// among them.
func Holidays(now time.Time) (days []portal.Date) {
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		for _, d := range []string{"01-01", "03-08", "03-21", "05-09", "09-01", "10-01", "12-08"} {
			days = append(days, portal.Date(fmt.Sprintf("%04d-%s", year, d)))
		}
	}
	return days
}

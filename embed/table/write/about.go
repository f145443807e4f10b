package write

import (
	"strconv"
	"strings"
	"time"

	"koprik/portal"
)

// language is that of the words in a file: the reader's, English where nobody
// asked for one.
func (f *File) language() portal.Lang {
	if f.Lang == "" {
		return portal.English
	}
	return f.Lang
}

// line is one thing that is known about a file.
type line struct {
	key         string // as programs read it
	label, text string
}

// words of the sheet about the data, by key, in the order of portal.Langs. They
// stand here and not in ui/locale because they are part of a file's bytes: they
// cannot be overridden by an office, and change only with Version.
var words = map[string][5]string{
	"about":         {"Maʼlumot haqida", "Маълумот ҳақида", "Maǵlıwmat haqqında", "О данных", "About"},
	"data":          {"Maʼlumot", "Маълумот", "Maǵlıwmat", "Данные", "Data"},
	"title":         {"Maʼlumotlar toʻplami", "Маълумотлар тўплами", "Maǵlıwmatlar toplamı", "Набор данных", "Dataset"},
	"description":   {"Tavsifi", "Тавсифи", "Sıpatlaması", "Описание", "Description"},
	"table":         {"Jadval", "Жадвал", "Keste", "Таблица", "Table"},
	"dataset":       {"Identifikatori", "Идентификатори", "Identifikatorı", "Идентификатор", "Identifier"},
	"release":       {"Nashri", "Нашри", "Basılımı", "Выпуск", "Release"},
	"issued":        {"Chiqarilgan vaqti", "Чиқарилган вақти", "Shıǵarılǵan waqtı", "Выпущен", "Issued"},
	"reason":        {"Nashr sababi", "Нашр сабаби", "Basılım sebebi", "Причина выпуска", "Reason for the release"},
	"uploaded":      {"Yuklangan sana", "Юкланган сана", "Júklengen sáne", "Дата загрузки", "Uploaded"},
	"changed":       {"Oxirgi oʻzgarish", "Охирги ўзгариш", "Sońǵı ózgeris", "Последнее изменение", "Last changed"},
	"unit":          {"Oʻlchov birligi", "Ўлчов бирлиги", "Ólshem birligi", "Единица измерения", "Unit"},
	"method":        {"Hisoblash usuli", "Ҳисоблаш усули", "Esaplaw usılı", "Метод расчёта", "Method"},
	"source":        {"Maʼlumot manbasi", "Маълумот манбаси", "Maǵlıwmat deregi", "Источник", "Source"},
	"quality":       {"Qanday tekshirilgan", "Қандай текширилган", "Qalay tekserilgen", "Как проверено", "How it was checked"},
	"note":          {"Izoh", "Изоҳ", "Túsindirme", "Примечание", "Note"},
	"license":       {"Litsenziya", "Лицензия", "Licenziya", "Лицензия", "Licence"},
	"fingerprint":   {"Imzolangan manifestning SHA-256 yigʻindisi", "Имзоланган манифестнинг SHA-256 йиғиндиси", "Qol qoyılǵan manifesttiń SHA-256 jıyındısı", "SHA-256 подписанного манифеста", "SHA-256 of the signed manifest"},
	"address":       {"Portaldagi manzili", "Порталдаги манзили", "Portaldaǵı mánzili", "Адрес на портале", "Address on the portal"},
	"verify":        {"Tekshirish", "Текшириш", "Tekseriw", "Проверка", "Check"},
	"verifytext":    {"Bu faylni portal tuzgan. Oʻzgartirilmaganini portalning “Tekshirish” sahifasi yoki koprik verify buyrugʻi aytadi.", "Бу файлни портал тузган. Ўзгартирилмаганини порталнинг “Текшириш” саҳифаси ёки koprik verify буйруғи айтади.", "Bul fayldı portal dúzgen. Ózgertilmegenin portaldıń “Tekseriw” beti yamasa koprik verify buyrıǵı aytadı.", "Этот файл составлен порталом. Не изменён ли он, скажет страница портала «Проверка» или команда koprik verify.", "The portal made this file. Whether it is unaltered is told by the portal's page “Verify” or by the command koprik verify."},
	"provenance":    {"Kelib chiqishi", "Келиб чиқиши", "Kelip shıǵıwı", "Происхождение", "Provenance"},
	"rows":          {"Qatorlar soni", "Қаторлар сони", "Qatarlar sanı", "Число строк", "Rows"},
	"split":         {"Qatorlar bitta varaqqa sigʻmadi va davomi keyingi varaqlarda.", "Қаторлар битта варақка сиғмади ва давоми кейинги варақларда.", "Qatarlar bir betke sıymadı hám dawamı keyingi betlerde.", "Строки не поместились на один лист и продолжаются на следующих.", "The rows did not fit one sheet and go on in the next ones."},
	"cut":           {"32 767 belgidan uzun kataklar qisqartirildi; CSV faylda ular toʻliq. Kataklar", "32 767 белгидан узун катаклар қисқартирилди; CSV файлда улар тўлиқ. Катаклар", "32 767 belgiden uzın kataklar qısqartıldı; CSV faylda olar tolıq. Kataklar", "Ячейки длиннее 32 767 знаков обрезаны; в CSV они полностью. Ячейки", "Cells longer than 32,767 characters are cut; the CSV has them whole. Cells"},
	"column":        {"Ustun", "Устун", "Baǵana", "Столбец", "Column"},
	"columnmeaning": {"Sarlavhasi va birligi", "Сарлавҳаси ва бирлиги", "Baslaması hám birligi", "Заголовок и единица", "Title and unit"},
}

// word gives the words of a key in the file's language.
func (f *File) word(key string) string {
	for i, l := range portal.Langs {
		if l == f.language() {
			return words[key][i]
		}
	}
	return words[key][4]
}

// about says what is known about a file: of the release alone, so that it is the
// same on every node. Who answers for the data may change without a release, so
// it stands on the dataset's page and not here.
func (f *File) about() []line {
	var all []line
	add := func(key, s string) {
		if s != "" {
			all = append(all, line{key: key, label: f.word(key), text: s})
		}
	}
	in := func(t portal.Text) string {
		s, _ := t.In(f.language())
		return s
	}
	r, p := f.Release, f.Release.Passport
	add("title", in(r.Title))
	add("description", in(r.Description))
	add("table", f.Table)
	add("dataset", string(f.From.Dataset))
	add("release", strconv.Itoa(f.From.Release))
	if !r.Issued.IsZero() {
		add("issued", r.Issued.UTC().Format(time.RFC3339))
	}
	add("reason", in(r.Reason))
	add("uploaded", string(p.Uploaded))
	add("changed", string(p.LastChanged))
	add("unit", in(p.Unit))
	add("method", in(p.Method))
	add("source", in(p.PrimarySource))
	for _, s := range r.Sources {
		add("source", strings.TrimSpace(s.Title+" "+s.Path))
	}
	add("quality", in(p.Quality))
	for _, n := range p.Notes {
		add("note", in(n))
	}
	for _, l := range licenses(r) {
		add("license", l)
	}
	add("fingerprint", f.From.Fingerprint.Hex())
	add("address", f.From.Address)
	add("verify", f.word("verifytext"))
	add("provenance", f.From.String())
	return all
}

// licenses are what the data may be used under, each with its address.
func licenses(r portal.Release) []string {
	all := make([]string, len(r.Licenses))
	for i, l := range r.Licenses {
		name := l.Title
		if name == "" {
			name = l.Name
		}
		all[i] = strings.TrimSpace(name + " " + l.Path)
	}
	return all
}

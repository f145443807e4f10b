package lang

import "strings"

// verbRoots are the stems of common Uzbek verbs, as keys: a final a or i is gone
// (boshla- is boshl), oʻ is O and gʻ is G. They serve endings in which as many
// nouns end as verbs (-ar, -ay, -a, -ing, -amiz). Written down from Gʻulomov and
// Kononov, chapters on the verb, by frequency of use; what is missing only keeps
// those endings.
var verbRoots = set(`
	arch er ir ranj oGr qOr sOl tinch but charch chanq sakr ajr bOsh soGin yopish sura imirsil
	ach aGdar ald almash angl aniql art as asr at ayir ayt ayl ayamas
	bajar baq baqir bas bekit ber bez bich bil bit boq bor bos boshl boshqar bot boy bOl bOsh boGl buk bur buyur buz bura bukl
	chal chaq chaqir chap chek chekin chid chiq chiqar chir chiz chop chOk chOm chOz chayq
	davol ek el em er ergash erit erish es eskir eshit et evir ez
	gapir gaplash hayd hurk ich il ilg in ishl ishon ishqal is it itar ist izl
	jOn joyl kech kechir kel keltir kengay kemay ker kes ket ketkaz kez kir kirit kiy kiyin kOch kOkar kOm kOnik kOpay kOr kOrsat kOrin kOtar kuchay kul kut kuy kuzat kuyl
	maqt min och oG ol oq oqar ort os osh oshir ot oz ozay
	Och Ol Olch Op Or Organ Orgat Ornash Os Ot Otir Otkaz Oxsh Oyl Oyn Ozgar Oq Oqit
	pasay pish pishir purk qam qar qarat qatnash qayn qayt qaytar qaz qidir qil qir qirq qis qisqar qiyn qiz qiziq qoch qol qop qopl qoq qot
	qOll qOn qOrq qOsh qOy qOzG quch quv qur quvon qurit qutqar qutul quy
	san saql sarfl sas sayl sayr sev sez siq sil silkit sin sing soch sol sot sov soy sOk sOn sOr sOzl suGor sun sur surt suy suz
	tekshir kamay sanal oyna qoshil ajral tarbiyal erk kutil sovut isit yumshat qotir toldir boshan tolg tozal qichqir yig kulim jilmay
	tekkiz foydalan shugullan talpin tan tanl taq tarq tash tashl teg tep ter terg tesh tik tikl til tin tingl tirish tiy top topshir tort tOk tOl tOldir tOpl tOq tOs tOxt tuG tug tugat tur turt tut tush tushir tushun tuz tuzat
	uch uchr uchrash ul ulash ulGay und unut ur urin ushl uyGon uyal uyush uxl uz uzat uzay
	yar yarat yarash yas yash yashir yay yech yedir yeng yet yetish yetkaz yetakl yiG yiGl yiqil yirt yit yodl yoG yon yoq yop yor yorit yot yoy yoz yOll yOnal yOqol yOqot
	yubor yugur yuksal yum yur yurit yut yuv zerik
`)

// verbsInI are those of verbRoots whose stem ends in i: oʻqi-, tani-.
var verbsInI = set("Oq tOq tan qar er ir sas chir ach arch boy qaz qiz qich isi ranj oGr qOr sOl tinch tash terg sov ogoh")

// notVerbs are nouns that are a root and -a, -ay, -ar, -sa or -gan, or look so.
var notVerbs = set(`
	ota ona ora yara qora tola sara tana tepa kocha yoqa tuya kuya kosa soya tuga qisqa oyna olcha suya dala bola
	saray oray tinay asar qatar kamar bozar anor chiqar oshar tayyar qulay noqulay
	xabar safar sahar shahar bahor asarar nazar zarar kasar
	hodisa xulosa muassasa qissa xossa massa pyesa trassa terrasa vasvasa gussa nafasa
	archa aylana baqa buta chaqa cheka erka mina orta Orta qarta sana sila sura taqa dolana qaynana sanitar qamar boyar qalay toqay
	barmoq barmok chaqmoq chaqmok irmoq irmok qaymoq qaymok sirtmoq sirtmok salmoq salmok toqmoq toqmok quymoq quymok ilmoq ilmok tarmoq tarmok qarmoq qarmok tirmoq tirmok yumalok
	chOkindi yiGindi narsa pitsa transa avansa bursa
	mergan slogan xuligan
`)

// voices make a verb of a verb; what they are taken from must be one.
// Those of one letter stand after a vowel, which keys have not, but for -t.
var voices = []string{"tir", "dir", "iltir", "lantir", "lashtir", "gaz", "kaz", "qaz", "giz", "kiz", "qiz", "il", "in", "ish", "ir", "ar", "it", "t", "at", "ash", "an", "al"}

// isVerb tells whether a key is the stem of a verb for sure: a root, a root in
// another voice, or what -la, -lan and -lash make of a noun.
func isVerb(w string) bool {
	if verbRoots[w] {
		return true
	}
	for _, made := range [...]string{"lan", "lash", "lantir", "lashtir", "lantiril", "lashtiril"} {
		if head, ok := strings.CutSuffix(w, made); ok && syllables(head) >= 1 {
			return true
		}
	}
	for _, able := range [...]string{"yol", "ol"} { // ishlayol-, aytol-
		if head, ok := strings.CutSuffix(w, able); ok && len(head) >= 2 && isVerb(strings.TrimSuffix(head, "a")) {
			return true
		}
	}
	for _, v := range voices {
		if v == "t" && !strings.HasSuffix(w, "rt") && !strings.HasSuffix(w, "lt") && !strings.HasSuffix(w, "yt") {
			continue
		}
		if head, ok := strings.CutSuffix(w, v); ok && len(head) >= 2 && (verbRoots[head] || len(v) > 2 && isVerb(head)) {
			return true
		}
	}
	return false
}

// lexical are verbs in -ish of their own; of others -ish before a finite ending
// says that several people did it (qilishdi).
var lexical = set("kOrish tanish yetish erish kelish kirish urish tortish topish tegish tirish qOrish yarish")

// plainStem takes -ish of several people, and -ol- of being able, off the stem of a
// finite form: qilishdi is qil, aytolmadi is ayt.
func plainStem(w string) string {
	for _, part := range [...]string{"yol", "ol", "ish"} {
		head, ok := strings.CutSuffix(w, part)
		if !ok || lexical[w] {
			continue
		}
		head = strings.TrimSuffix(head, "a")
		if len(head) >= 2 && isVerb(head) {
			return head
		}
	}
	return w
}

// able takes -ol-, being able, off a verb's stem: aytolmagan.
func able(w string) string {
	for _, part := range [...]string{"yol", "ol"} {
		head, ok := strings.CutSuffix(w, part)
		if head = strings.TrimSuffix(head, "a"); ok && len(head) >= 2 && isVerb(head) {
			return head
		}
	}
	return w
}

// finalD are stems in d of which -i makes what looks like a past: maqsadi. Stems
// in -od, -ud need not stand here, for no verb's stem ends in o or u.
var finalD = set(`
	maqsad sarhad madad sanad adad hasad parad fasad jasad rasad asad sad rad murshad
	umid tanqid masjid shahid takid tahdid taqlid tajdid tavhid murid said kislorid xlorid oksid gibrid poligid gid invalid hid
	fond band farzand qand pand kamand dilband payvand brend trend stend bond sekund legend hind
	dard mard rekord lord standard gard kurd akkord nard
	qayd reyd sayd bayd jild poyezd poezd sezd naqd ahd jahd qasd hamd vajd velosiped kreditd internetd gild
	mavjud vujud jamed hamkasd
`)

// looksPast tells whether the d of "maqsadi" belongs to a noun; rest is what
// stands before -di.
func looksPast(rest string) bool {
	last := rest[len(rest)-1]
	switch {
	case finalD[strings.ToLower(rest)+"d"]:
		return false
	case last == 'o' || last == 'O' || last == 'u':
		return false
	case last == 'i':
		return verbsInI[rest[:len(rest)-1]]
	}
	return true
}

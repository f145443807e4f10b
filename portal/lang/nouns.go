package lang

// The endings of Uzbek nouns, in the order in which they stand after a stem:
// plural, possessive, case, and what may follow a case. Written as strict keys
// without U+02BB. The table is our own, written down from the descriptions in
//
//   - A. N. Kononov, Grammatika sovremennogo uzbekskogo literaturnogo jazyka,
//     1960: number, belonging and case of nouns, and the changes of sounds;
//   - A. Gʻ. Gʻulomov and others, Hozirgi oʻzbek adabiy tili: Morfologiya;
//   - the orthographic rules of the Latin alphabet, Resolution No. 339 of the
//     Cabinet of Ministers, 24 August 1995 (-ga, -ka, -qa; k and q to g and gʻ;
//     the vowels that drop: oʻgʻil, oʻgʻli).
var (
	plurals = []ending{{"lar", anything, 1}}

	// -i after a consonant and -si after a vowel; -yi after o and u.
	// Persons: -im, -ing leave two syllables at least, for bilim, tizim, reyting.
	possessives = []ending{
		{"i", consonant, 1},
		{"si", vowel, 1},
		{"yi", vowel, 1}, // of the few stems in withY; elsewhere the y is the stem's
		{"im", consonant, 2},
		{"ing", consonant, 2},
		{"ng", vowel, 2},
		{"imiz", consonant, 1},
		{"miz", vowel, 1},
		{"ingiz", consonant, 1},
		{"ngiz", vowel, 1},
		{"yim", vowel, 1},
		{"ying", vowel, 1},
		{"yimiz", vowel, 1},
		{"yingiz", vowel, 1}, // as -yi
	}

	cases = []ending{
		{"ning", anything, 1},
		{"ni", anything, 1},
		{"dan", anything, 1},
		{"da", anything, 1},
		{"ga", anything, 1},
		{"ka", onlyK, 1},
		{"qa", onlyQ, 1},
		{"gacha", anything, 1},
		{"kacha", onlyK, 1},
		{"qacha", onlyQ, 1},
	}

	// -dagi makes an attribute of a place, -niki of an owner, -dek and -day a
	// comparison.
	afterCases = []ending{{"dagi", anything, 1}, {"niki", anything, 1}, {"dek", anything, 1}, {"day", anything, 1}, {"gina", anything, 2}}

	// -dir says that it is so: muhim-dir.
	copula = []ending{{"dir", anything, 2}}

	nominal = longestFirst(plurals, possessives, cases, afterCases, copula)
)

// pronounForms are the forms of pronouns, whose stems change: men, meni; u, uni.
var pronounForms = forms(map[string]string{
	"men":   "men meni mening menga menda mendan menday mendek meniki",
	"sen":   "sen seni sening senga senda sendan senday sendek seniki",
	"u":     "u uni uning unga unda undan unday undek uniki ungacha undagi",
	"bu":    "bu buni buning bunga bunda bundan bunday bundek bungacha bundagi",
	"shu":   "shu shuni shuning shunga shunda shundan shunday shundek shungacha shundagi",
	"Osha":  "osha oshani oshaning oshanga oshanda oshandan oshanday",
	"Oz":    "oz ozi ozim ozing ozini ozining oziga ozida ozidan ozimni ozimning ozimga ozlari ozlarini ozlarining ozlariga ozimiz ozimizni ozimizning",
	"biz":   "biz bizni bizning bizga bizda bizdan bizniki bizlar bizlarni bizlarga",
	"siz":   "siz sizni sizning sizga sizda sizdan sizniki sizlar sizlarni sizlarga",
	"ular":  "ular ularni ularning ularga ularda ulardan ularniki",
	"bular": "bular bularni bularning bularga bularda bulardan",
	"kim":   "kim kimni kimning kimga kimda kimdan kimlar kimlarni kimlarga kimi kimniki",
	"nima":  "nima nimani nimaning nimaga nimada nimadan nimalar nimalarni nimasi",
})

// unchanged are words that look as if they had an ending: the end is part of
// the stem.
var unchanged = set(`
	foyda ifoda novda uvada ayda qoida soda mayda parda sajda zarda juda hamda qanda badan madan vatandan nodan
	trening reyting marketing lizing miting parking monitoring konsalting franchayzing brifing inzhiniring injiniring xolding holding
	dollar kallar sollar igna lavha burga dunga jilga sirka yakka doimiy
	dengiz yulduz semiz temiz qirgiz oguz tomiz
	muallim muhim iqlim xodim hodim nadim qadim qadimiy azim olim tolim hakim yetim ayrim bilim tizim 
	odam olam alam qadam bayram maqom nizom inom islom salom toplam qaram
	bilan uchun keyin bugun kecha oldin butun har ham lekin biroq ammo uchta oraliq
	ikki yetti sakkiz toqqiz ottiz yigirma million yuzi
	tashkilotchi qaysi barcha hamma qanday qancha necha shunchaki
	birgalikda jumladan masalan haqida orqali boyicha tomonidan
	ming tong teng keng jang rang dong
	hindi afandi jiddiy nisbiy
	din
	kitob maktab sabab tartib talab asab kasb taklif maktub guruh narsa hissa kassa yasa nasha gazab adab hisob
	kengash darvish organ
	iroda gavda piyoda banda xonanda sozanda parranda darranda sharmanda navisanda kanada uganda olimpiada dekada brigada blokada ballada propaganda veranda barrikada estakada panda lambda
	birga kollega volga praga taqdim mujassam balsam gardan madan sudan
	skrining klining kemping karting bouling damping kliring faktoring treyding autsorsing kraudfanding
	adab arab nasab mansab gazab azab laqab matlab mazhab kotib hojib tarkib adib tabib xatib habib raqib nasib taqib targib garib sohib najib golib tolib musohib goyib ajoyib garoyib munosib salib
	modda madda udda uhda xanda piramida komanda sarkarda namoyanda estrada amplituda serenada spartakiada kontrabanda
	bofanda gazanda goyanda kushanda kashanda navozanda pazanda parvarda shinavanda zararkunanda ziyonkunanda chirmanda xoranda
	obida qasida jarida nashida mushohada muohada jiyda randa torpeda burda durda janda zinda tanda orda londa shoda shabada komandada
	tanga yanga poyga avtopoyga tayga shtanga shlanga sherenga alanga chega beluga trevoga flyaga folga intriga enaga kolaga irga ozga
	chekka chakka chokka makka soqqa sakka qoshni qonshi sinchi chinni chemodan vijdan grajdan
	lavozim marosim mulozim munajjim sinonim antonim anonim omonim paronim toponim abrishim chaqirim kechirim tilim qonim yeldirim yildirim mustaqim ibrohim mutarjim
	brigadir komandir boldir chandir kendir mundir kumandir finish parvarish olqish tirsak
	chiqindi yigindi chokindi chirindi qiyqindi yuvindi supurindi kuyindi
	kimsa maysa somsa paxsa shamsa matritsa stansa vaksa teplitsa gorchitsa
	apelsin toksin dioksin tahsin silovsin muhsin yasin
	masshtab shtab krab prorab rajab rohib sarkotib tanosib nomutanosib mirshab choyshab firib kosib jozib andalib mutrib noib xashab
	yuksak ayniqsa nimarsa qancha ravish murakkab aqrab mashrab ajib vojib noyib naqib muhib tahrib
	ohang hamohang farhang palang sarhang barang samsung
	taqdir qodir nodir sodir qadir tandir bahodir shodir vladimir
	qamish yemish idish kishmish oltmish yetmish asalari endi hali tashvish otash otmish kechmish qilmish xohish butunlay tiriklay
`)

// elided are stems that lose their second vowel before the possessive.
var elided = map[string]string{
	"shahr": "a", "ogl": "i", "singl": "i", "kongl": "i", "qorn": "i", "burn": "u", "bagr": "i", "boyn": "i", "orn": "i", "ogz": "i",
	"zahr": "a", "egn": "i", "qayn": "i", "yarm": "i", "biqn": "i", "ulg": "u", "qoyn": "i",
}

// clusterN are stems in n after a consonant: in "zehni" the ending is -i.
var clusterN = set("burn qorn orn boyn egn zehn husn qoyn biqn dafn zimn matn sinn jinn ravn kohn fann sihn")

// withY are stems in a vowel after which the ending is -yi: obroʻ, obroʻyi.
var withY = set("parvo avzo obro mavqe mavzu manba tobe xudo orzu avro")

// kin are words to which a speaker's own -m and -ng are taken off; elsewhere
// these endings cannot be told from the stem's last letters.
var kin = set("ota ona bola aka uka opa singil xola amaki amma buva buvi bobo momo dada oya qiz ogil tush ustoz jon bosh xat qol koz dost old yon ich ust ost dard dil yurt el uy ish gap til ism kun tan yosh ayb baxt umr soz yuz es qalb fikr orn kongil ogil singil burun boyin ogiz qorin peshona oila xona dunyo orzu sevgi kuch pul yer yol qon haq burch qosh qulogi shahar hayot yurak")

// finalS are stems in s after a vowel: in "asosi" the ending is -i.
var finalS = set(`
	asos majlis maxsus virus avtobus havas nafas meros ixlos xalos kurs kengas status bonus minus plyus korpus
	jins his hodis xavas kosmos xaos tonus fokus sirkus servis ofis basis bazis tennis
	hadis mahbus tovus nasos lotos progress kongress protsess
	egoist iltimos qiyos muhandis mudarris rais vors boss
	biznes interes stress pres press ekspres logos lyuks indeks kompleks
	nomus jasus sinus konkurs diskurs resurs libos
	voris iblis tasis taqdis tadris xasis nafis idris
`)

// finalN are stems in n after a vowel other than o: in "tumani" the ending is -i.
var finalN = set(`
	tuman vatan badan maskan chaman gulxan yelkan tutan kaptan toman ozan arslan kaplan sulton
	zamin ekin oltin yaqin talqin otin tizgin yigin qoyin tolqin kelin oqin sekin keyin laylin
	qonun ustun butun urgun uzun yolqin mazmun majnun sovun tutun yakun oyun qoyun tosqin turgun
	ekran kran okean roman stakan kapitan uragan turkman kafan meridian veteran divan karavan fontan lagan ayvan
	xotin sovrin qoshin taskin taxmin pingvin delfin apelsin mandarin insulin gemoglobin kamin biqin
	uchqun tugun quyun tayfun maymun burun surgun
	erkin hazin magazin benzin vitamin termin region kelin bogin oyin qirgin chaqin 
	plan ekan
`)

// finalO are stems in o: in "daryoni" the ending is -ni, elsewhere after o it
// is -i (insoni).
var finalO = set(`
	daryo dunyo savdo sado havo daho baho gavgo muammo xato ado davo dano bino vafo dunyo kimyo himo mablag
	ziyo duo rizo jafo safo navo gado hayo riyo shifo gizo qazo anqo imlo ijro istilo iltijo ibtido intiho mano mustasno nido samo sahro vabo balo xudo fido tilyo xino
	pivo pianino kakao kazino palto maestro veto torpedo embargo tornado dinamo studio manifesto motto
	radio kino video foto metro byuro avto evro depo kilo sato shivo ano bobo buvo tamo istisno
	imo ilo
	alifbo fuqaro buxoro imzo azo insho ashyo saldo yevro ekspo kongo tokio marokko monako meksiko chikago fuzalo ulamo mato tango loto ego
`)

// forms turns "stem: forms" around.
func forms(table map[string]string) map[string]string {
	out := map[string]string{}
	for stem, list := range table {
		for w := range set(list) {
			out[w] = stem
		}
	}
	return out
}

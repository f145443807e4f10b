package node

import "koprik/portal"

// Words that stand in signed manifests when a publisher wrote none. They are
// data, not interface, so every mirror shows the same.
var (
	reasonFirst = portal.Text{
		Plain: "Birinchi nashr",
		Translated: map[portal.Lang]string{
			portal.Uzbek: "Birinchi nashr", portal.UzbekCyrillic: "Биринчи нашр", portal.Karakalpak: "Birinshi basılım",
			portal.Russian: "Первый выпуск", portal.English: "First release",
		},
	}
	reasonChanged = portal.Text{
		Plain: "Maʼlumotlar oʻzgardi",
		Translated: map[portal.Lang]string{
			portal.Uzbek: "Maʼlumotlar oʻzgardi", portal.UzbekCyrillic: "Маълумотлар ўзгарди", portal.Karakalpak: "Maǵlıwmatlar ózgerdi",
			portal.Russian: "Данные изменились", portal.English: "The data has changed",
		},
	}
	postOfPublisher = portal.Text{
		Plain: "Ochiq maʼlumotlar uchun masʼul",
		Translated: map[portal.Lang]string{
			portal.Uzbek: "Ochiq maʼlumotlar uchun masʼul", portal.UzbekCyrillic: "Очиқ маълумотлар учун масъул",
			portal.Karakalpak: "Ashıq maǵlıwmatlar ushın juwapker", portal.Russian: "Ответственный за открытые данные",
			portal.English: "Responsible for open data",
		},
	}
)

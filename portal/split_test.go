package portal

import "testing"

func TestWhetherDataIsSplitBySexIsReadFromItsTables(t *testing.T) {
	yes, no := true, false
	measure := func(of, sex string) Field { return Field{Meaning: Meaning{Role: RoleMeasure, Of: of, Sex: sex}} }
	for name, c := range map[string]struct {
		fields       []Field
		passport     *bool
		split, known bool
	}{
		"a column of sexes":             {[]Field{{Meaning: Meaning{Role: RoleSex}}}, nil, true, true},
		"women beside men":              {[]Field{measure("women", SexFemale), measure("women", SexMale), measure("women", SexBoth)}, nil, true, true},
		"women alone":                   {[]Field{measure("", SexFemale)}, nil, false, true},
		"women of one, men of another":  {[]Field{measure("a", SexFemale), measure("b", SexMale)}, nil, false, true},
		"neither":                       {[]Field{{Meaning: Meaning{Role: RoleRegion}}}, nil, false, true},
		"nobody said":                   {[]Field{{Name: "x"}}, nil, false, false},
		"the passport says so":          {[]Field{{Name: "x"}}, &yes, true, true},
		"the passport says no":          {[]Field{{Name: "x"}}, &no, false, true},
		"a table against the passport":  {[]Field{{Meaning: Meaning{Role: RoleSex}}}, &no, true, true},
		"no table and no word about it": {nil, nil, false, false},
	} {
		r := Release{Passport: Passport{BySex: c.passport}, Resources: []Resource{{Name: "notes"}, {Schema: &TableSchema{Fields: c.fields}}}}
		if split, known := r.SplitBySex(); split != c.split || known != c.known {
			t.Errorf("%s: %v, %v", name, split, known)
		}
	}
}

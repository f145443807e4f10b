package portal

// SplitBySex tells whether the data of a release is split by sex: whether one of
// its tables has a column of women and men, or a measure for women beside the same
// for men. Where no table says what its columns mean the passport's word counts,
// and where it says nothing either, known is false. A split that a table shows is
// one even if the passport denies it.
func (r Release) SplitBySex() (split, known bool) {
	for _, res := range r.Resources {
		for s := range res.Schemas() {
			told, both := splitOf(s.Fields)
			known = known || told
			split = split || both
		}
	}
	if by := r.Passport.BySex; !split && by != nil {
		return *by, true
	}
	return split, known
}

// splitOf tells whether columns say what they mean, and whether they split by sex.
func splitOf(fields []Field) (told, split bool) {
	pairs := map[string]map[string]bool{} // by what the columns have in common
	for _, f := range fields {
		m := f.Meaning
		told = told || !m.IsZero()
		switch {
		case m.Role == RoleSex:
			split = true
		case m.Role == RoleMeasure && (m.Sex == SexFemale || m.Sex == SexMale):
			if pairs[m.Of] == nil {
				pairs[m.Of] = map[string]bool{}
			}
			pairs[m.Of][m.Sex] = true
			split = split || len(pairs[m.Of]) == 2
		}
	}
	return told, split
}

// Package lang knows how Uzbek is written in two scripts, and as much of
// Karakalpak, Russian and English as a catalogue needs: it splits words, folds
// every spelling of a word to one key, transliterates for display, and makes
// slugs.
//
// There are two keys. Fold, the strict one, keeps oʻ apart from o and gʻ from
// g. FoldLoose, the loose one, is for what people type on a phone or on a
// Russian keyboard: "ozbekiston ahborot" for "Oʻzbekiston axborot". Keys are
// for comparing, never for showing: ToLatin and ToCyrillic are for showing.
//
// Stem gives one key to the forms of an Uzbek or Karakalpak word, SortKey the
// order of the alphabets, Mend repairs letters of the wrong script. The tables
// and where they come from: docs/reference/language.md.
//
// Everything here is a pure function of its arguments.
package lang

package collation

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// names are the locales that ICU 78 has collations for, as Spark writes them: a
// language, a script, and a country by its three letters.
const names = `
	af am ar ar_SAU as az be bg blo bn bo br bs bs_Cyrl ca ceb chr cs cy da de de_AUT dsb dz ee el en en_USA eo es et fa
	fa_AFG ff ff_Adlm fi fil fo fr fr_CAN fy ga gl gu ha haw he he_ISR hi hr hsb hu hy id id_IDN ig is it ja ka kk kk_Arab
	kl km kn ko kok ku ky lb lij lkt ln lo lt lv mk ml mn mr ms mt my nb nb_NOR ne nl nn no nso om or pa pa_Guru
	pa_Guru_IND pl ps pt ro ru sa se si sk sl smn sq sr sr_Cyrl sr_Cyrl_BIH sr_Cyrl_MNE sr_Cyrl_SRB sr_Latn sr_Latn_BIH
	sr_Latn_SRB st sv sw ta te th tk tn to tr ug uk ur uz vi wae wo xh yi yo zh zh_Hans zh_Hans_CHN zh_Hans_SGP zh_Hant
	zh_Hant_HKG zh_Hant_MAC zh_Hant_TWN zu
`

// locale is a base of collations by weights.
type locale struct {
	name, language, country string
	bcp                     string
}

func (l *locale) tag() language.Tag { return language.Make(l.bcp) }

// list is filled once and then only read.
var list struct {
	once sync.Once
	all  []locale
}

// locales are UNICODE and all languages, in the order of their names.
func locales() []locale {
	list.once.Do(func() {
		list.all = []locale{{name: "UNICODE", bcp: "und"}}
		for n := range strings.FieldsSeq(names) {
			l := locale{name: n}
			var parts []string
			for i, p := range strings.Split(n, "_") {
				if i > 0 && len(p) == 3 {
					if r, err := language.ParseRegion(p); err == nil {
						l.country = display.English.Regions().Name(r)
						p = r.String()
					}
				}
				parts = append(parts, p)
			}
			l.bcp = strings.Join(parts, "-")
			base, _ := language.Make(parts[0]).Base()
			l.language = display.English.Languages().Name(base)
			list.all = append(list.all, l)
		}
	})
	return list.all
}

// localeOf finds the longest base that an upper-case name begins with.
func localeOf(up string, rest *string) (locale, bool) {
	var best locale
	found := false
	for _, l := range locales() {
		var after string
		if len(l.name) > len(best.name) && prefixed(up, strings.ToUpper(l.name), &after) {
			best, found = l, true
			*rest = after
		}
	}
	return best, found
}

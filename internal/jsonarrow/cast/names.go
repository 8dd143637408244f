package cast

import (
	"fmt"
	"slices"
	"strings"
)

// dateNames are a language's names of months and days, Monday first.
type dateNames struct {
	months, short, alone []string // alone: short names that stand by themselves
	days, shortDays      []string
}

// english are the names where no locale is given.
var english = dateNames{
	months: months[:], short: first3(months[:]), alone: first3(months[:]), days: weekdays[:], shortDays: first3(weekdays[:]),
}

func first3(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n[:3]
	}
	return out
}

// languages are the names by language, as Java 17 has them (CLDR).
var languages = map[string]dateNames{
	"de": named("Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
		"Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.", "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
		"Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", "Mo. Di. Mi. Do. Fr. Sa. So."),
	"en": english,
	"es": named("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		"ene feb mar abr may jun jul ago sept oct nov dic", "", "lunes martes miércoles jueves viernes sábado domingo", "lun mar mié jue vie sáb dom"),
	"fr": named("janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		"janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", "", "lundi mardi mercredi jeudi vendredi samedi dimanche", "lun. mar. mer. jeu. ven. sam. dim."),
	"it": named("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
		"gen feb mar apr mag giu lug ago set ott nov dic", "", "lunedì martedì mercoledì giovedì venerdì sabato domenica", "lun mar mer gio ven sab dom"),
	"nl": named("januari februari maart april mei juni juli augustus september oktober november december",
		"jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.", "", "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag", "ma di wo do vr za zo"),
	"pt": named("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
		"jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.", "",
		"segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo", "seg. ter. qua. qui. sex. sáb. dom."),
}

func named(months, short, alone, days, shortDays string) dateNames {
	if alone == "" {
		alone = short
	}
	return dateNames{months: strings.Fields(months), short: strings.Fields(short), alone: strings.Fields(alone), days: strings.Fields(days), shortDays: strings.Fields(shortDays)}
}

// In gives the pattern with the names of a locale such as fr or de-AT; "" is
// English. Eras, quarters and halves of the day have their English names in
// every language: where such a letter meets another language the pattern is
// refused, as is a language that is not built in.
func (p *Pattern) In(locale string) (*Pattern, error) {
	lang, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if lang == "" || lang == "en" {
		return p, nil
	}
	names, ok := languages[lang]
	if !ok || slices.ContainsFunc(p.ops, func(o dateOp) bool {
		return o.f == 'a' || o.f == 'G' || (o.f == 'Q' || o.f == 'q') && o.n > 2 || o.f == 'z'
	}) {
		return nil, fmt.Errorf("the locale %s is not supported for the pattern '%s'", locale, p.text)
	}
	out := *p
	out.names = &names
	return &out, nil
}

// words are the names that the pattern writes and reads.
func (p *Pattern) words() *dateNames {
	if p.names == nil {
		return &english
	}
	return p.names
}

// month are the names of months for a letter M or L.
func (d *dateNames) month(o *dateOp) []string {
	switch {
	case o.n > 3:
		return d.months
	case o.f == 'L':
		return d.alone
	}
	return d.short
}

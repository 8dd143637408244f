package lower

import (
	"maps"
	"sync"
)

// ruleTable holds the rules of functions that no registry text covers.
var ruleTable struct {
	once  sync.Once
	rules map[string]rule
}

func ruleOf(name string) (rule, bool) {
	ruleTable.once.Do(func() {
		ruleTable.rules = map[string]rule{}
		for _, family := range []map[string]rule{
			logicRules(), arithmeticRules(), intervalRules(), mathRules(), stringRules(), regexRules(), timeRules(), zoneRules(),
			arrayRules(), mapRules(), lambdaRules(), jsonRules(), variantRules(), csvRules(), xmlRules(), textRules(), collationRules(), clockRules(), calendarRules(), miscRules(), randomRules(),
			furtherRules(), spatialRules(),
		} {
			maps.Copy(ruleTable.rules, family)
		}
	})
	r, ok := ruleTable.rules[name]
	return r, ok
}

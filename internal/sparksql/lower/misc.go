package lower

import (
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// sparkVersion is the release whose answers are given, with its revision.
const sparkVersion = "4.2.0 32f7299601108917fb01920a54e084595b7b3bf8"

func miscRules() map[string]rule {
	session := func(l *lowerer, c *plan.Call, _ []string) string {
		s, _ := c.Const.(string)
		return quote(s)
	}
	return map[string]rule{
		"typeof":       func(_ *lowerer, c *plan.Call, _ []string) string { return quote(c.Args[0].Type().String()) },
		"version":      func(_ *lowerer, _ *plan.Call, _ []string) string { return quote(sparkVersion) },
		"current_user": session, "user": session, "session_user": session, "current_catalog": session, "current_schema": session,
		"raise_error": func(_ *lowerer, _ *plan.Call, a []string) string {
			return cast("error("+quote(Marker+"[USER_RAISED_EXCEPTION] ")+" || coalesce("+a[0]+", 'null') || "+quote(" SQLSTATE: P0001")+")", "INTEGER")
		},
		"assert_true": func(_ *lowerer, _ *plan.Call, a []string) string {
			return "CASE WHEN " + a[0] + " THEN NULL::INTEGER ELSE error(" + quote(Marker+"[USER_RAISED_EXCEPTION] ") + " || coalesce(" + a[1] + ", 'null') || " +
				quote(" SQLSTATE: P0001") + ") END"
		},
	}
}

package query

import (
	"maps"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Session is one conversation with the engine: who asks, where names without
// a schema are looked up, the settings that SET changed, and what statements
// have made that lasts as long as the session: variables, temporary views and
// functions. The zero Conf and an empty TimeZone (UTC) are good. A Session is
// for one goroutine at a time.
type Session struct {
	Principal       auth.Principal
	Catalog, Schema string
	TimeZone        string
	Conf            map[string]string

	state state
}

// timeZoneConf is Spark's name of the session time zone.
const timeZoneConf = "spark.sql.session.timeZone"

// ansiConf switches ANSI mode; on is Spark 4's default.
const ansiConf = "spark.sql.ansi.enabled"

func (s *Session) zone() string {
	if z := s.Conf[timeZoneConf]; z != "" {
		return z
	}
	if s.TimeZone != "" {
		return s.TimeZone
	}
	return "UTC"
}

func (s *Session) set(key, value string) {
	conf := maps.Clone(s.Conf)
	if conf == nil {
		conf = map[string]string{}
	}
	conf[key] = value
	s.Conf = conf
}

// Env is what the analyzer needs to know of a session at time now.
func (s *Session) Env(r analyze.Resolver, now time.Time) analyze.Env {
	return analyze.Env{
		Resolver: r, Catalog: s.Catalog, Schema: s.Schema, Conf: s.Conf, Session: &s.state,
		TimeZone: s.zone(), Now: now, User: s.Principal.Name,
	}
}

// Bounds on what a session keeps.
const (
	maxVariables = 10_000
	maxViews     = 1000
	maxRoutines  = 1000
)

// state is what a session's statements have made.
type state struct {
	vars     map[string]*analyze.Variable // by lower-case name
	views    map[string]*analyze.View
	routines map[string]*plan.Routine
	frames   []*frame // scopes of the script that runs, the innermost last
	hidden   int      // > 0: the frames are not seen, as in EXECUTE IMMEDIATE
}

// frame holds the local variables of one BEGIN ... END or FOR.
type frame struct {
	label string
	vars  map[string]*analyze.Variable
}

var _ analyze.Session = (*state)(nil)

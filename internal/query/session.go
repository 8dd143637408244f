package query

import (
	"maps"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/sparksql/analyze"
)

// Session is one conversation with the engine: who asks, where names without
// a schema are looked up, and the settings that SET changed. USE and SET
// change it. The zero Conf and an empty TimeZone (UTC) are good.
type Session struct {
	Principal       auth.Principal
	Catalog, Schema string
	TimeZone        string
	Conf            map[string]string
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
		Resolver: r, Catalog: s.Catalog, Schema: s.Schema, Conf: s.Conf,
		TimeZone: s.zone(), Now: now, User: s.Principal.Name,
	}
}

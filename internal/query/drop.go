package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// dropView removes a view's name.
func (e *Engine) dropView(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		if c.Args["if exists"] == "true" && sparksql.ClassOf(err) == "TABLE_OR_VIEW_NOT_FOUND" {
			return &Result{}, nil
		}
		return nil, err
	}
	if t.Type != catalog.View {
		return nil, &sparksql.Error{
			Class: "WRONG_COMMAND_FOR_OBJECT_TYPE", SQLState: "42809", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: fmt.Sprintf("%s is no view but a %s.", t.FullName(), t.Type), Hint: "Tables of pipelines go when their pipeline no longer has them.",
		}
	}
	err = e.cfg.Catalog.DropTable(ctx, t.ID)
	if errors.Is(err, catalog.ErrNotFound) { // dropped by another session meanwhile
		err = nil
	}
	return &Result{}, err
}

// setTimeZone is SET TIME ZONE.
func setTimeZone(sess *Session, c *plan.Command) (*Result, error) {
	zone := c.Args["value"]
	if zone == "LOCAL" {
		zone = "UTC"
	}
	_, err := time.LoadLocation(zone)
	for _, layout := range []string{"-07:00", "-7:00", "-07"} {
		if _, offErr := time.Parse(layout, zone); offErr == nil {
			err = nil
		}
	}
	if err != nil || zone == "" {
		return nil, &sparksql.Error{
			Class: "INVALID_CONF_VALUE.TIME_ZONE", SQLState: "22022", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: fmt.Sprintf("%q is no time zone.", zone), Hint: "Use a name such as Europe/Madrid, or an offset such as +02:00.",
		}
	}
	sess.set(timeZoneConf, zone)
	return &Result{}, nil
}

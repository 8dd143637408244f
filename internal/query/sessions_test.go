package query_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marisma/marisma/internal/query"
)

func TestSessionsAreBoundedAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		begin := func() *query.Session { made++; return &query.Session{} }
		s := query.NewSessions(2, time.Hour)
		take := func(key string) *query.Session {
			t.Helper()
			sess, done, err := s.Take(t.Context(), key, begin)
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			done()
			return sess
		}
		a := take("a")
		if take("a") != a || made != 1 {
			t.Error("the second statement met another session")
		}
		time.Sleep(2 * time.Hour)
		if take("a") == a {
			t.Error("an idle session lives on")
		}
		for i := range 5 {
			take(fmt.Sprint(i))
		}
		_, doneX, err := s.Take(t.Context(), "x", begin)
		if err != nil {
			t.Fatal(err)
		}
		_, doneY, err := s.Take(t.Context(), "y", begin)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Take(t.Context(), "z", begin); err == nil {
			t.Error("a third session while two are busy")
		}
		go func() { time.Sleep(time.Second); doneX() }()
		if _, done, err := s.Take(t.Context(), "x", begin); err != nil { // waits for its turn
			t.Error(err)
		} else {
			done()
		}
		doneY()
	})
}

package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/web/api"
)

// cookie carries the page's token; HttpOnly, so no script reads it.
const cookie = "marisma_token"

type principalKey struct{}

func withPrincipal(ctx context.Context, p auth.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

func principal(ctx context.Context) auth.Principal {
	p, _ := ctx.Value(principalKey{}).(auth.Principal)
	return p
}

func (s *Server) authenticate(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			if c, err := r.Cookie(cookie); err == nil {
				token = c.Value
			}
		}
		p, err := s.cfg.Backend.Verify(token)
		if err != nil {
			fail(w, http.StatusUnauthorized, api.Error{
				Code: "UNAUTHENTICATED", Message: "a valid token is needed.",
				Hint: "The first start printed one; `marisma token` makes another.",
			})
			return
		}
		h.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), p)))
	})
}

func admin(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p := principal(r.Context()); !p.Admin {
			fail(w, http.StatusForbidden, api.Error{Code: "PERMISSION_DENIED", Message: p.Name + " is no admin of this server."})
			return
		}
		h(w, r)
	}
}

// login trades a token for the page's cookie.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token string `json:"token"`
	}
	if !decode(w, r, &in) {
		return
	}
	if _, err := s.cfg.Backend.Verify(strings.TrimSpace(in.Token)); err != nil {
		fail(w, http.StatusUnauthorized, api.Error{Code: "UNAUTHENTICATED", Message: "this token is not known here."})
		return
	}
	//nolint:gosec // Secure follows the connection: the loopback listener has no TLS
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: strings.TrimSpace(in.Token), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil, MaxAge: 30 * 24 * 3600,
	})
	write(w, map[string]string{})
}

package kernel

import (
	"fmt"
	"math"
)

// momentsAcc gathers the moments of x and, of pairs (x, y), those of both and
// what they have in common, one value after the other as Spark does, so that
// infinities and NaN have its answers.
type momentsAcc struct {
	f              func(*momentsAcc) (any, error)
	pairs          bool
	turned         bool // the arguments are (y, x)
	n              float64
	xAvg, yAvg     float64
	m2, m3, m4     float64 // sums of powers of x - xAvg
	yMk, ck        float64 // of (y - yAvg)^2 and of (x - xAvg)(y - yAvg)
	divisionRaises bool
}

// statistics are the results by Spark's function. A nil result is NULL.
func statistics() map[string]func(*momentsAcc) (any, error) {
	some := func(least float64, f func(a *momentsAcc) float64) func(*momentsAcc) (any, error) {
		return func(a *momentsAcc) (any, error) {
			if a.n < least {
				return nil, nil
			}
			return f(a), nil
		}
	}
	spread := func(f func(a *momentsAcc) float64) func(*momentsAcc) (any, error) {
		return func(a *momentsAcc) (any, error) {
			if a.n == 0 || a.m2 == 0 {
				return nil, nil
			}
			return f(a), nil
		}
	}
	against := func(f func(a *momentsAcc) float64) func(*momentsAcc) (any, error) {
		return func(a *momentsAcc) (any, error) {
			if a.n == 0 || a.yMk == 0 {
				return nil, nil
			}
			return f(a), nil
		}
	}
	return map[string]func(*momentsAcc) (any, error){
		"var_pop":        some(1, func(a *momentsAcc) float64 { return a.m2 / a.n }),
		"var_samp":       some(2, func(a *momentsAcc) float64 { return a.m2 / (a.n - 1) }),
		"stddev_pop":     some(1, func(a *momentsAcc) float64 { return math.Sqrt(a.m2 / a.n) }),
		"stddev":         some(2, func(a *momentsAcc) float64 { return math.Sqrt(a.m2 / (a.n - 1)) }),
		"skewness":       spread(func(a *momentsAcc) float64 { return math.Sqrt(a.n) * a.m3 / math.Sqrt(a.m2*a.m2*a.m2) }),
		"kurtosis":       spread(func(a *momentsAcc) float64 { return a.n*a.m4/(a.m2*a.m2) - 3 }),
		"covar_pop":      some(1, func(a *momentsAcc) float64 { return a.ck / a.n }),
		"covar_samp":     some(2, func(a *momentsAcc) float64 { return a.ck / (a.n - 1) }),
		"corr":           correlation,
		"regr_sxx":       some(1, func(a *momentsAcc) float64 { return a.m2 }),
		"regr_syy":       some(1, func(a *momentsAcc) float64 { return a.yMk }),
		"regr_sxy":       some(1, func(a *momentsAcc) float64 { return a.ck }),
		"regr_slope":     spread(func(a *momentsAcc) float64 { return a.ck / a.m2 }),
		"regr_intercept": spread(func(a *momentsAcc) float64 { return a.yAvg - a.ck/a.m2*a.xAvg }),
		"regr_r2": against(func(a *momentsAcc) float64 {
			if a.m2 == 0 {
				return 1
			}
			r := a.ck / math.Sqrt(a.m2*a.yMk)
			return r * r
		}),
	}
}

func correlation(a *momentsAcc) (any, error) {
	d := math.Sqrt(a.m2 * a.yMk)
	switch {
	case a.n < 2 || d == 0 && !a.divisionRaises:
		return nil, nil
	case d == 0:
		return nil, raisef("DIVIDE_BY_ZERO", "22012", "corr divides by zero: one side has a single value.")
	}
	return a.ck / d, nil
}

func momentsAgg(g *sig) (func() accumulator, error) {
	var p struct {
		Function string
		Raises   bool
	}
	if err := g.param(&p); err != nil {
		return nil, err
	}
	f, ok := statistics()[p.Function]
	if !ok || len(g.args) < 1 || len(g.args) > 2 {
		return nil, fmt.Errorf("no statistic %q of %d arguments", p.Function, len(g.args))
	}
	turned := false
	switch p.Function { // whose independent variable Spark takes first; regr_r2 and regr_sxy it takes as written
	case "regr_intercept", "regr_slope", "regr_sxx", "regr_syy":
		turned = true
	}
	return func() accumulator {
		return &momentsAcc{f: f, pairs: len(g.args) == 2, turned: turned, divisionRaises: p.Raises}
	}, nil
}

func (a *momentsAcc) add(r *row) error {
	if r.null(0) || a.pairs && r.null(1) {
		return nil
	}
	x, y := r.double(0), 0.0
	switch {
	case a.turned:
		x, y = r.double(1), x
	case a.pairs:
		y = r.double(1)
	}
	a.n++
	dx, dy := x-a.xAvg, y-a.yAvg
	dn := dx / a.n
	a.xAvg += dn
	a.yAvg += dy / a.n
	a.m2 += dx * (dx - dn)
	a.m3 += -3*dn*a.m2 + dx*(dx*dx-dn*dn)
	a.m4 += -4*dn*a.m3 - 6*dn*dn*a.m2 + dx*(dx*dx*dx-dn*dn*dn)
	a.yMk += dy * (y - a.yAvg)
	a.ck += dx * (y - a.yAvg)
	return nil
}

func (a *momentsAcc) merge(o accumulator) error {
	b := o.(*momentsAcc)
	n := a.n + b.n
	if n == 0 {
		return nil
	}
	dx, dy := b.xAvg-a.xAvg, b.yAvg-a.yAvg
	dn := dx / n
	m2 := a.m2 + b.m2 + dx*dn*a.n*b.n
	m3 := a.m3 + b.m3 + dn*dn*dx*a.n*b.n*(a.n-b.n) + 3*dn*(a.n*b.m2-b.n*a.m2)
	a.m4 += b.m4 + dn*dn*dn*dx*a.n*b.n*(a.n*a.n-a.n*b.n+b.n*b.n) + 6*dn*dn*(a.n*a.n*b.m2+b.n*b.n*a.m2) + 4*dn*(a.n*b.m3-b.n*a.m3)
	a.m2, a.m3 = m2, m3
	a.yMk += b.yMk + dy*dy/n*a.n*b.n
	a.ck += b.ck + dx*dy/n*a.n*b.n
	a.xAvg += dn * b.n
	a.yAvg += dy / n * b.n
	a.n = n
	return nil
}

func (a *momentsAcc) result() (any, error) { return a.f(a) }

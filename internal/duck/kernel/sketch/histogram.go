package sketch

import "slices"

// Bin is a point of a histogram and how many values it stands for.
type Bin struct{ X, Y float64 }

// Histogram keeps a number of bins and merges the nearest two when there is
// one too many (Ben-Haim, Tom-Tov: A streaming parallel decision tree
// algorithm, JMLR 2010). Among equally near ones it draws, with Java's random
// numbers and Hive's seed, so that Spark's bins come out.
type Histogram struct {
	most int
	bins []Bin
	rnd  *random
}

// NewHistogram has most bins, 2 at least.
func NewHistogram(most int) *Histogram { return &Histogram{most: most, rnd: javaRandom(31183)} }

// Add adds a value.
func (s *Histogram) Add(v float64) {
	at := 0
	for l, r := 0, len(s.bins); l < r; {
		at = (l + r) / 2
		if s.bins[at].X > v {
			r = at
			continue
		}
		if !(s.bins[at].X < v) {
			break
		}
		at++
		l = at
	}
	if at < len(s.bins) && s.bins[at].X == v {
		s.bins[at].Y++
		return
	}
	s.bins = slices.Insert(s.bins, at, Bin{v, 1})
	s.trim()
}

func (s *Histogram) trim() {
	for len(s.bins) > s.most {
		least, at, ties := s.bins[1].X-s.bins[0].X, 0, 1
		for i := 1; i < len(s.bins)-1; i++ {
			gap := s.bins[i+1].X - s.bins[i].X
			if gap < least {
				least, at, ties = gap, i, 1
			} else if gap == least {
				ties++
				if s.rnd.float() <= 1/float64(ties) {
					at = i
				}
			}
		}
		a, b := &s.bins[at], s.bins[at+1]
		n := a.Y + b.Y
		a.X = a.X*(a.Y/n) + b.X/n*b.Y
		a.Y = n
		s.bins = slices.Delete(s.bins, at+1, at+2)
	}
}

// Merge adds o's bins, which stay as they are.
func (s *Histogram) Merge(o *Histogram) {
	if len(s.bins) == 0 {
		s.bins = slices.Clone(o.bins)
		return
	}
	s.bins = append(s.bins, o.bins...)
	slices.SortStableFunc(s.bins, func(a, b Bin) int {
		switch {
		case a.X < b.X:
			return -1
		case a.X > b.X:
			return 1
		}
		return 0
	})
	s.trim()
}

// Bins are the histogram, ascending.
func (s *Histogram) Bins() []Bin { return s.bins }

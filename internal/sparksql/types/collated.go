package types

// Collated is STRING COLLATE Name: texts that are compared under a collation.
// Plain STRING is the one of UTF8_BINARY. Name is Indeterminate where texts of
// several collations have met.
type Collated struct{ Name string }

// Indeterminate is the name of no collation, as Spark prints it.
const Indeterminate = "null"

func (Collated) isType()          {}
func (c Collated) String() string { return "string collate " + c.Name }

// SQL is the CAST target's text.
func (c Collated) SQL() string { return "STRING COLLATE " + c.Name }

// HasCollation tells whether t is a Collated or holds one.
func HasCollation(t Type) bool {
	return Contains(t, func(t Type) bool { _, ok := t.(Collated); return ok })
}

// Collate is t with each text in it under the collation of a name; "" makes
// them plain.
func Collate(t Type, name string) Type {
	return Replace(t, func(t Type) Type {
		switch {
		case !IsString(t):
			return t
		case name == "":
			return String
		}
		return Collated{name}
	})
}

// Package collation knows Spark's collations: their names, and the order,
// equality and search of texts under them.
//
// UTF8_BINARY compares bytes, UTF8_LCASE lower-cased code points, UNICODE and
// the languages weights of the CLDR, which golang.org/x/text/collate holds;
// _CI and _AI leave case and accents out, _RTRIM the blanks at the end. Two
// texts are equal under a collation exactly if their keys are the same bytes,
// and the order of keys is the order of the texts.
package collation

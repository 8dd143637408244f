// Package parse turns Spark SQL text into syntax trees: a hand-written lexer
// and recursive descent, with operator precedence for expressions. Keywords
// are contextual as in Spark without reserved words: any word can name a
// column, and clause words can be aliases where nothing else fits.
//
// Every failure is a *sparksql.Error of phase "parse" with its place (columns
// in code points) and what was expected. Nesting is bounded, so that no text
// can overflow the stack. All functions are safe for concurrent use.
package parse

// Package lint checks the repository itself: the layers that DESIGN draws, a
// package comment everywhere, and no words of another world in the tree. Its
// tests are the rules; there is nothing to import.
package lint

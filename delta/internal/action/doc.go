// Package action holds the actions of the Delta log: what a commit file says
// line by line, decoded by a scanner that allocates only what is kept, and the
// rules by which two actions speak of the same file.
package action

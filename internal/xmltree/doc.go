// Package xmltree reads XML texts into small trees, finds nodes in them by
// XPath, and turns them into JSON guided by a schema.
//
// Texts come from users: depth, nodes and entities are bounded, and nothing
// outside of a text is ever read (no external entity, no DTD). The tokens are
// those of encoding/xml, which knows no external entities at all; XPath 1.0 is
// github.com/antchfx/xpath, which has no dependencies of its own and works
// over any tree.
package xmltree

// Package curve orders rows along space-filling curves, so that rows alike in
// several columns come to lie together. The values of a column become ranks,
// cut from a sample into ranges of about as many rows each; a row's ranks give
// its place on a Z-curve (the bits of the ranks interleaved) or on a Hilbert
// curve, whose neighbours are always neighbours in space.
package curve

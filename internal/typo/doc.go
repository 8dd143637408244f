// Package typo measures how far apart two names are, so that an error about an
// unknown one can name what was meant.
package typo

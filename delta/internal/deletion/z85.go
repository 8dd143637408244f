package deletion

import (
	"encoding/binary"
	"fmt"
)

// z85 is the alphabet of ZeroMQ's RFC 32.
const z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// noDigit marks bytes that are not in the alphabet.
const noDigit = 0xff

var z85Digits = func() (d [256]byte) {
	for i := range d {
		d[i] = noDigit
	}
	for i := range len(z85) {
		d[z85[i]] = byte(i)
	}
	return d
}()

// decodeZ85 reads five characters as four bytes, big-endian.
func decodeZ85(s string) ([]byte, error) {
	if len(s)%5 != 0 {
		return nil, fmt.Errorf("deletion vector: %d characters are no Z85 text, which comes in fives", len(s))
	}
	out := make([]byte, 0, len(s)/5*4)
	for i := 0; i < len(s); i += 5 {
		var v uint64
		for j := i; j < i+5; j++ {
			d := z85Digits[s[j]]
			if d == noDigit {
				return nil, fmt.Errorf("deletion vector: %q at %d is no Z85 character", s[j], j)
			}
			v = v*85 + uint64(d)
		}
		if v > 1<<32-1 {
			return nil, fmt.Errorf("deletion vector: the Z85 text at %d is beyond 32 bits", i)
		}
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out, nil
}

// encodeZ85 writes four bytes as five characters; b's length is a multiple of four.
func encodeZ85(b []byte) string {
	out := make([]byte, 0, len(b)/4*5)
	for i := 0; i < len(b); i += 4 {
		v := binary.BigEndian.Uint32(b[i:])
		var five [5]byte
		for j := 4; j >= 0; j-- {
			five[j] = z85[v%85]
			v /= 85
		}
		out = append(out, five[:]...)
	}
	return string(out)
}

package kernel

import (
	"bytes"
	stdaes "crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"slices"
	"strings"
)

// The lengths of the initialization vectors.
const (
	gcmIV = 12
	cbcIV = stdaes.BlockSize
)

// aes makes aes_encrypt (value, key, mode, padding, iv, aad) and aes_decrypt
// (value, key, mode, padding, aad). A random vector stands before what was
// encrypted without one given.
func aes(encrypt bool) maker {
	return func(g *sig) (kernel, error) {
		var p failing
		if err := g.param(&p); err != nil {
			return kernel{}, err
		}
		return rowKernel(g, p, func(r *row) (any, error) {
			c := aesCall{mode: strings.ToUpper(string(r.bytes(2))), aad: r.bytes(len(r.cols) - 1)}
			if encrypt {
				c.iv = r.bytes(4)
			}
			if err := c.check(r.bytes(1), strings.ToUpper(string(r.bytes(3)))); err != nil {
				return nil, err
			}
			if encrypt {
				return c.encrypt(r.bytes(0))
			}
			out, ok := c.decrypt(r.bytes(0))
			if !ok {
				return nil, raisef("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "22023", "The value cannot be decrypted with this key, mode and additional data.")
			}
			return out, nil
		}), nil
	}
}

type aesCall struct {
	block   cipher.Block
	mode    string
	iv, aad []byte
}

func (c *aesCall) check(key []byte, padding string) error {
	block, err := stdaes.NewCipher(key)
	if err != nil {
		return raisef("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "22023", "An AES key has 16, 24 or 32 bytes, not %d.", len(key))
	}
	c.block = block
	want := map[string]string{"ECB": "PKCS", "CBC": "PKCS", "GCM": "NONE"}[c.mode]
	if want == "" || padding != want && padding != "DEFAULT" {
		return raisef("UNSUPPORTED_FEATURE.AES_MODE", "0A000", "AES knows ECB and CBC with PKCS padding, and GCM with none, not %s with %s.", c.mode, padding)
	}
	if n := len(c.iv); n > 0 {
		size, ok := map[string]int{"CBC": cbcIV, "GCM": gcmIV}[c.mode]
		if !ok {
			return raisef("UNSUPPORTED_FEATURE.AES_MODE_IV", "0A000", "AES in mode %s takes no initialization vector.", c.mode)
		}
		if n != size {
			return raisef("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "22023", "The initialization vector of mode %s has %d bytes, not %d.", c.mode, size, n)
		}
	}
	if len(c.aad) > 0 && c.mode != "GCM" {
		return raisef("UNSUPPORTED_FEATURE.AES_MODE_AAD", "0A000", "AES in mode %s takes no additional data.", c.mode)
	}
	return nil
}

func (c *aesCall) vector(n int) ([]byte, error) {
	if len(c.iv) > 0 {
		return slices.Clone(c.iv), nil
	}
	iv := make([]byte, n)
	_, err := rand.Read(iv)
	return iv, err
}

func (c *aesCall) encrypt(v []byte) ([]byte, error) {
	const size = stdaes.BlockSize
	if c.mode == "GCM" {
		gcm, err := cipher.NewGCM(c.block)
		if err != nil {
			return nil, err
		}
		iv, err := c.vector(gcmIV)
		if err != nil {
			return nil, err
		}
		return gcm.Seal(iv, iv, v, c.aad), nil
	}
	pad := size - len(v)%size
	v = append(slices.Clone(v), bytes.Repeat([]byte{byte(pad)}, pad)...)
	if c.mode == "ECB" {
		for i := 0; i < len(v); i += size {
			c.block.Encrypt(v[i:], v[i:])
		}
		return v, nil
	}
	iv, err := c.vector(cbcIV)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCEncrypter(c.block, iv).CryptBlocks(v, v)
	return append(iv, v...), nil
}

func (c *aesCall) decrypt(v []byte) ([]byte, bool) {
	const size = stdaes.BlockSize
	if c.mode == "GCM" {
		gcm, err := cipher.NewGCM(c.block)
		if err != nil || len(v) < gcmIV {
			return nil, false
		}
		out, err := gcm.Open(nil, v[:gcmIV], v[gcmIV:], c.aad)
		return out, err == nil
	}
	v = slices.Clone(v)
	if c.mode == "CBC" {
		if len(v) < cbcIV {
			return nil, false
		}
		c.iv, v = v[:cbcIV], v[cbcIV:]
	}
	if len(v) == 0 {
		return v, true
	}
	if len(v)%size != 0 {
		return nil, false
	}
	if c.mode == "ECB" {
		for i := 0; i < len(v); i += size {
			c.block.Decrypt(v[i:], v[i:])
		}
	} else {
		cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(v, v)
	}
	pad := int(v[len(v)-1])
	if pad < 1 || pad > size || !bytes.Equal(v[len(v)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, false
	}
	return v[:len(v)-pad], true
}

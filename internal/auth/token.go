package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

const tokenWord = "mrs_"

// Tokens are the tokens that people and programs show. It is safe for
// concurrent use.
type Tokens struct {
	fs   vfs.FS
	name string

	mu  sync.RWMutex
	all []storedToken
}

// storedToken is a token as kept: what it hashes to and whose it is.
type storedToken struct {
	SHA256    string    `json:"sha256"`
	Principal Principal `json:"principal"`
	Created   time.Time `json:"created"`
}

type tokenFile struct {
	Format int           `json:"format"`
	Tokens []storedToken `json:"tokens"`
}

// OpenTokens reads the tokens of the folder dir, which it makes if need be.
func OpenTokens(fsys vfs.FS, dir string) (*Tokens, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	t := &Tokens{fs: fsys, name: path.Join(dir, "tokens.json")}
	data, err := vfs.ReadFile(fsys, t.name)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	var f tokenFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("auth: %s is damaged: %w", t.name, err)
	}
	if f.Format != 1 {
		return nil, fmt.Errorf("auth: %s has format %d, this version knows 1", t.name, f.Format)
	}
	t.all = f.Tokens
	return t, nil
}

// Mint makes a token for p; it is durable when Mint returns and cannot be
// shown again.
func (t *Tokens) Mint(p Principal) (string, error) {
	token := tokenWord + base64.RawURLEncoding.EncodeToString(random(32))
	t.mu.Lock()
	defer t.mu.Unlock()
	all := append(t.all[:len(t.all):len(t.all)], storedToken{SHA256: hash(token), Principal: p, Created: time.Now().UTC()})
	data, err := json.MarshalIndent(tokenFile{Format: 1, Tokens: all}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	if err := vfs.WriteFile(t.fs, t.name, data); err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	t.all = all
	return token, nil
}

// Verify tells whose a token is, or ErrInvalidToken.
func (t *Tokens) Verify(token string) (Principal, error) {
	if !strings.HasPrefix(token, tokenWord) {
		return Principal{}, ErrInvalidToken
	}
	h := []byte(hash(token))
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := -1
	for i, k := range t.all { // all of them: the time tells nothing
		if subtle.ConstantTimeCompare(h, []byte(k.SHA256)) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Principal{}, ErrInvalidToken
	}
	return t.all[found].Principal, nil
}

// Empty tells that no token was ever made.
func (t *Tokens) Empty() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.all) == 0
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

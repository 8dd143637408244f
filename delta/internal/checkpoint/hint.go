package checkpoint

import (
	"encoding/json"
	"errors"
)

// Pointer is the content of _last_checkpoint. It is a hint: it may be old,
// torn or wrong.
type Pointer struct {
	Version int64 `json:"version"`
	// Size is the number of actions.
	Size          int64 `json:"size"`
	Parts         *int  `json:"parts,omitempty"`
	SizeInBytes   int64 `json:"sizeInBytes,omitempty"`
	NumOfAddFiles int64 `json:"numOfAddFiles,omitempty"`
}

// ParsePointer reads a _last_checkpoint file.
func ParsePointer(data []byte) (Pointer, error) {
	p := Pointer{Version: -1}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, err
	}
	if p.Version < 0 || p.Parts != nil && *p.Parts < 1 {
		return p, errors.New("no version")
	}
	return p, nil
}

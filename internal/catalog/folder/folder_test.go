package folder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/catalog/folder"
)

func TestAFolderIsMadeOnceAndOwnedByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "data")
	if st, err := folder.Peek(path); st.Exists || st.InUse || err != nil {
		t.Errorf("before: %+v, %v", st, err)
	}
	f, err := folder.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	stamp := f.Stamp()
	if stamp.Format != 1 || len(stamp.ID) != 36 || stamp.Created.IsZero() {
		t.Errorf("stamp %+v", stamp)
	}
	if got, want := f.Path("tables", "x"), filepath.Join(path, "tables", "x"); got != want || f.FS().Path("tables/x") != want {
		t.Errorf("Path = %s, want %s", got, want)
	}
	_, err = folder.Open(path)
	if !errors.Is(err, folder.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("second Open: %v", err)
	}
	if st, err := folder.Peek(path); !st.InUse || st.PID != os.Getpid() || st.Stamp != stamp || err != nil {
		t.Errorf("while open: %+v, %v", st, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err := folder.Peek(path); st.InUse || st.PID != 0 || !st.Exists || err != nil {
		t.Errorf("after: %+v, %v", st, err)
	}
	f, err = folder.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Stamp() != stamp {
		t.Errorf("the stamp changed: %+v", f.Stamp())
	}
}

func TestFoldersThatAreNotOursAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             error
		says             string
	}{
		{"newer", "marisma.json", `{"format":2,"id":"x"}`, folder.ErrNewer, "format 2"},
		{"damaged", "marisma.json", `{"form`, nil, "damaged"},
		{"foreign", "holiday.jpg", "", folder.ErrForeign, "holiday.jpg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the refusal holds no lock
				_, err := folder.Open(dir)
				if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v", err)
				}
			}
			if _, err := folder.Peek(dir); c.file == "marisma.json" && err == nil {
				t.Error("Peek found nothing wrong")
			}
		})
	}
}

package cache_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/cache"
)

func Example() {
	ctx := context.Background()
	far := objstore.Memory() // one of the cloud's, in earnest
	if _, err := far.Put(ctx, "t/part-1.parquet", strings.NewReader("PAR1"), objstore.PutOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "copies")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := cache.Open(far, dir, cache.Options{MaxBytes: 10 << 30})
	if err != nil {
		fmt.Println(err)
		return
	}
	// store reads as far does; and an engine that wants files gets them.
	path, release, err := store.Fetch(ctx, "t/part-1.parquet", 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer release()
	data, err := os.ReadFile(path)
	fmt.Println(string(data), err)
	// Output: PAR1 <nil>
}

package objstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/marisma/marisma/objstore"
)

func ExampleParse() {
	for _, address := range []string{
		"abfss://lake@contoso.dfs.core.windows.net/silver/readings",
		"s3://contoso-lake/silver/readings",
		"file:///var/lake/silver/readings",
		"gs://lake/silver",
	} {
		loc, err := objstore.Parse(address)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(loc.Kind, loc.Account, loc.Container, loc.Prefix)
	}
	// Output:
	// azure contoso lake silver/readings
	// s3  contoso-lake silver/readings
	// file   /var/lake/silver/readings
	// objstore: invalid: the scheme "gs"; known are abfss, az, https, s3 and file
}

// Of several that put under one key on condition that it is free, one wins.
func ExampleStore() {
	ctx := context.Background()
	s := objstore.Memory()
	for _, who := range []string{"first", "second"} {
		_, err := s.Put(ctx, "log/0.json", strings.NewReader(who), objstore.PutOptions{IfAbsent: true})
		fmt.Println(who, "lost:", errors.Is(err, objstore.ErrExists))
	}
	b, err := objstore.ReadAll(ctx, s, "log/0.json")
	fmt.Println(string(b), err)
	// Output:
	// first lost: false
	// second lost: true
	// first <nil>
}

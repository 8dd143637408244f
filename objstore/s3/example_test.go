package s3_test

import (
	"context"
	"fmt"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/s3"
)

func ExampleOpen() {
	store, err := s3.Open(context.Background(), "s3://contoso-lake/silver", s3.Options{Region: "eu-south-2"})
	fmt.Println(store, err)
}

// Other servers take static keys, mostly, and the bucket in the path. Whether
// they know conditional puts is worth a try before the first commit.
func ExampleProbe() {
	ctx := context.Background()
	store, err := s3.Open(ctx, "s3://lake/silver", s3.Options{
		Endpoint: "http://minio.plant.example:9000", PathStyle: true,
		AccessKeyID: "marisma", SecretAccessKey: "from a secret store",
		Limits: objstore.Limits{PartBytes: 16 << 20},
	})
	if err == nil {
		err = s3.Probe(ctx, store)
	}
	fmt.Println(err)
}

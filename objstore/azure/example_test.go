package azure_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/azure"
)

// On a machine with an identity, or after `az login`, no option is needed.
func ExampleOpen() {
	ctx := context.Background()
	store, err := azure.Open(ctx, "abfss://lake@contoso.dfs.core.windows.net/silver", azure.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := delta.Open(ctx, store, "readings")
	switch {
	case errors.Is(err, objstore.ErrDenied):
		fmt.Println("the identity needs the role Storage Blob Data Contributor:", err)
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	snapshot, err := table.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("version", snapshot.Version())
}

func ExampleOpen_servicePrincipal() {
	store, err := azure.Open(context.Background(), "abfss://lake@contoso.dfs.core.windows.net/silver", azure.Options{
		TenantID: "9d1c7a52-...", ClientID: "3f0e6b1d-...", ClientSecret: "from a secret store",
	})
	fmt.Println(store, err)
}

func ExampleOpen_azurite() {
	store, err := azure.Open(context.Background(), "http://127.0.0.1:10000/devstoreaccount1/lake/silver", azure.Options{
		AccountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", // everybody's
	})
	fmt.Println(store, err)
}

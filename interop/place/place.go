package place

import (
	"context"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/azure"
	"github.com/marisma/marisma/objstore/s3"
)

// Open gives the store of a folder or of an address in the cloud, whose
// credentials the environment has.
func Open(ctx context.Context, address string) (objstore.Store, error) {
	loc, err := objstore.Parse(address)
	if err != nil {
		return nil, err
	}
	switch loc.Kind {
	case objstore.Azure:
		return azure.Open(ctx, address, azure.Options{AccountKey: objstore.Secret(os.Getenv("AZURE_STORAGE_KEY"))})
	case objstore.S3:
		return s3.Open(ctx, address, s3.Options{PathStyle: true, Endpoint: os.Getenv("AWS_ENDPOINT_URL")})
	default:
		return objstore.Local(loc.Prefix), nil
	}
}

// Make makes the container of an address on Azure; others need no making.
func Make(ctx context.Context, address string) error {
	loc, err := objstore.Parse(address)
	if err != nil || loc.Kind != objstore.Azure {
		return err
	}
	cred, err := container.NewSharedKeyCredential(loc.Account, os.Getenv("AZURE_STORAGE_KEY"))
	if err != nil {
		return err
	}
	c, err := container.NewClientWithSharedKeyCredential(loc.Endpoint+"/"+loc.Container, cred, nil)
	if err != nil {
		return err
	}
	if _, err = c.Create(ctx, nil); bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		return nil
	}
	return err
}

package azure

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/marisma/marisma/objstore/internal/cloud"
)

// kinds are the codes that say more than their status.
var kinds = map[bloberror.Code]cloud.Kind{
	bloberror.BlobAlreadyExists:         cloud.Exists,
	bloberror.ResourceAlreadyExists:     cloud.Exists,
	"PathAlreadyExists":                 cloud.Exists,
	bloberror.UnauthorizedBlobOverwrite: cloud.Exists, // a signature that may only create
	bloberror.InvalidBlockList:          cloud.PartsLost,
	bloberror.InvalidBlobOrBlock:        cloud.PartsLost,
	bloberror.ContainerNotFound:         cloud.NoContainer,
	bloberror.ContainerBeingDeleted:     cloud.NoContainer,
	bloberror.InvalidRange:              cloud.BadRange,
}

// fault tells what an error of the SDK means. Of the answer it keeps what
// holds no credentials: the texts of refused signatures repeat them.
func fault(ctx context.Context, err error) *cloud.Fault {
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return cloud.Transport(ctx, err)
	}
	f := &cloud.Fault{Kind: cloud.Status(r.StatusCode), Status: r.StatusCode, Code: r.ErrorCode}
	if k, ok := kinds[bloberror.Code(r.ErrorCode)]; ok {
		f.Kind = k
	}
	f.Busy = r.StatusCode == http.StatusServiceUnavailable || f.Kind == cloud.Throttled
	if r.RawResponse != nil {
		f.RequestID = r.RawResponse.Header.Get("x-ms-request-id")
		if n, err := strconv.Atoi(r.RawResponse.Header.Get("Retry-After")); err == nil {
			f.Wait = time.Duration(n) * time.Second
		}
	}
	return f
}

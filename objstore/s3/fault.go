package s3

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/marisma/marisma/objstore/internal/cloud"
)

// kinds are the codes that say more than their status.
var kinds = map[string]cloud.Kind{
	"ConditionalRequestConflict": cloud.Contended, // 409: another request for the key was under way
	"OperationAborted":           cloud.Contended,
	"NoSuchUpload":               cloud.PartsLost,
	"InvalidPart":                cloud.PartsLost,
	"InvalidRange":               cloud.BadRange,
	"NoSuchBucket":               cloud.NoContainer,
	"InternalError":              cloud.Unsure, // a completed upload says so with the status 200
	"RequestTimeout":             cloud.Unsure,
	"SlowDown":                   cloud.Unsure, // a status of 503, as below
}

// fault tells what an error of the SDK means. Of the answer it keeps what
// holds no credentials.
func fault(ctx context.Context, err error) *cloud.Fault {
	api, ok := errors.AsType[smithy.APIError](err)
	answer, answered := errors.AsType[*awshttp.ResponseError](err)
	answered = answered && answer.HTTPStatusCode() != 0
	if !ok && !answered {
		return cloud.Transport(ctx, err)
	}
	f := &cloud.Fault{}
	if answered {
		f.Status, f.RequestID = answer.HTTPStatusCode(), answer.ServiceRequestID()
		f.Kind = cloud.Status(f.Status)
		if answer.Response != nil {
			if n, err := strconv.Atoi(answer.Response.Header.Get("Retry-After")); err == nil {
				f.Wait = time.Duration(n) * time.Second
			}
		}
	}
	if ok {
		f.Code = api.ErrorCode()
		if k, ok := kinds[f.Code]; ok {
			f.Kind = k
		}
		if f.Kind != cloud.Denied { // which repeats what was signed
			f.Message = api.ErrorMessage()
		}
	} else if f.Status < 300 {
		f.Kind, f.Message = cloud.Unsure, "the answer cannot be read" // cut off, perhaps
	}
	f.Busy = f.Status == http.StatusServiceUnavailable || f.Kind == cloud.Throttled
	return f
}

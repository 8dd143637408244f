package query

import (
	"errors"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/cache"
)

// storageError gives what a cloud store, or the way to it, answered a class,
// and what to do; and so a statement that lost against other writers. Other
// errors stay as they are.
func storageError(err error) error {
	if _, ok := errors.AsType[*sparksql.Error](err); ok || err == nil {
		return err
	}
	out := &sparksql.Error{Class: "CLOUD_PROVIDER_ERROR", SQLState: "58000", Phase: sparksql.PhaseRuntime}
	if errors.Is(err, cache.ErrFull) {
		out.Message = "the files that statements read at once need more room than the local copies have: " + err.Error() + "."
		out.Hint = "Raise `cache` in marisma.yml, or read fewer files at once."
		return out
	}
	if errors.Is(err, delta.ErrConflict) {
		out.Class, out.SQLState = "DELTA_CONCURRENT_WRITE", "2D521"
		out.Message = "other writers changed the table each time that the statement was about to commit: " + err.Error() + "."
		out.Hint = "Nothing was changed; run the statement again."
		return out
	}
	s, ok := errors.AsType[*objstore.ServiceError](err)
	if !ok {
		return err
	}
	var at interface{ Pos() sparksql.Pos }
	if errors.As(err, &at) {
		out.Pos = at.Pos()
	}
	out.Message = s.Error() + "."
	switch {
	case errors.Is(err, objstore.ErrUnknownOutcome): // which is not repeated
		out.Hint = "The statement may have happened: read the table, or DESCRIBE HISTORY, before it is run again."
	case errors.Is(err, objstore.ErrDenied):
		out.Class, out.SQLState = "UNAUTHORIZED_ACCESS", "42501"
		out.Hint = "The environment of `marisma up` has the credentials of Azure storage: AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING; without them it is Entra ID's (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, the machine's identity, `az login`). They must allow reading, writing, listing and deleting."
		if strings.HasPrefix(s.Where, "s3://") {
			out.Hint = "The environment of `marisma up` has the credentials of S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the machine's role. They must allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket."
		}
	case errors.Is(err, objstore.ErrNoContainer):
		out.Class, out.SQLState = "PATH_NOT_FOUND", "42K03"
		out.Hint = "Statements make no containers and no buckets: make it first, or correct the address."
	case errors.Is(err, objstore.ErrThrottled):
		out.Hint = "The service asked for fewer requests, to the last try; run the statement again later."
	case s.Status == 0:
		out.Hint = "Look at the network, the address and its endpoint (AZURE_STORAGE_ENDPOINT, AWS_ENDPOINT_URL), and run the statement again."
	default:
		out.Hint = "Run the statement again; the service's support asks for the request's id."
	}
	return out
}

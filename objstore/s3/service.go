package s3

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
)

// markKey is the metadata that a put leaves.
const markKey = "marismaput"

// service is a bucket as cloud.Service.
type service struct {
	client *awss3.Client
	bucket string
}

// Where is the address of a key.
func (s *service) Where(key string) string {
	return "s3://" + s.bucket + "/" + (&url.URL{Path: key}).EscapedPath()
}

// Get reads a range.
func (s *service) Get(ctx context.Context, key string, start, n int64, etag string) (cloud.Body, error) {
	in := &awss3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	switch {
	case n >= 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", start, start+n-1))
	case start > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", start))
	}
	if etag != "" {
		in.IfMatch = &etag
	}
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return cloud.Body{}, fault(ctx, err)
	}
	b := cloud.Body{ReadCloser: out.Body, Info: objstore.Info{
		Key: key, Size: aws.ToInt64(out.ContentLength), ModTime: aws.ToTime(out.LastModified), ETag: aws.ToString(out.ETag),
	}}
	if out.ContentRange != nil {
		var end int64
		if _, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &b.Start, &end, &b.Info.Size); err != nil {
			_ = out.Body.Close()
			return cloud.Body{}, &cloud.Fault{Kind: cloud.Unsure, Message: "Content-Range is " + strconv.Quote(*out.ContentRange)}
		}
	}
	return b, nil
}

// Head describes an object.
func (s *service) Head(ctx context.Context, key string) (cloud.Object, error) {
	out, err := s.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return cloud.Object{}, fault(ctx, err)
	}
	return cloud.Object{Mark: out.Metadata[markKey], Info: objstore.Info{
		Key: key, Size: aws.ToInt64(out.ContentLength), ModTime: aws.ToTime(out.LastModified), ETag: aws.ToString(out.ETag),
	}}, nil
}

func condition(ifAbsent bool) *string {
	if ifAbsent {
		return aws.String("*")
	}
	return nil
}

// written is what an answer to a put tells. The time is that of the answer,
// since S3 does not tell the object's.
func written(key string, size int64, etag *string, m middleware.Metadata) objstore.Info {
	i := objstore.Info{Key: key, Size: size, ETag: aws.ToString(etag), ModTime: time.Now()}
	if r, ok := awsmiddleware.GetRawResponse(m).(*smithyhttp.Response); ok {
		if at, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			i.ModTime = at
		}
	}
	return i
}

// Put makes an object by one request.
func (s *service) Put(ctx context.Context, key string, data []byte, mark string, ifAbsent bool) (objstore.Info, error) {
	out, err := s.client.PutObject(ctx, &awss3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(data), Metadata: map[string]string{markKey: mark}, IfNoneMatch: condition(ifAbsent),
	})
	if err != nil {
		return objstore.Info{}, fault(ctx, err).ForPut()
	}
	return written(key, int64(len(data)), out.ETag, out.ResultMetadata), nil
}

// Delete removes an object.
func (s *service) Delete(ctx context.Context, key string) error {
	if _, err := s.client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &s.bucket, Key: &key}); err != nil {
		return fault(ctx, err)
	}
	return nil
}

// List gives a page.
func (s *service) List(ctx context.Context, l cloud.Listing) (cloud.Page, error) {
	in := &awss3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &l.Prefix}
	switch {
	case l.Token != "":
		in.ContinuationToken = &l.Token
	case l.After != "":
		in.StartAfter = &l.After
	}
	out, err := s.client.ListObjectsV2(ctx, in)
	if err != nil {
		return cloud.Page{}, fault(ctx, err)
	}
	page := cloud.Page{Objects: make([]objstore.Info, 0, len(out.Contents))}
	for _, o := range out.Contents {
		page.Objects = append(page.Objects, objstore.Info{
			Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ModTime: aws.ToTime(o.LastModified), ETag: aws.ToString(o.ETag),
		})
	}
	if aws.ToBool(out.IsTruncated) {
		page.Next = aws.ToString(out.NextContinuationToken)
	}
	return page, nil
}

// Begin opens a multipart upload.
func (s *service) Begin(ctx context.Context, key, mark string) (cloud.Upload, error) {
	out, err := s.client.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, Metadata: map[string]string{markKey: mark},
	})
	if err != nil {
		return nil, fault(ctx, err).ForPut()
	}
	return &upload{service: s, key: key, id: out.UploadId}, nil
}

// upload is a multipart upload.
type upload struct {
	*service
	key string
	id  *string

	mu    sync.Mutex
	parts []types.CompletedPart
}

// MaxParts is the service's.
func (*upload) MaxParts() int { return 10_000 }

// Part sends a part.
func (u *upload) Part(ctx context.Context, i int, data []byte) error {
	number := aws.Int32(int32(i + 1))
	out, err := u.client.UploadPart(ctx, &awss3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: u.id, PartNumber: number, Body: bytes.NewReader(data),
	})
	if err != nil {
		return fault(ctx, err).ForPut()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = append(u.parts, types.CompletedPart{
		PartNumber: number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
	})
	return nil
}

// Commit completes the upload.
func (u *upload) Commit(ctx context.Context, n int, size int64, ifAbsent bool) (objstore.Info, error) {
	u.mu.Lock()
	slices.SortFunc(u.parts, func(a, b types.CompletedPart) int { return cmp.Compare(*a.PartNumber, *b.PartNumber) })
	parts := slices.Clone(u.parts)
	u.mu.Unlock()
	if len(parts) != n {
		return objstore.Info{}, &cloud.Fault{Kind: cloud.PartsLost, Message: fmt.Sprintf("%d of %d parts were sent", len(parts), n)}
	}
	out, err := u.client.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: u.id, IfNoneMatch: condition(ifAbsent),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		return objstore.Info{}, fault(ctx, err).ForPut()
	}
	return written(u.key, size, out.ETag, out.ResultMetadata), nil
}

// Abort lets the service drop the parts.
func (u *upload) Abort(ctx context.Context) error {
	_, err := u.client.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: &u.key, UploadId: u.id})
	if err != nil {
		return fault(ctx, err)
	}
	return nil
}

package azure

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
)

// markKey is the metadata that a put leaves. The service capitalises it as it
// likes, so it is compared without case.
const markKey = "marismaput"

// service is a container as cloud.Service.
type service struct {
	client *container.Client
	where  string // the container's address, with "/"

	mu    sync.Mutex
	walks *bool // known once the account was asked
}

// Where is the address of a key.
func (s *service) Where(key string) string {
	return s.where + (&url.URL{Path: key}).EscapedPath()
}

// hierarchical tells whether listings must go folder by folder. An account that
// does not tell what it is gets that too, which is right for both kinds.
func (s *service) hierarchical(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.walks != nil {
		return *s.walks
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := s.client.GetAccountInfo(ctx, nil)
	switch {
	case err == nil:
		s.walks = new(info.IsHierarchicalNamespaceEnabled != nil && *info.IsHierarchicalNamespaceEnabled)
	case fault(ctx, err).Status != 0 && fault(ctx, err).Status < 500: // it answered, and will not tell
		s.walks = new(true)
	default:
		return true
	}
	return *s.walks
}

func conditions(ifAbsent bool, etag string) *blob.AccessConditions {
	m := &blob.ModifiedAccessConditions{}
	switch {
	case ifAbsent:
		m.IfNoneMatch = to.Ptr(azcore.ETagAny)
	case etag != "":
		m.IfMatch = new(azcore.ETag(etag))
	default:
		return nil
	}
	return &blob.AccessConditions{ModifiedAccessConditions: m}
}

// mark is what a put left; folder tells that it is a folder of an account with
// a hierarchical namespace, which is no object.
func mark(metadata map[string]*string) (text string, folder bool) {
	for k, v := range metadata {
		switch {
		case v == nil:
		case strings.EqualFold(k, markKey):
			text = *v
		case strings.EqualFold(k, "hdi_isfolder"):
			folder = *v == "true"
		}
	}
	return text, folder
}

func info(key string, size int64, etag *azcore.ETag, at *time.Time) objstore.Info {
	i := objstore.Info{Key: key, Size: size}
	if etag != nil {
		i.ETag = string(*etag)
	}
	if at != nil {
		i.ModTime = *at
	}
	return i
}

func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

var errFolder = &cloud.Fault{Kind: cloud.Missing, Message: "a folder"}

// Get reads a range.
func (s *service) Get(ctx context.Context, key string, start, n int64, etag string) (cloud.Body, error) {
	o := &blob.DownloadStreamOptions{AccessConditions: conditions(false, etag)}
	if start > 0 || n >= 0 {
		o.Range = blob.HTTPRange{Offset: start, Count: max(n, 0)} // 0 is to the end
	}
	r, err := s.client.NewBlobClient(key).DownloadStream(ctx, o)
	if err != nil {
		return cloud.Body{}, fault(ctx, err)
	}
	if _, folder := mark(r.Metadata); folder {
		_ = r.Body.Close()
		return cloud.Body{}, errFolder
	}
	b := cloud.Body{ReadCloser: r.Body, Info: info(key, value(r.ContentLength), r.ETag, r.LastModified)}
	if r.ContentRange != nil {
		var end int64
		if _, err := fmt.Sscanf(*r.ContentRange, "bytes %d-%d/%d", &b.Start, &end, &b.Info.Size); err != nil {
			_ = r.Body.Close()
			return cloud.Body{}, &cloud.Fault{Kind: cloud.Unsure, Message: "Content-Range is " + strconv.Quote(*r.ContentRange)}
		}
	}
	return b, nil
}

// Head describes a blob.
func (s *service) Head(ctx context.Context, key string) (cloud.Object, error) {
	r, err := s.client.NewBlobClient(key).GetProperties(ctx, nil)
	if err != nil {
		return cloud.Object{}, fault(ctx, err)
	}
	m, folder := mark(r.Metadata)
	if folder {
		return cloud.Object{}, errFolder
	}
	return cloud.Object{Info: info(key, value(r.ContentLength), r.ETag, r.LastModified), Mark: m}, nil
}

// content is a body that the SDK may read again.
type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

// Put makes a blob by one request.
func (s *service) Put(ctx context.Context, key string, data []byte, mark string, ifAbsent bool) (objstore.Info, error) {
	r, err := s.client.NewBlockBlobClient(key).Upload(ctx, content{bytes.NewReader(data)}, &blockblob.UploadOptions{
		Metadata: map[string]*string{markKey: &mark}, AccessConditions: conditions(ifAbsent, ""),
	})
	if err != nil {
		return objstore.Info{}, fault(ctx, err).ForPut()
	}
	return info(key, int64(len(data)), r.ETag, r.LastModified), nil
}

// Delete removes a blob.
func (s *service) Delete(ctx context.Context, key string) error {
	_, err := s.client.NewBlobClient(key).Delete(ctx, nil)
	if err == nil {
		return nil
	}
	f := fault(ctx, err)
	if f.Code == "DirectoryIsNotEmpty" { // a folder is no object
		f.Kind = cloud.Missing
	}
	return f
}

// Begin needs no request: blocks belong to the blob's name.
func (s *service) Begin(_ context.Context, key, mark string) (cloud.Upload, error) {
	return &upload{service: s, blob: s.client.NewBlockBlobClient(key), key: key, mark: mark}, nil
}

// List gives a page.
func (s *service) List(ctx context.Context, l cloud.Listing) (cloud.Page, error) {
	var marker *string
	if l.Token != "" {
		marker = &l.Token
	}
	var page cloud.Page
	if l.Folders {
		r, err := s.client.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{
			Prefix: &l.Prefix, Marker: marker, Include: container.ListBlobsInclude{Metadata: true},
		}).NextPage(ctx)
		if err != nil {
			return page, fault(ctx, err)
		}
		for _, p := range r.Segment.BlobPrefixes {
			page.Folders = append(page.Folders, value(p.Name))
		}
		page.Objects, page.Next = objects(r.Segment.BlobItems), value(r.NextMarker)
		return page, nil
	}
	o := &container.ListBlobsFlatOptions{Prefix: &l.Prefix, Marker: marker}
	if l.After > l.Prefix {
		o.StartFrom = &l.After // services of older versions ignore it
	}
	r, err := s.client.NewListBlobsFlatPager(o).NextPage(ctx)
	if err != nil {
		return page, fault(ctx, err)
	}
	page.Objects, page.Next = objects(r.Segment.BlobItems), value(r.NextMarker)
	return page, nil
}

func objects(items []*container.BlobItem) []objstore.Info {
	out := make([]objstore.Info, 0, len(items))
	for _, b := range items {
		if _, folder := mark(b.Metadata); folder || b.Properties == nil {
			continue
		}
		out = append(out, info(value(b.Name), value(b.Properties.ContentLength), b.Properties.ETag, b.Properties.LastModified))
	}
	return out
}

// upload is a blob in blocks.
type upload struct {
	*service
	blob      *blockblob.Client
	key, mark string
}

// MaxParts is the service's.
func (*upload) MaxParts() int { return 50_000 }

// id names a block: the put's mark and the place, in the same length for all.
func (u *upload) id(i int) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32([]byte(u.mark), uint32(i)))
}

// Part stages a block.
func (u *upload) Part(ctx context.Context, i int, data []byte) error {
	if _, err := u.blob.StageBlock(ctx, u.id(i), content{bytes.NewReader(data)}, nil); err != nil {
		return fault(ctx, err)
	}
	return nil
}

// Commit makes the blob of its blocks.
func (u *upload) Commit(ctx context.Context, n int, size int64, ifAbsent bool) (objstore.Info, error) {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = u.id(i)
	}
	r, err := u.blob.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
		Metadata: map[string]*string{markKey: &u.mark}, AccessConditions: conditions(ifAbsent, ""),
	})
	if err != nil {
		return objstore.Info{}, fault(ctx, err).ForPut()
	}
	return info(u.key, size, r.ETag, r.LastModified), nil
}

// Abort has nothing to do: the service drops blocks that no list names.
func (*upload) Abort(context.Context) error { return nil }

var _ io.ReadSeekCloser = content{}

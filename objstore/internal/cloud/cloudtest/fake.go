package cloudtest

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fake is a server in memory that knows just the requests for single objects,
// of Blob Storage and of S3, by which the handling of trouble is tried where
// no real server is installed. It checks no credentials.
type Fake struct {
	mu      sync.Mutex
	objects map[string]*fakeObject
	parts   map[string][]byte // by upload or blob, and part
	marks   map[string]http.Header
	// Conflict is the status and code for a condition that met an object.
	Conflict int
	Code     string
}

type fakeObject struct {
	data   []byte
	etag   string
	at     time.Time
	header http.Header
}

// Serve starts f and gives its address.
func (f *Fake) Serve(t *testing.T) string {
	t.Helper()
	f.objects, f.parts, f.marks = map[string]*fakeObject{}, map[string][]byte{}, map[string]http.Header{}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func (f *Fake) fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>by the fake</Message></Error>", code)
}

// ServeHTTP implements http.Handler.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	q, key := r.URL.Query(), r.URL.Path
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		id := rand.Text()
		f.marks[id] = r.Header
		_, _ = fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
	case r.Method == http.MethodPut && (q.Has("partNumber") || q.Get("comp") == "block"):
		f.parts[key+q.Get("uploadId")+" "+q.Get("partNumber")+q.Get("blockid")] = body
		w.Header().Set("ETag", `"part"`)
		w.WriteHeader(map[bool]int{true: http.StatusCreated, false: http.StatusOK}[q.Has("comp")])
	case r.Method == http.MethodPost || q.Get("comp") == "blocklist":
		f.join(w, r, key, q.Get("uploadId"), body)
	case r.Method == http.MethodPut:
		f.put(w, r, key, body, r.Header)
	case r.Method == http.MethodDelete:
		if !q.Has("uploadId") { // of an upload, the parts may stay
			delete(f.objects, key)
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		f.get(w, r, key)
	}
}

// join makes an object of the parts that the body lists.
func (f *Fake) join(w http.ResponseWriter, r *http.Request, key, id string, body []byte) {
	var list struct {
		Latest []string `xml:"Latest"`
		Part   []struct {
			PartNumber string `xml:"PartNumber"`
		} `xml:"Part"`
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		f.fail(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	for _, p := range list.Part {
		list.Latest = append(list.Latest, p.PartNumber)
	}
	var all []byte
	for _, p := range list.Latest {
		data, ok := f.parts[key+id+" "+p]
		if !ok {
			f.fail(w, http.StatusNotFound, "NoSuchUpload")
			return
		}
		all = append(all, data...)
	}
	header := r.Header
	if id != "" {
		header = f.marks[id]
	}
	if !f.put(w, r, key, all, header) {
		return
	}
	for _, p := range list.Latest {
		delete(f.parts, key+id+" "+p)
	}
	if id != "" {
		_, _ = fmt.Fprintf(w, "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>", f.objects[key].etag)
	}
}

func (f *Fake) put(w http.ResponseWriter, r *http.Request, key string, data []byte, header http.Header) bool {
	if f.objects[key] != nil && r.Header.Get("If-None-Match") == "*" {
		f.fail(w, f.Conflict, f.Code)
		return false
	}
	o := &fakeObject{data, `"` + rand.Text() + `"`, time.Now(), http.Header{}}
	for k, v := range header {
		if strings.HasPrefix(k, "X-Ms-Meta-") || strings.HasPrefix(k, "X-Amz-Meta-") {
			o.header[k] = v
		}
	}
	f.objects[key] = o
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Last-Modified", o.at.UTC().Format(http.TimeFormat))
	if r.URL.Query().Get("uploadId") == "" && f.Code == "BlobAlreadyExists" {
		w.WriteHeader(http.StatusCreated)
	}
	return true
}

func (f *Fake) get(w http.ResponseWriter, r *http.Request, key string) {
	o := f.objects[key]
	if o == nil {
		f.fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	maps.Copy(w.Header(), o.header)
	if x := r.Header.Get("X-Ms-Range"); x != "" {
		r.Header.Set("Range", x)
	}
	w.Header().Set("ETag", o.etag)
	http.ServeContent(w, r, "", o.at, bytes.NewReader(o.data))
}

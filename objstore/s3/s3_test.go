package s3

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud/cloudtest"
	"github.com/marisma/marisma/objstore/objstoretest"
)

const secret = "wJalrXUtnFEMI/K7MDENG"

func options(endpoint string) Options {
	return Options{Endpoint: endpoint, PathStyle: true, AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}
}

func open(t *testing.T, address string, o Options) objstore.Store {
	t.Helper()
	s, err := Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh makes a bucket and gives its name.
func fresh(t *testing.T, endpoint string) string {
	t.Helper()
	o := options(endpoint)
	c, err := o.client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("b%d", time.Now().UnixNano())
	if _, err := c.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Moto is a foreign server that can be installed from a package index. It
// checks If-None-Match of PutObject and CompleteMultipartUpload, but no
// credentials; and it checks and puts in two steps, so that both of two racers
// can win. Its requests are sent one at a time for that.
type inTurn struct {
	mu   *sync.Mutex
	next http.RoundTripper
}

func (i inTurn) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.next.RoundTrip(r)
}

func TestMoto(t *testing.T) {
	endpoint := cloudtest.Start(t, "MARISMA_MOTO", "venv/bin/moto_server", func(port string) []string { return []string{"-p", port} })
	t.Run("conforms", func(t *testing.T) {
		objstoretest.Run(t, func(t *testing.T) objstore.Store {
			o := options(endpoint)
			o.HTTPClient = &http.Client{Transport: inTurn{&sync.Mutex{}, http.DefaultTransport}}
			return open(t, "s3://"+fresh(t, endpoint), o)
		})
	})
	t.Run("conforms below a folder", func(t *testing.T) {
		objstoretest.Run(t, func(t *testing.T) objstore.Store {
			o := options(endpoint)
			o.HTTPClient = &http.Client{Transport: inTurn{&sync.Mutex{}, http.DefaultTransport}}
			return open(t, "s3a://"+fresh(t, endpoint)+"/warehouse/t 1", o)
		})
	})
	t.Run("trouble", func(t *testing.T) {
		cloudtest.Run(t, secret, func(t *testing.T, c *http.Client) objstore.Store {
			o := options(endpoint)
			o.HTTPClient, o.Limits = &http.Client{Transport: inTurn{&sync.Mutex{}, c.Transport}}, cloudtest.Limits
			return open(t, "s3://"+fresh(t, endpoint)+"/t", o)
		})
	})
	t.Run("probe", func(t *testing.T) {
		if err := Probe(t.Context(), open(t, "s3://"+fresh(t, endpoint), options(endpoint))); err != nil {
			t.Error(err)
		}
	})
	t.Run("missing bucket", func(t *testing.T) {
		for _, err := range open(t, "s3://nowhere/t", options(endpoint)).List(t.Context(), "", "") {
			if e, ok := errors.AsType[*objstore.ServiceError](err); !ok || e.Code != "NoSuchBucket" || !errors.Is(err, objstore.ErrNoContainer) {
				t.Errorf("error %v", err)
			}
		}
	})
}

func fake(t *testing.T, c *http.Client) objstore.Store {
	o := options((&cloudtest.Fake{Conflict: 412, Code: "PreconditionFailed"}).Serve(t))
	o.HTTPClient, o.Limits = c, cloudtest.Limits
	return open(t, "s3://b/t", o)
}

func TestTroubleOnAFake(t *testing.T) { cloudtest.Run(t, secret, fake) }

func TestAnswersAreToldApart(t *testing.T) {
	c := &cloudtest.Chaos{}
	s := fake(t, c.Client())
	one := objstore.PutOptions{IfAbsent: true}
	answer := func(status int, code string) cloudtest.Trouble {
		return cloudtest.Trouble{Status: status, Body: "<Error><Code>" + code + "</Code><Message>m</Message></Error>"}
	}
	puts := func(r *http.Request) bool { return r.Method == http.MethodPut }
	if _, err := s.Put(t.Context(), "taken", strings.NewReader("x"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	// 409 says that another request is under way: tried again, whoever it was.
	c.Plan(cloudtest.Steps(puts, answer(409, "ConditionalRequestConflict"), answer(409, "ConditionalRequestConflict")))
	if _, err := s.Put(t.Context(), "free", strings.NewReader("x"), one); err != nil || c.Seen(http.MethodPut) != 3 {
		t.Errorf("409 twice, and the key is free: %v after %d puts", err, c.Seen(http.MethodPut))
	}
	c.Plan(cloudtest.Steps(puts, answer(409, "ConditionalRequestConflict")))
	if _, err := s.Put(t.Context(), "taken", strings.NewReader("x"), one); !errors.Is(err, objstore.ErrExists) {
		t.Errorf("409, and the key is taken: %v", err)
	}
	// 412 says that the key is taken: that is not tried again.
	c.Plan(nil)
	if _, err := s.Put(t.Context(), "taken", strings.NewReader("x"), one); !errors.Is(err, objstore.ErrExists) || c.Seen(http.MethodPut) != 1 {
		t.Errorf("412: %v after %d puts", err, c.Seen(http.MethodPut))
	}
	c.Plan(cloudtest.Always(http.MethodPut, answer(400, "EntityTooLarge")))
	_, err := s.Put(t.Context(), "new", strings.NewReader("x"), one)
	if e, ok := errors.AsType[*objstore.ServiceError](err); !ok || e.Family != nil || e.Code != "EntityTooLarge" || c.Seen(http.MethodPut) != 1 {
		t.Errorf("400: %v after %d puts", err, c.Seen(http.MethodPut))
	}
	// The service may say that it failed with the status 200.
	large := strings.Repeat("0123456789abcdef", 700_000)
	c.Plan(cloudtest.Steps(func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }, answer(200, "InternalError")))
	if _, err := s.Put(t.Context(), "large", strings.NewReader(large), one); err != nil {
		t.Errorf("200 with an error: %v", err)
	}
}

func TestAServerWithoutConditionsIsFoundOut(t *testing.T) {
	c := &cloudtest.Chaos{}
	s := fake(t, c.Client())
	c.Plan(func(r *http.Request) cloudtest.Trouble {
		r.Header.Del("If-None-Match")
		return cloudtest.Trouble{}
	})
	if err := Probe(t.Context(), s); !errors.Is(err, objstore.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	for address, o := range map[string]Options{
		"s3://b/1":         {AccessKeyID: "a", Region: "r"},
		"s3://b/2":         {AccessKeyID: "a", SecretAccessKey: "s", Anonymous: true, Region: "r"},
		"s3://b/3":         {Endpoint: "nowhere"},
		"s3://b/4":         {Anonymous: true},
		"s3://b--x-s3/5":   {Region: "r"},
		"az://c/p":         {Region: "r"},
		"s3:///no/bucket":  {Region: "r"},
		"https://host/p/q": {Region: "r"},
	} {
		if _, err := Open(t.Context(), address, o); !errors.Is(err, objstore.ErrInvalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Without credentials nothing is sent.
func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	c := &cloudtest.Chaos{}
	s := open(t, "s3://b/t", Options{Region: "eu-west-1", HTTPClient: c.Client()})
	_, err := s.Put(t.Context(), "k", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
	if !errors.Is(err, objstore.ErrDenied) || c.Seen(http.MethodPut) != 0 {
		t.Errorf("error %v", err)
	}
}

// The SDK's configuration has an HTTP client only where the environment names
// authorities of certificates.
func TestRequestsGoOutWithoutACABundle(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	o := options("http://127.0.0.1:9")
	o.Limits.Retries = -1
	_, err := open(t, "s3://b", o).Head(t.Context(), "k")
	if err == nil || !strings.Contains(err.Error(), "cannot connect") {
		t.Errorf("%v", err)
	}
}

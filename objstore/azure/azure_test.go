package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
	"github.com/marisma/marisma/objstore/internal/cloud/cloudtest"
	"github.com/marisma/marisma/objstore/objstoretest"
)

// The emulator's account, the same everywhere.
const (
	account = "devstoreaccount1"
	key     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// azurite starts the emulator; it gives the address of its Blob service.
func azurite(t *testing.T) string {
	return cloudtest.Start(t, "MARISMA_AZURITE", "azurite/node_modules/.bin/azurite-blob", func(port string) []string {
		return []string{"--blobPort", port, "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"}
	}) + "/" + account
}

// fresh makes a container and gives its name.
func fresh(t *testing.T, endpoint string) string {
	t.Helper()
	name := fmt.Sprintf("c%d", time.Now().UnixNano())
	cred, err := container.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := container.NewClientWithSharedKeyCredential(endpoint+"/"+name, cred, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, address string, o Options) objstore.Store {
	t.Helper()
	s, err := Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAzurite(t *testing.T) {
	endpoint := azurite(t)
	t.Run("conforms", func(t *testing.T) {
		objstoretest.Run(t, func(t *testing.T) objstore.Store {
			return open(t, "az://"+fresh(t, endpoint), Options{Account: account, Endpoint: endpoint, AccountKey: key})
		})
	})
	t.Run("conforms below a folder with small parts", func(t *testing.T) {
		objstoretest.Run(t, func(t *testing.T) objstore.Store {
			return open(t, endpoint+"/"+fresh(t, endpoint)+"/warehouse/t%201", Options{AccountKey: key, Limits: objstore.Limits{PartBytes: 100_000}})
		})
	})
	t.Run("conforms listing folder by folder", func(t *testing.T) {
		objstoretest.Run(t, func(t *testing.T) objstore.Store {
			o := Options{AccountKey: key}
			loc, err := objstore.Parse(endpoint + "/" + fresh(t, endpoint) + "/w")
			if err != nil {
				t.Fatal(err)
			}
			client, err := o.client(loc)
			if err != nil {
				t.Fatal(err)
			}
			return cloud.New(cloud.Config{Service: &service{client: client}, Root: loc.Prefix, Walks: func(context.Context) bool { return true }})
		})
	})
	t.Run("trouble", func(t *testing.T) {
		cloudtest.Run(t, key, func(t *testing.T, c *http.Client) objstore.Store {
			return open(t, endpoint+"/"+fresh(t, endpoint)+"/t", Options{AccountKey: key, HTTPClient: c, Limits: cloudtest.Limits})
		})
	})
	t.Run("credentials", func(t *testing.T) { credentials(t, endpoint) })
}

func signed(t *testing.T, name string, p sas.ContainerPermissions) objstore.Secret {
	t.Helper()
	cred, err := container.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	q, err := sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPSandHTTP, ExpiryTime: time.Now().Add(time.Hour), ContainerName: name, Permissions: p.String(),
	}.SignWithSharedKey(cred)
	if err != nil {
		t.Fatal(err)
	}
	return objstore.Secret(q.Encode())
}

func credentials(t *testing.T, endpoint string) {
	name := fresh(t, endpoint)
	all := signed(t, name, sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true})
	wrong := objstore.Secret("A" + key[1:])
	for what, c := range map[string]struct {
		o    Options
		want error
	}{
		"key":               {o: Options{AccountKey: key}},
		"connection string": {o: Options{ConnectionString: objstore.Secret(fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;", account, key, endpoint))}},
		"signature":         {o: Options{SAS: all}},
		"signature with ?":  {o: Options{SAS: "?" + all}},
		"wrong key":         {o: Options{AccountKey: wrong}, want: objstore.ErrDenied},
		"nobody":            {o: Options{Anonymous: true}, want: objstore.ErrDenied},
		"wrong signature":   {o: Options{SAS: objstore.Secret(strings.Replace(string(all), "sp=", "sp=x", 1))}, want: objstore.ErrDenied},
		"may only read":     {o: Options{SAS: signed(t, name, sas.ContainerPermissions{Read: true, List: true})}, want: objstore.ErrDenied},
	} {
		s := open(t, endpoint+"/"+name+"/"+strings.ReplaceAll(what, "?", "q"), c.o)
		_, err := s.Put(t.Context(), "k", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && (strings.Contains(err.Error(), "sig=") || strings.Contains(err.Error(), key[10:])) {
			t.Errorf("%s: the error shows the secret: %v", what, err)
		}
		if c.want == nil {
			n := 0
			for _, err := range s.List(t.Context(), "", "") {
				if n++; err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if n != 1 {
				t.Errorf("%s: listed %d", what, n)
			}
		}
	}
	s := open(t, endpoint+"/nowhere", Options{AccountKey: key})
	for _, err := range s.List(t.Context(), "", "") {
		if err == nil || errors.Is(err, objstore.ErrNotFound) || !errors.Is(err, objstore.ErrNoContainer) {
			t.Errorf("a missing container: %v", err)
		}
	}
}

// What the handling of trouble asks of a server is little; this is tried where
// no emulator is installed, too.
func TestTroubleOnAFake(t *testing.T) {
	cloudtest.Run(t, key, func(t *testing.T, c *http.Client) objstore.Store {
		endpoint := (&cloudtest.Fake{Conflict: 409, Code: "BlobAlreadyExists"}).Serve(t) + "/" + account
		return open(t, endpoint+"/c/t", Options{AccountKey: key, HTTPClient: c, Limits: cloudtest.Limits})
	})
}

func TestAnswersAreToldApart(t *testing.T) {
	c := &cloudtest.Chaos{}
	endpoint := (&cloudtest.Fake{Conflict: 409, Code: "BlobAlreadyExists"}).Serve(t) + "/" + account
	s := open(t, endpoint+"/c", Options{AccountKey: key, HTTPClient: c.Client(), Limits: cloudtest.Limits})
	xml := func(code string) string { return "<Error><Code>" + code + "</Code></Error>" }
	if _, err := s.Put(t.Context(), "taken", strings.NewReader("x"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		key    string
		status int
		code   string
		want   error
	}{
		{"taken", 409, "BlobAlreadyExists", objstore.ErrExists},
		{"taken", 412, "ConditionNotMet", objstore.ErrExists},
		{"taken", 412, "TargetConditionNotMet", objstore.ErrExists},
		{"taken", 403, "UnauthorizedBlobOverwrite", objstore.ErrExists},
		{"free", 409, "LeaseIdMissing", nil},
		{"taken", 409, "LeaseIdMissing", nil},
		{"free", 409, "BlobImmutableDueToPolicy", nil},
		{"free", 404, "ContainerNotFound", objstore.ErrNoContainer},
		{"free", 403, "AuthorizationFailure", objstore.ErrDenied},
	} {
		c.Plan(cloudtest.Always(http.MethodPut, cloudtest.Trouble{Status: a.status, Body: xml(a.code)}))
		_, err := s.Put(t.Context(), a.key, strings.NewReader("y"), objstore.PutOptions{IfAbsent: true})
		e, ok := errors.AsType[*objstore.ServiceError](err)
		if !ok || e.Family != a.want || //nolint:errorlint // the family itself
			a.want == nil && e.Code != a.code {
			t.Errorf("%s %d %s: %v", a.key, a.status, a.code, err)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for address, o := range map[string]Options{
		"az://c/p":                {},
		"s3://b/p":                {Account: "a"},
		"az://c/1":                {Account: "a", AccountKey: "not base64!"},
		"az://c/2":                {Account: "a", AccountKey: key, Anonymous: true},
		"az://c/3":                {Account: "a", ClientSecret: "s", ClientID: "c"},
		"az://c/4":                {ConnectionString: "AccountName=a"},
		"az://c/5":                {Endpoint: "nowhere", Anonymous: true},
		"https://example.com/c/p": {},
	} {
		if _, err := Open(t.Context(), address, o); !errors.Is(err, objstore.ErrInvalid) || strings.Contains(err.Error(), "base64!") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAddressesOfOneBlobService(t *testing.T) {
	for address, want := range map[string]string{
		"abfss://c@acct.dfs.core.windows.net/t/x":                  "https://acct.blob.core.windows.net/c/t/x/k%201",
		"wasbs://c@acct.blob.core.windows.net/":                    "https://acct.blob.core.windows.net/c/k%201",
		"https://acct.dfs.core.windows.net/c/t":                    "https://acct.blob.core.windows.net/c/t/k%201",
		"az://c/t":                                                 "https://mine.blob.core.windows.net/c/t/k%201",
		"abfss://ws@onelake.dfs.fabric.microsoft.com/lh.Lakehouse": "https://onelake.blob.fabric.microsoft.com/ws/lh.Lakehouse/k%201",
	} {
		c := &cloudtest.Chaos{}
		c.Plan(func(*http.Request) cloudtest.Trouble { return cloudtest.Trouble{Status: 404} })
		s := open(t, address, Options{Account: "mine", Anonymous: true, HTTPClient: c.Client()})
		_, err := s.Head(t.Context(), "k 1")
		if e, ok := errors.AsType[*objstore.ServiceError](err); !ok || e.Where != want || !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

type noToken struct{}

func (noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("AADSTS7000215: invalid client secret s3cr3t-value")
}

// Without a token nothing was sent: the put did not happen, and is not tried again.
func TestWithoutATokenNothingIsSent(t *testing.T) {
	c := &cloudtest.Chaos{}
	s := open(t, "az://c/t", Options{Account: "a", Token: noToken{}, HTTPClient: c.Client()})
	_, err := s.Put(t.Context(), "k", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
	if !errors.Is(err, objstore.ErrDenied) || !strings.Contains(err.Error(), "AADSTS7000215") || c.Seen(http.MethodPut) != 0 {
		t.Errorf("error %v", err)
	}
}

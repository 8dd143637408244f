package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
)

// Options say how to reach an account. At most one kind of credentials is set;
// with none it is azidentity's default chain: environment, workload identity,
// managed identity, the command lines of Azure.
type Options struct {
	// Account is the account's name where the address has none, as in
	// az://container/path.
	Account string
	// Endpoint is the address of the account's Blob service where it is not
	// https://<account>.blob.core.windows.net, such as
	// http://127.0.0.1:10000/devstoreaccount1.
	Endpoint string

	// AccountKey is one of the account's two keys.
	AccountKey objstore.Secret
	// ConnectionString is the account's, with a key or a signature. It names
	// the account and the endpoint as well.
	ConnectionString objstore.Secret
	// SAS is a shared access signature, with or without "?".
	SAS objstore.Secret
	// TenantID, ClientID and ClientSecret are a service principal's.
	TenantID, ClientID string
	ClientSecret       objstore.Secret
	// ManagedIdentity takes the machine's identity; ClientID chooses a
	// user-assigned one.
	ManagedIdentity bool
	// Token is a credential made elsewhere.
	Token azcore.TokenCredential
	// Anonymous sends no credentials, to containers that are public.
	Anonymous bool

	// Limits bound memory, requests and repetitions.
	Limits objstore.Limits
	// HTTPClient replaces the store's own, for tokens as well.
	HTTPClient *http.Client
}

// Open gives the store of the container and folder that an address names:
// abfss://container@account.dfs.core.windows.net/path, az://container/path or
// https://account.blob.core.windows.net/container/path; see objstore.Parse. It
// sends nothing: what is wrong with the credentials shows at the first request.
// The store's memory is bounded per Put; it needs no closing.
func Open(_ context.Context, address string, o Options) (objstore.Store, error) {
	loc, err := objstore.Parse(address)
	if err != nil {
		return nil, err
	}
	if loc.Kind != objstore.Azure {
		return nil, fmt.Errorf("%w: %s is no address of Azure storage", objstore.ErrInvalid, address)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	client, err := o.client(loc)
	if err != nil {
		return nil, err
	}
	s := &service{client: client}
	if s.where, _, _ = strings.Cut(client.URL(), "?"); !strings.HasSuffix(s.where, "/") {
		s.where += "/"
	}
	return cloud.New(cloud.Config{
		Service: s, Root: loc.Prefix, Limits: o.Limits, Walks: s.hierarchical,
		Secrets: append([]objstore.Secret{o.AccountKey, o.ConnectionString, o.ClientSecret}, signature(o.SAS)...),
	}), nil
}

// signature is what of a shared access signature is secret.
func signature(sas objstore.Secret) []objstore.Secret {
	out := []objstore.Secret{sas}
	if q, err := url.ParseQuery(strings.TrimPrefix(string(sas), "?")); err == nil {
		out = append(out, objstore.Secret(q.Get("sig")), objstore.Secret(url.QueryEscape(q.Get("sig"))))
	}
	return out
}

func (o *Options) check() error {
	var set []string
	for _, c := range []struct {
		name string
		is   bool
	}{
		{"AccountKey", o.AccountKey != ""},
		{"ConnectionString", o.ConnectionString != ""},
		{"SAS", o.SAS != ""},
		{"ClientSecret", o.ClientSecret != ""},
		{"ManagedIdentity", o.ManagedIdentity},
		{"Token", o.Token != nil},
		{"Anonymous", o.Anonymous},
	} {
		if c.is {
			set = append(set, c.name)
		}
	}
	switch {
	case len(set) > 1:
		return fmt.Errorf("%w: %s are set; choose one kind of credentials", objstore.ErrInvalid, strings.Join(set, " and "))
	case o.ClientSecret != "" && (o.TenantID == "" || o.ClientID == ""):
		return fmt.Errorf("%w: ClientSecret needs TenantID and ClientID", objstore.ErrInvalid)
	}
	return nil
}

// endpoint is the address of the account's Blob service.
func (o *Options) endpoint(loc objstore.Location) (endpoint, account string, err error) {
	account = loc.Account
	if account == "" {
		account = o.Account
	}
	switch {
	case o.Endpoint != "":
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || u.RawQuery != "" {
			return "", "", fmt.Errorf("%w: Endpoint is no address of a Blob service such as https://account.blob.core.windows.net", objstore.ErrInvalid)
		}
		if account == "" {
			account, _, _ = strings.Cut(u.Host, ".")
			if p := strings.Trim(u.Path, "/"); p != "" {
				account = p
			}
		}
		return strings.TrimSuffix(o.Endpoint, "/"), account, nil
	case loc.Endpoint != "":
		return loc.Endpoint, account, nil
	case account != "":
		return "https://" + account + ".blob.core.windows.net", account, nil
	}
	return "", "", fmt.Errorf("%w: the address names no account; set Options.Account or write abfss://%s@account.dfs.core.windows.net/%s",
		objstore.ErrInvalid, loc.Container, loc.Prefix)
}

// client makes the SDK's client, which repeats nothing.
func (o *Options) client(loc objstore.Location) (*container.Client, error) {
	http := cloud.NewClient(o.Limits)
	if o.HTTPClient != nil {
		http = o.HTTPClient
	}
	opt := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: cloud.Client{Doer: http},
		Retry:     policy.RetryOptions{MaxRetries: -1}, Telemetry: policy.TelemetryOptions{ApplicationID: "marisma"},
	}}
	if o.ConnectionString != "" {
		c, err := container.NewClientFromConnectionString(string(o.ConnectionString), loc.Container, opt)
		if err != nil {
			return nil, fmt.Errorf("%w: ConnectionString has no valid account, key and endpoint", objstore.ErrInvalid)
		}
		return c, nil
	}
	endpoint, account, err := o.endpoint(loc)
	if err != nil {
		return nil, err
	}
	at := endpoint + "/" + url.PathEscape(loc.Container)
	switch {
	case o.AccountKey != "":
		key, err := container.NewSharedKeyCredential(account, string(o.AccountKey))
		if err != nil {
			return nil, fmt.Errorf("%w: AccountKey is not in base64", objstore.ErrInvalid)
		}
		return container.NewClientWithSharedKeyCredential(at, key, opt)
	case o.SAS != "":
		return container.NewClientWithNoCredential(at+"?"+strings.TrimPrefix(string(o.SAS), "?"), opt)
	case o.Anonymous:
		return container.NewClientWithNoCredential(at, opt)
	}
	token, err := o.token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", objstore.ErrDenied, err)
	}
	return container.NewClient(at, token, opt)
}

// token is the credential that asks Entra ID.
func (o *Options) token() (azcore.TokenCredential, error) {
	var transport policy.ClientOptions
	if o.HTTPClient != nil {
		transport.Transport = o.HTTPClient
	}
	switch {
	case o.Token != nil:
		return o.Token, nil
	case o.ClientSecret != "":
		return azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, string(o.ClientSecret), &azidentity.ClientSecretCredentialOptions{ClientOptions: transport})
	case o.ManagedIdentity:
		m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: transport}
		if o.ClientID != "" {
			m.ID = azidentity.ClientID(o.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(m)
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: transport, TenantID: o.TenantID})
}

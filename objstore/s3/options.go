package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
)

// Options say how to reach a bucket. Without keys the credentials are those of
// the SDK's default chain: environment, shared files, web identity, the
// container's or the machine's role.
type Options struct {
	// Region is the bucket's. By default it is the environment's or the shared
	// configuration's, and us-east-1 where an Endpoint is set.
	Region string
	// Endpoint is the address of another server than Amazon's, such as
	// http://127.0.0.1:9000.
	Endpoint string
	// PathStyle puts the bucket into the path and not into the host name, which
	// most other servers need.
	PathStyle bool

	// AccessKeyID, SecretAccessKey and SessionToken are static credentials.
	AccessKeyID                   string
	SecretAccessKey, SessionToken objstore.Secret
	// Profile chooses a profile of the shared files.
	Profile string
	// Anonymous signs nothing, for buckets that are public.
	Anonymous bool

	// Limits bound memory, requests and repetitions.
	Limits objstore.Limits
	// HTTPClient replaces the SDK's for requests to the bucket.
	HTTPClient *http.Client
}

// Open gives the store of the bucket and folder that an address names, as
// s3://bucket/path; see objstore.Parse. It reads the SDK's configuration and
// sends nothing to the bucket. The store's memory is bounded per Put; it needs
// no closing.
func Open(ctx context.Context, address string, o Options) (objstore.Store, error) {
	loc, err := objstore.Parse(address)
	if err != nil {
		return nil, err
	}
	if loc.Kind != objstore.S3 {
		return nil, fmt.Errorf("%w: %s is no address of S3", objstore.ErrInvalid, address)
	}
	if strings.HasSuffix(loc.Container, "--x-s3") {
		return nil, fmt.Errorf("%w: %s is a directory bucket, which does not list in order; use a general purpose bucket", objstore.ErrInvalid, loc.Container)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	client, err := o.client(ctx)
	if err != nil {
		return nil, err
	}
	return cloud.New(cloud.Config{
		Service: &service{client: client, bucket: loc.Container}, Root: loc.Prefix, Limits: o.Limits,
		Secrets: []objstore.Secret{o.SecretAccessKey, o.SessionToken},
	}), nil
}

func (o *Options) check() error {
	static := o.AccessKeyID != "" || o.SecretAccessKey != ""
	switch {
	case static && (o.AccessKeyID == "" || o.SecretAccessKey == ""):
		return fmt.Errorf("%w: AccessKeyID and SecretAccessKey go together", objstore.ErrInvalid)
	case static && (o.Anonymous || o.Profile != ""), o.Anonymous && o.Profile != "":
		return fmt.Errorf("%w: choose one of keys, Profile and Anonymous", objstore.ErrInvalid)
	}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.User != nil {
			return fmt.Errorf("%w: Endpoint is no address such as http://127.0.0.1:9000", objstore.ErrInvalid)
		}
	}
	return nil
}

// client makes the SDK's client, which repeats nothing.
func (o *Options) client(ctx context.Context) (*awss3.Client, error) {
	var load []func(*config.LoadOptions) error
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	switch {
	case o.AccessKeyID != "":
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKeyID, string(o.SecretAccessKey), string(o.SessionToken))))
	case o.Anonymous:
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("%w: the AWS configuration: %w", objstore.ErrInvalid, err)
	}
	if c.Region == "" && o.Endpoint != "" {
		c.Region = "us-east-1"
	}
	if c.Region == "" {
		return nil, fmt.Errorf("%w: no region; set Options.Region or AWS_REGION", objstore.ErrInvalid)
	}
	return awss3.NewFromConfig(c, func(s *awss3.Options) {
		s.Retryer = aws.NopRetryer{}
		s.HTTPClient = cloud.Client{Doer: s.HTTPClient} // the SDK's own: the configuration has none but with AWS_CA_BUNDLE
		if o.HTTPClient != nil {
			s.HTTPClient = cloud.Client{Doer: o.HTTPClient}
		}
		s.Logger = logging.Nop{} // what it would say comes back as an error
		s.UsePathStyle = o.PathStyle
		s.DisableLogOutputChecksumValidationSkipped = true
		if o.Endpoint != "" { // other servers know fewer checksums
			s.BaseEndpoint = &o.Endpoint
			s.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			s.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	}), nil
}

// Probe finds out whether the server of a store refuses a second conditional
// put, which Delta's commits need, by an object that it makes and removes.
func Probe(ctx context.Context, s objstore.Store) error {
	const key = "_marisma_probe"
	one := objstore.PutOptions{IfAbsent: true}
	if _, err := s.Put(ctx, key, bytes.NewReader(nil), one); err != nil && !errors.Is(err, objstore.ErrExists) {
		return err
	}
	_, err := s.Put(ctx, key, strings.NewReader("second"), one)
	gone := s.Delete(ctx, key)
	switch {
	case err == nil:
		return fmt.Errorf("%w: the server ignores If-None-Match, so that commits could replace each other; use a server with conditional writes", objstore.ErrInvalid)
	case !errors.Is(err, objstore.ErrExists):
		return err
	}
	return gone
}

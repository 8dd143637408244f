// Package cloudtest tries the stores over HTTP services by an HTTP client that
// makes trouble: it loses requests and answers, gives statuses of its own and
// breaks bodies off. What is behind the client may be a real server or a fake.
// It starts the real ones as well.
package cloudtest

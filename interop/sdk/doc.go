// Package sdk runs the unmodified Azure device SDKs against the hub.
package sdk

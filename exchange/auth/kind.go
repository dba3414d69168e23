package auth

import (
	"fmt"
	"strings"
)

// Kind names a way to authenticate, as the flag --auth does.
type Kind string

// The kinds that this package implements.
const (
	KindSecret          Kind = "secret"
	KindCertificate     Kind = "certificate"
	KindFederated       Kind = "federated"
	KindGitHub          Kind = "github"
	KindManagedIdentity Kind = "managed-identity"
	KindDeviceCode      Kind = "device-code"
	KindToken           Kind = "token"
)

// Kinds lists every kind, in the order in which people are told of them.
func Kinds() []Kind {
	return []Kind{KindSecret, KindCertificate, KindFederated, KindGitHub, KindManagedIdentity, KindDeviceCode, KindToken}
}

// check returns a ConfigError where a kind is not one that this package implements.
func (k Kind) check() error {
	var names []string
	for _, known := range Kinds() {
		if k == known {
			return nil
		}
		names = append(names, string(known))
	}
	return &ConfigError{Setting: "auth", Reason: fmt.Sprintf("the kind %q is not known; use %s", printable(string(k)), strings.Join(names, ", "))}
}

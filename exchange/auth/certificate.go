package auth

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
)

// certificate is a client certificate whose key is known to fit.
type certificate struct {
	chain []*x509.Certificate
	leaf  *x509.Certificate
	key   *rsa.PrivateKey
}

const certificateSetting = "AZURE_CLIENT_CERTIFICATE_PATH"

func certificateProblem(reason string) error {
	return &ConfigError{Setting: certificateSetting, Reason: reason}
}

// parseCertificate reads certificates and one unencrypted RSA key from PEM, in any order, or
// a PFX file. Every error is a *ConfigError that says what is missing and how to make it.
func parseCertificate(data []byte, password Secret) (*certificate, error) {
	if isPFX(data) {
		return parsePFX(data, password)
	}
	cert := &certificate{}
	blocks := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		if err := cert.add(block); err != nil {
			return nil, err
		}
	}
	switch {
	case blocks == 0:
		return nil, certificateProblem("the file holds no PEM block; it must hold the certificate and its RSA key as PEM, or be a PFX (PKCS#12) file")
	case len(cert.chain) == 0:
		return nil, certificateProblem("the file holds no certificate; put the certificate and its key into one PEM file")
	case cert.key == nil:
		return nil, certificateProblem("the file holds no private key; put the certificate and its key into one PEM file")
	}
	for _, c := range cert.chain {
		if cert.key.PublicKey.Equal(c.PublicKey) {
			cert.leaf = c
			return cert, nil
		}
	}
	return nil, certificateProblem("the private key belongs to none of the certificates in the file")
}

func (c *certificate) add(block *pem.Block) error {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return certificateProblem("the private key is encrypted, which is supported for PFX files only; write it without a password (openssl pkey -in key.pem -out plain.pem) and protect the file by its permissions, or use a PFX file")
	}
	switch block.Type {
	case "CERTIFICATE":
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return certificateProblem("a certificate in the file cannot be read: " + printable(err.Error()))
		}
		c.chain = append(c.chain, parsed)
		return nil
	case "EC PRIVATE KEY":
		return certificateProblem(onlyRSA)
	case "PRIVATE KEY", "RSA PRIVATE KEY":
		return c.addKey(block)
	}
	return nil // parameters, requests and public keys do no harm
}

const onlyRSA = "the private key is not an RSA key; client assertions are signed with RSA only, make a certificate with an RSA key of 2048 bits or more"

func (c *certificate) addKey(block *pem.Block) error {
	if c.key != nil {
		return certificateProblem("the file holds more than one private key")
	}
	// The errors of the key parsers are left out: nothing about key bytes may be shown.
	if block.Type == "RSA PRIVATE KEY" {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return certificateProblem("the private key cannot be read as PKCS#1")
		}
		c.key = key
		return nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return certificateProblem("the private key cannot be read as PKCS#8")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return certificateProblem(onlyRSA)
	}
	c.key = key
	return nil
}

// current reports a certificate that is not valid at a time, before the authority would.
func (c *certificate) current(now time.Time) error {
	const day = "2006-01-02 15:04 MST"
	switch {
	case now.After(c.leaf.NotAfter):
		return &Error{
			Action:  "use the client certificate " + c.name(),
			Message: fmt.Sprintf("it expired on %s", c.leaf.NotAfter.UTC().Format(day)),
			Hint:    "make a new one, upload its public part to the application registration, and replace the file",
		}
	case now.Before(c.leaf.NotBefore):
		return &Error{
			Action:  "use the client certificate " + c.name(),
			Message: fmt.Sprintf("it is not valid before %s", c.leaf.NotBefore.UTC().Format(day)),
			Hint:    "check the clock of this machine",
		}
	}
	return nil
}

// name is the certificate's subject as people know it.
func (c *certificate) name() string {
	if cn := c.leaf.Subject.CommonName; cn != "" {
		return "CN=" + printable(cn)
	}
	if subject := c.leaf.Subject.String(); subject != "" {
		return printable(subject)
	}
	return fmt.Sprintf("serial %x", c.leaf.SerialNumber)
}

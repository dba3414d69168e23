package auth

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"

	"software.sslmate.com/src/go-pkcs12"
)

const passwordSetting = "AZURE_CLIENT_CERTIFICATE_PASSWORD" //nolint:gosec // a name

// parsePFX reads a PKCS#12 file: one RSA key with its certificate, and the chain above it.
// Every error is a *ConfigError; one about the password names that setting.
func parsePFX(data []byte, password Secret) (*certificate, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(data, password.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && password == "":
		return nil, &ConfigError{Setting: passwordSetting, Reason: "it is empty, and the PFX file needs a password; set it"}
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, &ConfigError{Setting: passwordSetting, Reason: "the password does not open the PFX file"}
	case err != nil:
		return nil, certificateProblem("the PFX file cannot be read: " + scrub(err.Error(), password) +
			"; it must hold one certificate with its key (or convert it: openssl pkcs12 -in file.pfx -nodes -out file.pem)")
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, certificateProblem(onlyRSA)
	}
	cert := &certificate{chain: append([]*x509.Certificate{leaf}, chain...), leaf: leaf, key: rsaKey}
	if !rsaKey.PublicKey.Equal(leaf.PublicKey) {
		return nil, certificateProblem("the private key does not belong to the certificate in the file")
	}
	return cert, nil
}

// isPFX recognises the DER form of PKCS#12: a SEQUENCE that begins with the integer 3.
func isPFX(data []byte) bool {
	if len(data) < 8 || data[0] != 0x30 {
		return false
	}
	header := 2
	if data[1]&0x80 != 0 {
		header += int(data[1] & 0x7f)
	}
	return len(data) >= header+3 && data[header] == 0x02 && data[header+1] == 1 && data[header+2] == 3
}

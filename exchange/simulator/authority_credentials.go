package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// AuthorityCredentials are a throw-away client secret, a client certificate and the
// certificates for TLS, so that real clients can talk to the simulator. They are good for
// nothing else and are made afresh for each process.
type AuthorityCredentials struct {
	// ClientSecret is a random client secret.
	ClientSecret string
	// ClientCertificate is self-signed; register it as AuthorityConfig.Certificate.
	ClientCertificate *x509.Certificate
	clientPEM, caPEM  []byte
	server            tls.Certificate
}

// AuthorityCredentialsConfig says how credentials are made; its zero value is useful.
type AuthorityCredentialsConfig struct {
	// Now is the time from which the certificates count, time.Now where zero.
	Now time.Time
	// Lifetime is how long the certificates are good for, 365 days where zero; a negative
	// one makes a client certificate that is expired already.
	Lifetime time.Duration
	// Hosts are names and addresses of the TLS server beside localhost, 127.0.0.1 and ::1.
	Hosts []string
}

// NewAuthorityCredentials makes credentials. The error is one of the key generator.
func NewAuthorityCredentials(cfg AuthorityCredentialsConfig) (*AuthorityCredentials, error) {
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 365 * 24 * time.Hour
	}
	var secret [24]byte
	_, _ = rand.Read(secret[:])
	c := &AuthorityCredentials{ClientSecret: hex.EncodeToString(secret[:])}
	if err := c.makeClient(cfg); err != nil {
		return nil, fmt.Errorf("simulator: make the client certificate: %w", err)
	}
	if err := c.makeServer(cfg); err != nil {
		return nil, fmt.Errorf("simulator: make the TLS certificates: %w", err)
	}
	return c, nil
}

// ClientPEM returns the client certificate followed by its RSA key (PKCS#8), both PEM.
func (c *AuthorityCredentials) ClientPEM() []byte { return c.clientPEM }

// CAPEM returns the certificate of the authority that signed the TLS server's, as PEM.
func (c *AuthorityCredentials) CAPEM() []byte { return c.caPEM }

// TLSConfig returns the configuration of a TLS server on a loopback address.
func (c *AuthorityCredentials) TLSConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.server}, MinVersion: tls.VersionTLS12}
}

// makeClient uses RSA, since the service's clients can sign with nothing else.
func (c *AuthorityCredentials) makeClient(cfg AuthorityCredentialsConfig) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	template := authorityTemplate("exoaudit simulator client", cfg)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if c.ClientCertificate, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	c.clientPEM = append(authorityPEM("CERTIFICATE", der), authorityPEM("PRIVATE KEY", pkcs8)...)
	return nil
}

// makeServer makes the signing certificate and the server's; they never expire early.
func (c *AuthorityCredentials) makeServer(cfg AuthorityCredentialsConfig) error {
	cfg.Lifetime = max(cfg.Lifetime, 24*time.Hour)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := authorityTemplate("exoaudit simulator CA", cfg)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	server := authorityTemplate("exoaudit simulator", cfg)
	server.KeyUsage = x509.KeyUsageDigitalSignature
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, cfg.Hosts...) {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, server, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	c.caPEM = authorityPEM("CERTIFICATE", caDER)
	c.server = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return nil
}

func authorityTemplate(name string, cfg AuthorityCredentialsConfig) *x509.Certificate {
	var serial [16]byte
	_, _ = rand.Read(serial[:])
	end := cfg.Now.Add(cfg.Lifetime)
	start := cfg.Now.Add(-time.Hour)
	if end.Before(start) {
		start = end.Add(-24 * time.Hour)
	}
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[1:]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    start,
		NotAfter:     end,
	}
}

func authorityPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

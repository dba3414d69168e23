package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/exoaudit/exoaudit/exchange/auth"
)

// clientKey is the private key of the throw-away client certificate.
func clientKey(t *testing.T) any {
	t.Helper()
	_, rest := pem.Decode(keys(t).ClientPEM())
	block, _ := pem.Decode(rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pfx(t *testing.T, encoder *pkcs12.Encoder, key any, cert *x509.Certificate, password string, chain ...*x509.Certificate) []byte {
	t.Helper()
	data, err := encoder.Encode(key, cert, chain, password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPFX(t *testing.T) {
	leaf, key := keys(t).ClientCertificate, clientKey(t)
	caBlock, _ := pem.Decode(keys(t).CAPEM())
	ca, err := x509.ParseCertificate(caBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, ec.Public(), ec)
	if err != nil {
		t.Fatal(err)
	}
	ecLeaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	const path, password = "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD"
	good := pfx(t, pkcs12.Modern, key, leaf, "pässword")
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{leaf}, "pässword")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name            string
		data            []byte
		password        auth.Secret
		setting, reason string // empty: accepted
	}{
		{"modern", good, "pässword", "", ""},
		{"of older systems", pfx(t, pkcs12.LegacyDES, key, leaf, "pw"), "pw", "", ""},
		{"of the oldest systems", pfx(t, pkcs12.LegacyRC2, key, leaf, "pw"), "pw", "", ""},
		{"with a chain", pfx(t, pkcs12.Modern, key, leaf, "pw", ca), "pw", "", ""},
		{"without a password", pfx(t, pkcs12.Modern, key, leaf, ""), "", "", ""},
		{"with none at all", pfx(t, pkcs12.Passwordless, key, leaf, ""), "", "", ""},
		{"wrong password", good, "Wr0ng-Passw0rd", password, "does not open"},
		{"missing password", good, "", password, "needs a password"},
		{"certificate alone", trust, "pässword", path, "cannot be read"},
		{"cut off", good[:len(good)/2], "pässword", path, "cannot be read"},
		{"key of another kind", pfx(t, pkcs12.Modern, ec, ecLeaf, "pw"), "pw", path, "not an RSA key"},
		{"key of another certificate", pfx(t, pkcs12.Modern, key, ecLeaf, "pw"), "pw", path, "does not belong"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := authority(t)
			cfg := config(t, a, auth.KindCertificate)
			cfg.CertificatePEM, cfg.CertificatePassword = tc.data, tc.password
			p, err := auth.New(t.Context(), cfg)
			if tc.setting != "" {
				wantConfigError(t, err, tc.setting, tc.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			token(t, a, p.TokenSource(scope))
		})
	}
}

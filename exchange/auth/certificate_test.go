package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestCertificateFile(t *testing.T) {
	k := keys(t)
	block, rest := pem.Decode(k.ClientPEM())
	certificate, key := pem.EncodeToMemory(block), rest
	keyBlock, _ := pem.Decode(key)
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(parsed.(*rsa.PrivateKey)))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPKCS8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	other, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey := pem.Decode(other.ClientPEM())
	legacy := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x")})
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, []byte("some words between\n")) }
	for _, tc := range []struct {
		name   string
		data   []byte
		reason string // empty: accepted
	}{
		{"certificate and key", join(certificate, key), ""},
		{"key first", join(key, certificate), ""},
		{"pkcs1", join(certificate, pkcs1), ""},
		{"chain, the leaf last", join(k.CAPEM(), key, certificate), ""},
		{"parameters beside", join(pemOf("EC PARAMETERS", []byte("x")), certificate, key), ""},
		{"empty", nil, "no PEM block"},
		{"text", []byte("not a certificate"), "no PEM block"},
		{"no key", certificate, "no private key"},
		{"no certificate", key, "no certificate"},
		{"key of another", join(certificate, otherKey), "belongs to none"},
		{"two keys", join(certificate, key, otherKey), "more than one"},
		{"ec pkcs8", join(certificate, pemOf("PRIVATE KEY", ecPKCS8)), "not an RSA key"},
		{"ec", join(certificate, pemOf("EC PRIVATE KEY", []byte("x"))), "not an RSA key"},
		{"encrypted pkcs8", join(certificate, pemOf("ENCRYPTED PRIVATE KEY", []byte("x"))), "encrypted"},
		{"encrypted, legacy", join(certificate, legacy), "encrypted"},
		{"broken certificate", join(pemOf("CERTIFICATE", []byte("x")), key), "cannot be read"},
		{"broken key", join(certificate, pemOf("PRIVATE KEY", []byte("x"))), "PKCS#8"},
		{"broken pkcs1", join(certificate, pemOf("RSA PRIVATE KEY", []byte("x"))), "PKCS#1"},
		{"pfx", []byte("\x30\x82\x01\x00\x02\x01\x03\x30\x00"), "PFX"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := authority(t)
			cfg := config(t, a, auth.KindCertificate)
			cfg.CertificatePEM = tc.data
			p, err := auth.New(t.Context(), cfg)
			if tc.reason != "" {
				wantConfigError(t, err, "AZURE_CLIENT_CERTIFICATE_PATH", tc.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			token(t, a, p.TokenSource(scope))
		})
	}
}

func TestCertificateOutOfItsTime(t *testing.T) {
	for _, tc := range []struct {
		name, message, hint string
		cfg                 simulator.AuthorityCredentialsConfig
	}{
		{"expired", "expired on", "make a new one", simulator.AuthorityCredentialsConfig{Lifetime: -time.Hour}},
		{"not yet valid", "not valid before", "clock", simulator.AuthorityCredentialsConfig{Now: time.Now().Add(48 * time.Hour)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, err := simulator.NewAuthorityCredentials(tc.cfg)
			if err != nil {
				t.Fatal(err)
			}
			a := simulator.NewAuthority(simulator.AuthorityConfig{Certificate: k.ClientCertificate})
			cfg := config(t, a, auth.KindCertificate)
			cfg.CertificatePEM = k.ClientPEM()
			_, err = auth.New(t.Context(), cfg)
			e := wantError(t, err)
			if !strings.Contains(e.Message, tc.message) || !strings.Contains(e.Hint, tc.hint) || a.Requests() != 0 {
				t.Errorf("%v after %d requests, want none", err, a.Requests())
			}
		})
	}
}

func FuzzCertificateFile(f *testing.F) {
	k, err := credentials()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.ClientPEM())
	f.Add(k.CAPEM())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte{0x30, 0xff})
	f.Add([]byte{0x30, 0x82, 1, 0, 2, 1, 3, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := auth.New(t.Context(), auth.Config{Kind: auth.KindCertificate, TenantID: tenant, ClientID: client, CertificatePEM: data})
		if err == nil {
			return
		}
		_, isConfig := errors.AsType[*auth.ConfigError](err)
		_, isTime := errors.AsType[*auth.Error](err)
		if !isConfig && !isTime {
			t.Errorf("untyped error %T: %v", err, err)
		}
	})
}

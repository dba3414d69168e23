package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/auth"
)

// cmdSignIn changes the credential:
//
//	signin KIND               one of --auth, or pfx
//	signin wrong-secret       and wrong-token, wrong-password, wrong-job, wrong-app
//	signin none
func cmdSignIn(ts *testscript.TestScript, _ bool, args []string) {
	sim := simulationOf(ts)
	kind, edit := auth.Kind(args[0]), map[string]string{}
	switch args[0] {
	case "pfx", "wrong-password":
		kind = auth.KindCertificate
		edit["AZURE_CLIENT_CERTIFICATE_PATH"] = writePFX(ts, sim)
		edit["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = "hunter2-of-the-file"
		if args[0] == "wrong-password" {
			edit["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = "hunter2-of-another"
		}
	case "wrong-secret":
		kind, edit["AZURE_CLIENT_SECRET"] = auth.KindSecret, "not-the-secret-0123456789"
	case "wrong-token":
		kind, edit["EXOAUDIT_ACCESS_TOKEN"] = auth.KindToken, "eyJ-not-a-token-0123456789"
	case "wrong-job":
		kind, edit["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = auth.KindGitHub, "not-the-secret-0123456789"
	case "wrong-app":
		kind, edit["IDENTITY_HEADER"] = auth.KindManagedIdentity, "not-the-secret-0123456789"
	case "none":
		kind = auth.KindDeviceCode // which is read from nothing
	default:
		if !slices.Contains(auth.Kinds(), kind) {
			ts.Fatalf("signin: there is no %q", args[0])
		}
	}
	for name, value := range sim.EnvironmentFor(kind) {
		ts.Setenv(name, value)
	}
	for name, value := range edit {
		ts.Setenv(name, value)
	}
}

// writePFX puts the client certificate into a PFX file of the script.
func writePFX(ts *testscript.TestScript, sim *cli.Simulation) string {
	data, err := os.ReadFile(sim.CertificateFile)
	ts.Check(err)
	var key any
	var chain []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			ts.Check(err)
			chain = append(chain, cert)
			continue
		}
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		ts.Check(err)
	}
	pfx, err := pkcs12.Modern.Encode(key, chain[0], chain[1:], "hunter2-of-the-file")
	ts.Check(err)
	path := filepath.Join(ts.MkAbs("."), "client.pfx")
	ts.Check(os.WriteFile(path, pfx, 0o600))
	return path
}

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdReceiver starts a receiver of notifications for the rest of the script. Its
// address is in the variable, and each call becomes one line of the file:
//
//	receiver SOC_URL events.ndjson
//	receiver SOC_URL events.ndjson hang
func cmdReceiver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 || len(args) == 3 && args[2] != "hang" {
		ts.Fatalf("usage: receiver VARIABLE FILE [hang]")
	}
	file := ts.MkAbs(args[1])
	ts.Check(os.WriteFile(file, nil, 0o600))
	var mu sync.Mutex
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		defer func() { _ = f.Close() }()
		signed := map[bool]string{true: "signed", false: "unsigned"}[r.Header.Get("X-Exoaudit-Signature") != ""]
		_, _ = io.WriteString(f, r.Method+" "+signed+" "+strings.TrimSpace(string(body))+"\n")
		if len(args) == 3 {
			<-release
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	ts.Defer(func() {
		close(release)
		server.Close()
	})
	ts.Setenv(args[0], server.URL+"/T0KEN-of-the-receiver")
}

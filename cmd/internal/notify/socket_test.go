package notify_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log" //nolint:depguard // What the HTTP library writes to it is under test.
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

// listen takes connections on a loopback address and hands each to a function; they are
// closed at the end of the test.
func listen(t *testing.T, serve func(ctx context.Context, c net.Conn)) string {
	t.Helper()
	ctx := t.Context()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			open.Go(func() {
				defer stop()
				serve(ctx, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return l.Addr().String()
}

// crawl writes what a function gives for as long as somebody takes it.
func crawl(c net.Conn, begin string, next string) {
	_, _ = io.WriteString(c, begin)
	for {
		if _, err := io.WriteString(c, next); err != nil {
			return
		}
	}
}

// TestSocketsNeverHoldTheEnd: over real sockets too, a receiver that never answers,
// whatever it does instead, delays neither who hands an event over nor the end. The
// receivers do so until the test ends: were one waited for, it would not.
func TestSocketsNeverHoldTheEnd(t *testing.T) {
	hear := func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }
	for name, serve := range map[string]func(ctx context.Context, c net.Conn){
		"never reads":   func(ctx context.Context, _ net.Conn) { <-ctx.Done() },
		"never answers": func(_ context.Context, c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"a header without end": func(_ context.Context, c net.Conn) {
			hear(c)
			crawl(c, "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n")
		},
		"half a header": func(ctx context.Context, c net.Conn) {
			hear(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Mo")
			<-ctx.Done()
		},
		"a body without end": func(_ context.Context, c net.Conn) {
			hear(c)
			crawl(c, "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nbody\r\n")
		},
		"a body that never comes": func(ctx context.Context, c net.Conn) {
			hear(c)
			_, _ = io.WriteString(c, "HTTP/1.1 500 No\r\nContent-Length: 4711\r\n\r\n")
			<-ctx.Done()
		},
		"informs without end": func(_ context.Context, c net.Conn) {
			hear(c)
			crawl(c, "", "HTTP/1.1 102 Processing\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			place := listen(t, serve)
			o := newOutbox(t, http.DefaultTransport, target(t, notify.KindSlack, "http://"+place+"/"+hidden), target(t, notify.KindHeartbeat, "http://"+place+"/"+hidden))
			for _, kind := range notify.EventKinds() {
				o.Notify(t.Context(), event(kind, "run-1"))
			}
			if err := o.end(50 * time.Millisecond); err == nil {
				t.Error("nothing tells that events were lost")
			}
			if text := o.logged(); strings.Contains(text, hidden) || strings.Contains(text, place) {
				t.Errorf("the address is in the log:\n%s", text)
			}
		})
	}
}

// TestSocketsEndlessBody: an event is delivered when the header says so, and of a body
// that does not end nothing is waited for.
func TestSocketsEndlessBody(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, "and more\n"); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
		}
	}))
	defer server.Close()
	o := newOutbox(t, server.Client().Transport, target(t, notify.KindWebhook, server.URL+"/"+hidden))
	o.Notify(t.Context(), event(notify.EventBeforeApply, "run-1"))
	if err := o.end(time.Minute); err != nil || o.count(notify.ResultDelivered) != 1 {
		t.Errorf("%v, %v\n%s", err, o.results, o.logged())
	}
}

// TestSocketsHideTheAddress: none of the ways in which a call can fail shows the address,
// nor what the receiver said.
func TestSocketsHideTheAddress(t *testing.T) {
	plain := func(t *testing.T, answer string) string {
		return "http://" + listen(t, func(_ context.Context, c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
		}) + "/" + hidden
	}
	const host = "t0ken-host.example"
	dialing := func(err error) http.RoundTripper {
		return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
	}
	for _, tt := range []struct {
		name string
		way  http.RoundTripper // nil for the default
		to   func(t *testing.T) string
		want string
	}{
		{"no such host", dialing(&net.DNSError{Err: "no such host", Name: host, IsNotFound: true}), func(*testing.T) string { return "https://" + host + "/" + hidden }, "cannot be resolved"},
		{"a name server that is slow", dialing(&net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}), func(*testing.T) string { return "https://" + host + "/" + hidden }, "no answer"},
		{"a proxy that refuses", &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			return url.Parse("http://user:" + hidden + "@127.0.0.1:1")
		}}, func(*testing.T) string { return "https://" + host + "/" + hidden }, "connection was refused"},
		{"a proxy that cannot be", &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
			return nil, errors.New("no proxy for " + r.URL.String())
		}}, func(*testing.T) string { return "https://" + host + "/" + hidden }, "connection failed"},
		{"a certificate that nobody trusts", nil, func(t *testing.T) string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL + "/" + hidden
		}, "certificate"},
		{"no TLS where it should be", nil, func(t *testing.T) string {
			return "https" + strings.TrimPrefix(plain(t, "HTTP/1.1 400 "+hidden+"\r\n\r\n"), "http")
		}, "connection failed"},
		{"no HTTP", nil, func(t *testing.T) string { return plain(t, hidden+" is not what I know\r\n\r\n") }, "connection failed"},
		{"a status of its own words", nil, func(t *testing.T) string {
			return plain(t, "HTTP/1.1 403 "+hidden+"\r\nContent-Length: 3\r\n\r\n"+hidden)
		}, "status 403\""},
		{"a redirect to where nothing can be", nil, func(t *testing.T) string {
			return plain(t, "HTTP/1.1 307 x\r\nLocation: http://%zz/"+hidden+"\r\n\r\n")
		}, "connection failed"},
		{"a redirect that goes on", nil, func(t *testing.T) string {
			return plain(t, "HTTP/1.1 307 x\r\nLocation: /"+hidden+"\r\nContent-Length: 0\r\n\r\n")
		}, "status 307"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			way := tt.way
			if way == nil {
				way = http.DefaultTransport
			}
			address := tt.to(t)
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			o := newOutbox(t, way, target(t, notify.KindWebhook, address))
			o.Notify(t.Context(), event(notify.EventBeforeApply, "run-1"))
			end := o.end(time.Minute)
			if end == nil {
				t.Fatal("it was delivered")
			}
			text := o.logged() + end.Error()
			for _, not := range []string{hidden, host, u.Host, "proxy", "127.0.0.1"} {
				if strings.Contains(text, not) {
					t.Errorf("%q is in the log:\n%s", not, text)
				}
			}
			if !strings.Contains(text, tt.want) {
				t.Errorf("nothing says %q:\n%s", tt.want, text)
			}
		})
	}
}

// TestSocketsRedirects: a redirect to another server takes neither the event, nor the
// address, nor the signature there.
func TestSocketsRedirects(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		var stolen atomic.Int32
		thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
		server := httptest.NewServer(http.RedirectHandler(thief.URL+"/take", code))
		o := newOutbox(t, http.DefaultTransport, target(t, notify.KindWebhook, server.URL+"/"+hidden), target(t, notify.KindHeartbeat, server.URL+"/"+hidden))
		o.Notify(t.Context(), event(notify.EventBeforeApply, "run-1"))
		o.Notify(t.Context(), event(notify.EventHeartbeat, "run-1"))
		_ = o.end(time.Minute)
		server.Close()
		thief.Close()
		if stolen.Load() != 0 || o.count(notify.ResultRefused) != 2 {
			t.Errorf("status %d: %d calls elsewhere, results %v", code, stolen.Load(), o.results)
		}
	}
}

// TestSocketsLogNothingUnasked: what a receiver says on a connection after its answer the
// HTTP library would write to the log of the process, in the receiver's words.
func TestSocketsLogNothingUnasked(t *testing.T) {
	var mu sync.Mutex
	var said bytes.Buffer
	log.SetOutput(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return said.Write(p)
	}))
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	closed := make(chan struct{})
	place := listen(t, func(_ context.Context, c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		// The client has let go of the connection, or it hears more than it asked for.
		go func() { _, _ = io.Copy(io.Discard, c); close(closed) }()
		select {
		case <-closed:
		case <-time.After(100 * time.Millisecond):
			_, _ = io.WriteString(c, "I know /"+hidden+"\r\n")
			<-closed
		}
	})
	o := newOutbox(t, http.DefaultTransport, target(t, notify.KindHeartbeat, "http://"+place+"/"+hidden))
	o.Notify(t.Context(), event(notify.EventHeartbeat, "run-1"))
	<-closed
	if err := o.end(time.Minute); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if said.Len() > 0 {
		t.Errorf("the process said %q", said.String())
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds for whoever asks: the answers are small, and a connection that is held
// open is one less for the others.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second
	answerTimeout  = 30 * time.Second
	idleTimeout    = time.Minute
	maxHeader      = 16 << 10
	scrapesAtOnce  = 4
)

// Handler answers GET and HEAD for /livez, /readyz and /metrics, and nothing else.
// What it says are counts, times and fixed sentences: no name of the tenant, no
// path, no error of anybody.
func Handler(h *Health, m *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		if err := h.Alive(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		answer(w, http.StatusOK, "alive")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if missing := h.Missing(r.Context()); len(missing) > 0 {
			answer(w, http.StatusServiceUnavailable, "not ready", missing...)
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, Timeout: requestTimeout,
	}))
	return mux
}

// answer writes a status in words, a line each.
func answer(w http.ResponseWriter, status int, line string, more ...string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// Whoever asked and went away needs no answer.
	_, _ = io.WriteString(w, strings.Join(append([]string{line}, more...), "\n")+"\n")
}

// Server is a handler that listens.
type Server struct {
	web    *http.Server
	at     net.Addr
	served chan error
}

// Listen starts to answer at an address, host and port. It returns when the
// address is taken; what goes wrong later is told by [Server.Close]. What clients do
// wrong is logged for those who look for it.
func Listen(ctx context.Context, address string, handler http.Handler, log *slog.Logger) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for /livez, /readyz and /metrics: %w", err)
	}
	s := &Server{at: listener.Addr(), served: make(chan error, 1), web: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout,
		WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// A request runs out with the process, not with the context of its start.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}}
	go func() { s.served <- s.web.Serve(listener) }()
	return s, nil
}

// Addr is where the server listens, with the port that was chosen for port 0.
func (s *Server) Addr() net.Addr { return s.at }

// Close stops listening and lets answers under way end until ctx does; then it cuts
// them off. No goroutine of the server is left.
func (s *Server) Close(ctx context.Context) error {
	err := s.web.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.web.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Loopback tells whether an address can be reached from this host alone.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

package daemon

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// Metrics are the figures of the service for Prometheus. No label holds a text of
// the tenant: each has a fixed set of values, and what is not in the set is
// "other". A figure that nobody has measured yet is absent, not zero, wherever
// zero would be good news.
//
// The label that tells the schedules apart is called loop, since Prometheus puts
// a label job of its own on whatever it scrapes. The methods may be called by
// several goroutines.
type Metrics struct {
	registry *prometheus.Registry

	lastSuccess, interval        *prometheus.GaugeVec     // by loop
	duration                     *prometheus.HistogramVec // by loop
	runs                         *prometheus.CounterVec   // by loop, verdict
	objects                      *prometheus.GaugeVec     // by kind, state
	changes                      *prometheus.CounterVec   // by result
	requests                     *prometheus.CounterVec   // by code
	reloads                      *prometheus.CounterVec   // by result
	notifications                *prometheus.CounterVec   // by kind, result
	lastSweep, maxSweepAge       prometheus.Gauge
	creation                     prometheus.Histogram
	credential, lease, contested *prometheus.GaugeVec // without labels: absent until known

	mu        sync.Mutex
	throttled float64 // of clients that are no more
	clients   []statistics
	shown     map[gaugeKey]int // what the gauges of things gone wrong show
}

// statistics is a client that counts what it does.
type statistics interface{ Stats() exchange.Stats }

// gaugeKey names one of the gauges of objects.
type gaugeKey struct{ kind, state string }

// The loops of the service, as labels and commands name them.
const (
	loopIncremental = "incremental"
	loopBypass      = "bypass"
	loopFull        = "full"
)

// NewMetrics makes the figures of a program of the given name and version, and
// registers them. A nil registry is a fresh one. It fails where the registry has a
// figure of the same name already.
func NewMetrics(registry *prometheus.Registry, tool string) (*Metrics, error) {
	m := &Metrics{registry: cmp.Or(registry, prometheus.NewRegistry()), shown: map[gaugeKey]int{}}
	m.makeRuns()
	m.makeCalls()
	for _, c := range append(m.collectors(), buildInfo(tool),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})) {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	m.begin()
	return m, nil
}

// makeRuns makes the figures of runs and of what they found.
func (m *Metrics) makeRuns() {
	m.lastSuccess = gauges("exoaudit_last_success_timestamp_seconds",
		"When the last run ended that read all it had to read, whatever it found; 0 before the first.", "loop")
	m.interval = gauges("exoaudit_interval_seconds", "The longest time between two runs that the schedule asks for.", "loop")
	m.lastSweep = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "exoaudit_last_complete_sweep_timestamp_seconds",
		Help: "When the last complete sweep of the whole tenant began; 0 before the first.",
	})
	m.maxSweepAge = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "exoaudit_max_sweep_age_seconds", Help: "The age of the last complete sweep from which runs are incomplete (guards.maxSweepAge).",
	})
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "exoaudit_run_duration_seconds", Help: "How long runs took.",
		Buckets: []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200},
	}, []string{"loop"})
	m.runs = counters("exoaudit_runs_total", "Runs by how they ended; error is one that made no report.", "loop", "verdict")
	m.objects = gauges("exoaudit_objects",
		"Objects by state: drifted and unknown as the last run left them, the other states as of the last sweep.", "kind", "state")
	m.contested = gauges("exoaudit_contested_changes", "Changes that are not made again because another writer undoes them.")
	m.changes = counters("exoaudit_changes_total", "Planned changes by what became of them.", "result")
	m.creation = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "exoaudit_creation_to_in_line_seconds",
		Help:    "Time from the creation of a mailbox to the end of the run that verified the changes it needed.",
		Buckets: []float64{60, 120, 300, 450, 600, 900, 1800, 3600, 7200, 21600, 86400, 172800},
	})
}

// makeCalls makes the figures of the service's surroundings.
func (m *Metrics) makeCalls() {
	m.requests = counters("exoaudit_requests_total", "HTTP calls by status; none is a call without an answer.", "code")
	m.credential = gauges("exoaudit_credential_expiry_timestamp_seconds", "When the client certificate ends; absent where none is used.")
	m.reloads = counters("exoaudit_reloads_total", "Times the policy and the configuration were read again.", "result")
	m.lease = gauges("exoaudit_lease_held",
		"1 where this process got the right to write when it last asked for it, 0 where another has it; absent where it never asks.")
	m.notifications = counters("exoaudit_notifications_total", "Messages by kind of receiver and by what became of them.", "kind", "result")
}

func (m *Metrics) collectors() []prometheus.Collector {
	throttled := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "exoaudit_throttled_total", Help: "Answers 429, those of single items of a batch included.",
	}, m.throttledSoFar)
	return []prometheus.Collector{
		m.lastSuccess, m.interval, m.lastSweep, m.maxSweepAge, m.duration, m.runs, m.objects, m.contested, m.changes, m.creation,
		m.requests, throttled, m.credential, m.reloads, m.lease, m.notifications,
	}
}

// begin makes the series whose zero is no good news by itself, so that an increase
// from nothing to one is seen as one, and a run that never came as one that is late.
func (m *Metrics) begin() {
	for _, r := range results() {
		m.changes.WithLabelValues(r)
	}
	for _, r := range []string{resultOK, resultFailed} {
		m.reloads.WithLabelValues(r)
	}
	for _, loop := range []string{loopIncremental, loopBypass, loopFull} {
		for _, v := range verdicts() {
			m.runs.WithLabelValues(loop, v)
		}
	}
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// buildInfo is the figure that is 1 for the version that runs. A tool names itself
// with its version, as in "exoaudit v1.2.3".
func buildInfo(tool string) prometheus.Collector {
	_, version, _ := strings.Cut(tool, " ")
	g := gauges("exoaudit_build_info", "1 for the version that runs.", "version", "goversion")
	g.WithLabelValues(cmp.Or(version, "unknown"), runtime.Version()).Set(1)
	return g
}

// The results of a reload.
const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// Reloaded counts an attempt to read policy and configuration again.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues(resultFailed).Inc()
		return
	}
	m.reloads.WithLabelValues(resultOK).Inc()
}

// Lease tells whether this process got the right to write when it last asked.
func (m *Metrics) Lease(held bool) {
	value := 0.0
	if held {
		value = 1
	}
	m.lease.WithLabelValues().Set(value)
}

// Scheduled tells the longest time between two runs of a loop; 0 is a loop that
// does not run.
func (m *Metrics) Scheduled(loop string, interval time.Duration) {
	loop = loopLabel(loop)
	if interval <= 0 {
		m.interval.DeleteLabelValues(loop)
		m.lastSuccess.DeleteLabelValues(loop)
		return
	}
	m.interval.WithLabelValues(loop).Set(interval.Seconds())
	m.lastSuccess.WithLabelValues(loop)
}

// SweepLimit tells from which age of the last complete sweep on runs are
// incomplete.
func (m *Metrics) SweepLimit(age time.Duration) { m.maxSweepAge.Set(age.Seconds()) }

// Swept tells when the last complete sweep began, where that is known from
// earlier runs; the zero time says that there was none.
func (m *Metrics) Swept(at time.Time) {
	if !at.IsZero() {
		m.lastSweep.Set(seconds(at))
	}
}

// Credential tells when the client certificate ends, and whether there is one:
// auth.Provider.CertificateExpiry.
func (m *Metrics) Credential(expiry time.Time, ok bool) {
	if !ok {
		m.credential.Reset()
		return
	}
	m.credential.WithLabelValues().Set(seconds(expiry))
}

// Call counts one HTTP call; it is fit for exchange.Config.Trace.
func (m *Metrics) Call(t exchange.Trace) { m.requests.WithLabelValues(codeLabel(t.Status)).Inc() }

// Clients names the clients that work from now on, in place of those before.
func (m *Metrics) Clients(clients ...statistics) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.clients {
		m.throttled += float64(c.Stats().Throttled)
	}
	m.clients = clients
}

func (m *Metrics) throttledSoFar() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.throttled
	for _, c := range m.clients {
		n += float64(c.Stats().Throttled)
	}
	return n
}

// Notified counts a message by the kind of its receiver and what became of it. It
// is fit for the notifier's counter.
func (m *Metrics) Notified(kind, result string) {
	m.notifications.WithLabelValues(oneOf(kind, notifiedKinds()...), oneOf(result, notifiedResults()...)).Inc()
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// codeLabel is a status as a label: one that HTTP knows, "none" or "other".
func codeLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return otherLabel
	}
	return strconv.Itoa(status)
}

// otherLabel stands for a value that is not in the set of its label.
const otherLabel = "other"

func oneOf(value string, known ...string) string {
	if slices.Contains(known, value) {
		return value
	}
	return otherLabel
}

func loopLabel(loop string) string { return oneOf(loop, loopIncremental, loopBypass, loopFull) }

// notifiedKinds and notifiedResults are the kinds of receivers, and what can become
// of a message.
func notifiedKinds() []string { return []string{"webhook", "slack", "teams", "heartbeat"} }

func notifiedResults() []string {
	return []string{"delivered", "retried", "refused", "expired", "dropped", "merged"}
}

// results are those that a planned change can have.
func results() []string {
	return []string{
		string(reconcile.ResultVerified), string(reconcile.ResultUnconfirmed), string(reconcile.ResultFailed),
		string(reconcile.ResultUnsupported), string(reconcile.ResultSkipped), string(reconcile.ResultNotNeeded),
	}
}

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// deployment reads an example of how the program is run.
func deployment(t *testing.T, folder, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// accepted holds a command line to the command tree: the command, its flags and
// its arguments exist, and it is not left to ask anybody.
func accepted(t *testing.T, where string, args []string) {
	t.Helper()
	cmd, rest, err := newRoot(&app{}).Find(args)
	if err != nil || len(args) == 0 || cmd.Name() != args[0] {
		t.Errorf("%s: %v: no such command (%v)", where, args, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s: %v: %v", where, args, err)
		return
	}
	if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
		t.Errorf("%s: %v: %v", where, args, err)
	}
	if cmd.Name() == "apply" && !slices.Contains(args, "--yes") {
		t.Errorf("%s: %v asks a question, and nobody is there", where, args)
	}
}

// knownVariable tells whether the program reads a variable.
func knownVariable(name string) bool {
	for _, k := range auth.Kinds() {
		if slices.Contains(variablesOf(k), name) {
			return true
		}
	}
	for _, v := range flagVariables() {
		if v == name {
			return true
		}
	}
	return slices.Contains([]string{"AZURE_CLIENT_ID", "XDG_STATE_HOME"}, name)
}

// unit is a file of systemd: the values of each key, in order.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(deployment(t, "systemd", name)) {
		line = strings.TrimSpace(line)
		if key, value, found := strings.Cut(line, "="); found && !strings.HasPrefix(line, "#") {
			out[key] = append(out[key], value)
		}
	}
	return out
}

// words splits a command line of a unit, in which double quotes keep words
// together.
func words(line string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		out = append(out, strings.Trim(w, `"`))
	}
	return out
}

// TestSystemdUnits: the command lines are such as the program takes, and both
// services are shut in alike.
func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	service, once := unit(t, "exoaudit.service"), unit(t, "exoaudit-apply.service")
	for name, u := range map[string]map[string][]string{"exoaudit.service": service, "exoaudit-apply.service": once} {
		if len(u["ExecStart"]) != 1 {
			t.Fatalf("%s starts %q", name, u["ExecStart"])
		}
		line := words(u["ExecStart"][0])
		if line[0] != "/usr/local/bin/exoaudit" {
			t.Errorf("%s starts %s", name, line[0])
		}
		accepted(t, name, line[1:])
		for _, e := range u["Environment"] {
			if variable, _, _ := strings.Cut(e, "="); !knownVariable(variable) {
				t.Errorf("%s sets %s, which nothing reads", name, variable)
			}
		}
		for _, key := range []string{
			"DynamicUser", "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateUsers",
			"CapabilityBoundingSet", "SystemCallFilter", "RestrictAddressFamilies", "MemoryDenyWriteExecute", "UMask", "StateDirectory", "LoadCredential",
		} {
			if len(u[key]) == 0 || !slices.Equal(u[key], service[key]) {
				t.Errorf("%s has %s=%q", name, key, u[key])
			}
		}
	}
	if service["ProtectSystem"][0] != "strict" || service["DynamicUser"][0] != "yes" || service["UMask"][0] != "0077" {
		t.Errorf("the service is not shut in: %v", service)
	}
	if service["StartLimitIntervalSec"][0] != "0" || service["Restart"][0] != "on-failure" || service["RestartPreventExitStatus"][0] != "4" {
		t.Error("an outage at the start ends the service for good, or a wrong policy does not")
	}
	if stop, err := time.ParseDuration(service["TimeoutStopSec"][0]); err != nil || stop < 45*time.Second {
		t.Errorf("it is killed %s after SIGTERM, %v: writes in flight have 30 seconds, messages and answers 5 each", stop, err)
	}
	if !slices.Contains(words(service["ExecStart"][0]), "check") {
		t.Error("the service begins by writing")
	}
	if timer := unit(t, "exoaudit-apply.timer"); timer["Persistent"][0] != "true" || len(timer["OnCalendar"]) != 1 {
		t.Errorf("the timer is %v", timer)
	}
	for line := range strings.Lines(deployment(t, "systemd", "exoaudit.service")) {
		if variable, _, found := strings.Cut(strings.TrimPrefix(line, "#   "), "="); found && strings.HasPrefix(line, "#   ") && !knownVariable(variable) {
			t.Errorf("the example of the environment has %s, which nothing reads", variable)
		}
	}
}

// TestProcessSystemdUnits lets systemd itself read the units, where it is
// installed.
func TestProcessSystemdUnits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped under -short: it starts systemd-analyze")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not on PATH; the units were read by TestSystemdUnits alone")
	}
	folder := t.TempDir()
	args := []string{"verify"}
	for _, name := range []string{"exoaudit.service", "exoaudit-apply.service", "exoaudit-apply.timer"} {
		// It looks for the program too, which is not installed here.
		text := strings.ReplaceAll(deployment(t, "systemd", name), "/usr/local/bin/exoaudit", "/bin/true")
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// manifest reads a file for Kubernetes by the strict reader, which every other
// reader of YAML agrees with.
func manifest(t *testing.T, name string) (*strict.Document, *strict.Node) {
	t.Helper()
	doc := strict.Parse(name, []byte(deployment(t, "kubernetes", name)))
	if doc.Root() == nil {
		t.Fatal(doc.Diagnostics())
	}
	return doc, doc.Root()
}

// at gives what stands under keys; a number is a place in a list.
func at(n *strict.Node, keys ...string) *strict.Node {
	for _, key := range keys {
		var next *strict.Node
		for _, e := range n.Entries() {
			if e.Key() == key {
				next = e
			}
		}
		if list, ok := n, n.IsList(); ok {
			items, _ := list.List()
			next = items[int(key[0]-'0')]
		}
		n = next
	}
	return n
}

// told is a scalar as it is written.
func told(n *strict.Node) string {
	text, _ := n.Written("a value")
	return text
}

func listed(n *strict.Node) []string {
	items, _ := n.List()
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = told(item)
	}
	return out
}

// pods are the templates of pods, by the kind of what makes them.
func pods(t *testing.T) map[string]*strict.Node {
	t.Helper()
	_, list := manifest(t, "deployment.yaml")
	items, _ := at(list, "items").List()
	out := map[string]*strict.Node{}
	for _, item := range items {
		if told(at(item, "kind")) == "Deployment" {
			out["Deployment"] = at(item, "spec", "template", "spec")
		}
	}
	_, job := manifest(t, "cronjob.yaml")
	out["CronJob"] = at(job, "spec", "jobTemplate", "spec", "template", "spec")
	return out
}

// TestKubernetesPods: the command lines are such as the program takes, it is shut
// in, and it keeps what it has to keep.
func TestKubernetesPods(t *testing.T) {
	t.Parallel()
	for kind, pod := range pods(t) {
		container := at(pod, "containers", "0")
		accepted(t, kind, listed(at(container, "args")))
		for path, want := range map[string]string{
			"runAsNonRoot": "true", "runAsUser": "65532", "fsGroup": "65532",
		} {
			if got := told(at(pod, "securityContext", path)); got != want {
				t.Errorf("%s: %s is %q", kind, path, got)
			}
		}
		for path, want := range map[string]string{"allowPrivilegeEscalation": "false", "readOnlyRootFilesystem": "true"} {
			if got := told(at(container, "securityContext", path)); got != want {
				t.Errorf("%s: %s is %q", kind, path, got)
			}
		}
		if drop := listed(at(container, "securityContext", "capabilities", "drop")); !slices.Equal(drop, []string{"ALL"}) {
			t.Errorf("%s: drops %q", kind, drop)
		}
		if told(at(pod, "automountServiceAccountToken")) != "false" {
			t.Errorf("%s: the token of the cluster is mounted", kind)
		}
		if image := told(at(container, "image")); !strings.HasSuffix(image, ":replace-me") {
			t.Errorf("%s: the image %s looks like one that is there", kind, image)
		}
		environment, _ := at(container, "env").List()
		for _, e := range environment {
			if name := told(at(e, "name")); !knownVariable(name) {
				t.Errorf("%s: sets %s, which nothing reads", kind, name)
			}
		}
		mounted(t, kind, pod, container)
	}
	probes := at(pods(t)["Deployment"], "containers", "0")
	if live, ready := told(at(probes, "livenessProbe", "httpGet", "path")), told(at(probes, "readinessProbe", "httpGet", "path")); live != "/livez" || ready != "/readyz" {
		t.Errorf("the probes ask %s and %s", live, ready)
	}
}

// mounted: every volume is mounted and every mount is a volume, and the store is
// on the one that lasts.
func mounted(t *testing.T, kind string, pod, container *strict.Node) {
	t.Helper()
	var volumes, mounts []string
	for _, v := range items(at(pod, "volumes")) {
		volumes = append(volumes, told(at(v, "name")))
		if told(at(v, "name")) == "state" && told(at(v, "persistentVolumeClaim", "claimName")) != "exoaudit" {
			t.Errorf("%s: the state does not last", kind)
		}
		if source := at(v, "projected", "sources", "0", "serviceAccountToken"); source != nil && told(at(source, "audience")) != "api://AzureADTokenExchange" {
			t.Errorf("%s: the token is for %s", kind, told(at(source, "audience")))
		}
	}
	for _, m := range items(at(container, "volumeMounts")) {
		mounts = append(mounts, told(at(m, "name")))
	}
	slices.Sort(volumes)
	slices.Sort(mounts)
	if !slices.Equal(volumes, mounts) {
		t.Errorf("%s: the volumes %q are mounted as %q", kind, volumes, mounts)
	}
}

func items(n *strict.Node) []*strict.Node {
	list, _ := n.List()
	return list
}

// TestKubernetesConfiguration: the policy and the configuration in the manifest
// are valid, and the probes ask where the program listens.
func TestKubernetesConfiguration(t *testing.T) {
	t.Parallel()
	doc, list := manifest(t, "deployment.yaml")
	var kinds []string
	for _, item := range items(at(list, "items")) {
		kinds = append(kinds, told(at(item, "kind")))
		switch told(at(item, "kind")) {
		case "ConfigMap":
			text, _ := at(item, "data", "policy.yaml").Text()
			if _, found := policy.Parse("policy.yaml", []byte(text)); len(found) > 0 {
				t.Error(found)
			}
			text, _ = at(item, "data", "config.yaml").Text()
			file := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := readConfig(file); err != nil {
				t.Error(err)
			}
			port := told(at(pods(t)["Deployment"], "containers", "0", "ports", "0", "containerPort"))
			if !strings.Contains(text, "listen: 0.0.0.0:"+port+"\n") {
				t.Errorf("the probes ask at port %s, and the configuration is\n%s", port, text)
			}
		case "Deployment":
			if told(at(item, "spec", "replicas")) != "1" || told(at(item, "spec", "strategy", "type")) != "Recreate" {
				t.Error("two pods would wait for each other's lease")
			}
		}
	}
	if want := []string{"ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "Deployment"}; !slices.Equal(kinds, want) {
		t.Errorf("the manifest has %q, want %q", kinds, want)
	}
	cron, job := manifest(t, "cronjob.yaml")
	if told(at(job, "spec", "concurrencyPolicy")) != "Forbid" || told(at(job, "spec", "jobTemplate", "spec", "backoffLimit")) != "0" {
		t.Error("a run that failed is tried again at once")
	}
	for _, found := range []strict.Diagnostics{doc.Diagnostics(), cron.Diagnostics()} {
		if len(found) > 0 {
			t.Error(found)
		}
	}
}

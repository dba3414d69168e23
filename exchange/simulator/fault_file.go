package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// faultEntry is a [Fault] as a file writes it: durations are Go's, such as "1500ms".
type faultEntry struct {
	Name        string   `json:"name"`
	Cmdlet      string   `json:"cmdlet"`
	Item        bool     `json:"item"`
	Continued   bool     `json:"continued"`
	With        []string `json:"with"`
	Without     []string `json:"without"`
	Call        int      `json:"call"`
	Times       int      `json:"times"`
	Probability float64  `json:"probability"`
	Seed        uint64   `json:"seed"`
	Row         int      `json:"row"`
	Do          Action   `json:"do"`
	Status      int      `json:"status"`
	RetryAfter  string   `json:"retryAfter"`
	Delay       string   `json:"delay"`
	Text        string   `json:"text"`
	Host        string   `json:"host"`
}

// ParseFaults reads faults from JSON: an array of objects with the fields of [Fault],
// their first letter small, and the actions by name:
//
//	[{"cmdlet": "Get-Mailbox", "call": 2, "do": "throttle", "retryAfter": "3s"}]
//
// An unknown key or action is an error that says which entry holds it.
func ParseFaults(data []byte) ([]Fault, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var entries []faultEntry
	if err := decoder.Decode(&entries); err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("faults: something follows the array")
	}
	faults := make([]Fault, 0, len(entries))
	for i, entry := range entries {
		fault, err := entry.fault()
		if err != nil {
			return nil, fmt.Errorf("faults: entry %d: %w", i+1, err)
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// fileActions are the actions a file may name: all but DoRun, which needs a function.
func fileActions() []string {
	var names []string
	for _, action := range Actions() {
		if action == DoRun {
			continue
		}
		names = append(names, string(action))
	}
	slices.Sort(names)
	return names
}

func (e faultEntry) fault() (Fault, error) {
	f := Fault{
		Name: e.Name, Cmdlet: e.Cmdlet, Item: e.Item, Continued: e.Continued, With: e.With, Without: e.Without, Call: e.Call, Times: e.Times,
		Probability: e.Probability, Seed: e.Seed, Row: e.Row, Do: e.Do, Status: e.Status, Text: e.Text, Host: e.Host,
	}
	if !slices.Contains(fileActions(), string(e.Do)) {
		return Fault{}, fmt.Errorf("unknown action %q, want one of %s", e.Do, strings.Join(fileActions(), ", "))
	}
	for _, d := range []struct {
		name, text string
		into       *time.Duration
	}{{"retryAfter", e.RetryAfter, &f.RetryAfter}, {"delay", e.Delay, &f.Delay}} {
		if d.text == "" {
			continue
		}
		parsed, err := time.ParseDuration(d.text)
		if err != nil || parsed < 0 {
			return Fault{}, fmt.Errorf("%s %q is not a duration such as \"3s\"", d.name, d.text)
		}
		*d.into = parsed
	}
	if err := e.check(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

// check refuses what could never strike, or not as it was meant.
func (e faultEntry) check() error {
	switch {
	case e.Do == DoStatus && (e.Status < 400 || e.Status > 599):
		return fmt.Errorf("status %d is not between 400 and 599", e.Status)
	case (e.Do == DoRedirect || e.Do == DoForeignNextLink) && e.Host == "":
		return fmt.Errorf("action %s needs a host", e.Do)
	case e.Do == DoRegional && strings.ContainsAny(e.Host, ".:/"):
		return fmt.Errorf("host %q of action %s is not a region such as %s", e.Host, e.Do, defaultRegion)
	case e.Do == DoChallenge && e.Text != "" && !json.Valid([]byte(e.Text)):
		return fmt.Errorf("text of action %s is not JSON", e.Do)
	case e.Do == DoWrongGzip && e.Text != "" && e.Text != GzipDamaged:
		return fmt.Errorf("text %q of action %s is neither empty nor %q", e.Text, e.Do, GzipDamaged)
	case e.Do.wholeAnswer() && e.Item:
		return fmt.Errorf("action %s works on whole answers, never on a batch item", e.Do)
	case strings.EqualFold(e.Cmdlet, "$batch") && len(e.With) > 0:
		return errors.New("a whole batch passes no parameters, so with never holds for cmdlet $batch")
	case e.Call < 0 || e.Times < 0 || e.Row < 0 || e.Probability < 0 || e.Probability > 1:
		return errors.New("call, times and row are 0 or more, probability is 0 to 1")
	}
	return nil
}

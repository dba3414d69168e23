package notify_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

func TestVerify(t *testing.T) {
	key, sent, now := []byte(secret), []byte(`{"id":"1"}`), time.Unix(1_800_000_000, 0)
	good := notify.Sign(key, now, sent)
	for _, tt := range []struct {
		name, header, body string
		after              time.Duration
		want               error
	}{
		{"good", good, string(sent), time.Minute, nil},
		{"of a clock behind", good, string(sent), -time.Minute, nil},
		{"another body", good, `{"id":"2"}`, 0, notify.ErrSignature},
		{"another time", strings.Replace(good, "t=18", "t=19", 1), string(sent), 0, notify.ErrSignature},
		{"too old", good, string(sent), 6 * time.Minute, notify.ErrTooOld},
		{"too new", good, string(sent), -6 * time.Minute, notify.ErrTooOld},
		{"empty", "", string(sent), 0, notify.ErrSignature},
		{"no signature", "t=1800000000", string(sent), 0, notify.ErrSignature},
		{"empty signature", "t=1800000000,v1=", string(sent), 0, notify.ErrSignature},
		{"a later version beside it", good + ",v2=00", string(sent), 0, nil},
		{"a second key beside it", strings.Replace(good, ",", ",v1=00ff,", 1), string(sent), 0, nil},
	} {
		if err := notify.Verify(key, tt.header, []byte(tt.body), now.Add(tt.after), 5*time.Minute); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := notify.Verify([]byte("another key"), good, sent, now, time.Minute); !errors.Is(err, notify.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	f.Add(notify.Sign([]byte(secret), now, []byte("x")), []byte("x"))
	f.Add("t=1800000000,v1=00", []byte(""))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		err := notify.Verify([]byte("a key that nobody signed with"), header, body, now, time.Minute)
		if err == nil {
			t.Errorf("%q is taken", header)
		}
	})
}

// A receiver checks the signature over the body as it came, before it reads any of
// it, and passes over an event that it has had already.
func ExampleVerify() {
	key := []byte("the secret of the target in the configuration")
	had := map[string]bool{}
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := notify.Verify(key, r.Header.Get("X-Exoaudit-Signature"), body, time.Now(), 5*time.Minute); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if id := r.Header.Get("Idempotency-Key"); !had[id] {
			had[id] = true
			fmt.Printf("event %s: %s\n", id, body)
		}
		w.WriteHeader(http.StatusNoContent)
	}

	send := func(key string) int {
		body := `{"kind":"stateChanged"}`
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Exoaudit-Signature", notify.Sign([]byte(key), time.Now(), []byte(body)))
		r.Header.Set("Idempotency-Key", "4711")
		w := httptest.NewRecorder()
		receive(w, r)
		return w.Code
	}
	fmt.Println(send(string(key)), send(string(key)), send("somebody else's"))
	// Output:
	// event 4711: {"kind":"stateChanged"}
	// 204 204 403
}

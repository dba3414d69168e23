package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Sign gives the value of [SignatureHeader] for a body that is sent at a time:
// "t=SECONDS,v1=HEX", where HEX is the HMAC-SHA256, under the secret, of SECONDS, a dot
// and the body. The time is part of what is signed, so that a recorded request cannot
// be sent again later.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t + "."))
	h.Write(body)
	return h.Sum(nil)
}

// The reasons for which a signature is refused.
var (
	// ErrSignature is of a header that is no signature of the body under the secret.
	ErrSignature = errors.New("the signature does not fit the body")
	// ErrTooOld is of a signature whose time is too far from now.
	ErrTooOld = errors.New("the signature was made too long ago, or by a clock that is ahead")
)

// Verify is what a receiver does with the header and the body as they came: it gives
// ErrSignature, or ErrTooOld where the time is further from now than tolerance. Names
// of the header other than t and v1 are for versions to come and are passed over.
func Verify(secret []byte, header string, body []byte, now time.Time, tolerance time.Duration) error {
	var at string
	var sums []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			at = value
		case "v1":
			sums = append(sums, value)
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return ErrSignature
	}
	want, fits := mac(secret, at, body), false
	for _, s := range sums {
		sum, err := hex.DecodeString(s)
		fits = fits || err == nil && hmac.Equal(sum, want)
	}
	if !fits {
		return ErrSignature
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > tolerance || d < -tolerance {
		return ErrTooOld
	}
	return nil
}

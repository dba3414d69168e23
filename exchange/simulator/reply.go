package simulator

import (
	"bytes"
	"compress/gzip"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// reply is an answer before it is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
	breaks bool // The connection breaks after sound bytes of the body.
	sound  int
	// dropped is a batch item that is left out of the batch's answer.
	dropped bool
	// statusless is one whose answer does not say how it went.
	statusless bool
	unanswered bool // The connection is closed before the header.
}

func plainReply(status int) reply {
	return reply{status: status, header: http.Header{}, body: []byte{}}
}

// contentJSON is the captured content type of a success (wire 1.5).
const contentJSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

func jsonReply(status int, body []byte) reply {
	return reply{status: status, header: http.Header{"Content-Type": {contentJSON}}, body: body}
}

func (e *apiError) reply() reply {
	answer := reply{status: e.status, header: http.Header{}, body: e.body()}
	switch e.spelling {
	case spellHTML:
		answer.header.Set("Content-Type", "text/html")
	case spellEmptyBody, spellNulBytes:
	default:
		answer.header.Set("Content-Type", contentJSON)
	}
	if e.kind != "" {
		answer.header.Set("X-Exceptiontype", e.kind)
	}
	maps.Copy(answer.header, e.header)
	return answer
}

func (p reply) send(w http.ResponseWriter, r *http.Request, compress bool) {
	body := p.body
	if compress && len(body) > 0 && p.header.Get("Content-Encoding") == "" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		p.header.Set("Content-Encoding", "gzip")
		body = zipped(body)
	}
	maps.Copy(w.Header(), p.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.status)
	if p.breaks {
		sound := min(p.sound, len(p.body)) // a second fault may have shortened the body since
		_, _ = w.Write(body[:sound*len(body)/max(1, len(p.body))])
		panic(http.ErrAbortHandler) // The documented way to break a connection off.
	}
	_, _ = w.Write(body)
}

// declareGzip makes a success claim to be gzip: it is not, or it begins so and breaks.
// Only the 403 was seen to claim it falsely (wire 5.2); a client must not trust a 200 more.
func (p *reply) declareGzip(damaged bool) {
	if p.status != http.StatusOK {
		return
	}
	p.header.Set("Content-Encoding", "gzip")
	if damaged {
		p.body = zipped(p.body)
		p.body[len(p.body)/2] ^= 0x5a
		p.body[len(p.body)-8] ^= 0x5a // The checksum: what the middle yields is wrong at the latest here.
	}
}

func zipped(body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(body)
	_ = z.Close()
	return out.Bytes()
}

package evidence

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Call is one request to the service, without its query and its body.
type Call struct {
	Time            time.Time `json:"time"`
	Method          string    `json:"method"`
	Path            string    `json:"path"`
	Cmdlets         []string  `json:"cmdlets"`
	Status          int       `json:"status"`
	RequestID       string    `json:"requestId"`
	ClientRequestID string    `json:"clientRequestId"`
	Bytes           int64     `json:"bytes"`
}

// Calls keeps the calls of a run on disk, in a file that goes with it: a run may make
// many thousands. It is safe for concurrent use.
type Calls struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
	n    int
	err  error
}

// NewCalls makes a file in a folder, or in that for temporary files where it is "".
func NewCalls(folder string) (*Calls, error) {
	f, err := os.CreateTemp(folder, ".exoaudit-calls-")
	if err != nil {
		return nil, fmt.Errorf("keeping the calls of the run: %w", err)
	}
	return &Calls{file: f, w: bufio.NewWriter(f)}, nil
}

// Add keeps one more call. That it could not be kept is told when the bundle is written.
func (c *Calls) Add(call Call) {
	call.Time = call.Time.UTC()
	if call.Cmdlets == nil {
		call.Cmdlets = []string{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = writeLine(c.w, call)
		c.n++
	}
}

// Len is the number of calls so far.
func (c *Calls) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// write copies the calls, and gives the first error of keeping them.
func (c *Calls) write(w io.Writer) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if err := c.w.Flush(); err != nil {
		return err
	}
	if _, err := c.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(w, c.file); err != nil {
		return err
	}
	_, err := c.file.Seek(0, io.SeekEnd)
	return err
}

// Close removes the file.
func (c *Calls) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.file.Close(), os.Remove(c.file.Name()))
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// The most that is read of a file: far more than any that is meant holds, and
// little enough for a wrong one to end with words.
const (
	maxInput = 16 << 20 // a policy, a configuration, certificates
	maxPlan  = 1 << 30  // a saved plan, which is read as a stream
)

// readFile reads a file that is named on the command line, whole: an ordinary
// file, or a pipe, as a shell's process substitution gives.
func readFile(what, path string, limit int64) ([]byte, error) {
	f, err := openInput(path, limit, fs.ModeNamedPipe)
	if err != nil {
		return nil, fileProblem(what, err)
	}
	defer func() { _ = f.Close() }() // nothing was written to it
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = tooLarge(path, limit)
	}
	if err != nil {
		return nil, fileProblem(what, err)
	}
	return data, nil
}

// openInput opens an ordinary file of bounded size, or one of the other types
// that are allowed. It looks before it opens, since to open some devices does
// something, and after, since another file may stand there by then.
func openInput(path string, limit int64, allowed fs.FileMode) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := fitForInput(path, info, limit, allowed); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = fitForInput(path, info, limit, allowed)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// opWrite marks a *fs.PathError about a target.
const opWrite = "write"

func fitForInput(path string, info fs.FileInfo, limit int64, allowed fs.FileMode) error {
	switch kind := info.Mode().Type(); {
	case info.IsDir():
		return &fs.PathError{Op: "read", Path: path, Err: errors.New("it is a folder")}
	case kind&^allowed != 0:
		return &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not an ordinary file")}
	case kind == 0 && info.Size() > limit:
		return tooLarge(path, limit)
	default:
		return nil
	}
}

func tooLarge(path string, limit int64) error {
	return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it is larger than %d MiB", limit>>20)}
}

// fileProblem says that a file named on the command line cannot be read or
// written.
func fileProblem(what string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		verb := "read"
		if pe.Op == opWrite {
			verb = "write"
		}
		return invalid("%s: cannot %s %s: %w", what, verb, pe.Path, pe.Err)
	}
	return invalid("%s: %w", what, err)
}

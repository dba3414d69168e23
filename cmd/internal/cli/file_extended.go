package cli

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
)

// readExtended reads a file that another file names, with forward slashes. Its
// errors leave out the path, which a diagnostic names already.
func readExtended(path string) ([]byte, error) {
	path = filepath.FromSlash(path)
	f, err := openInput(path, maxInput, 0)
	var data []byte
	if err == nil {
		defer func() { _ = f.Close() }() // nothing was written to it
		data, err = io.ReadAll(io.LimitReader(f, maxInput+1))
	}
	if err == nil && len(data) > maxInput {
		err = tooLarge(path, maxInput)
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return data, err
}

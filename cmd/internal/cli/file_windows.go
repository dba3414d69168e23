package cli

import (
	"os"
	"path/filepath"
)

// pendingFile is a file that appears under its name when it is whole. The
// library that does this elsewhere does not support Windows, where a rename
// over an existing file is as near as one gets.
type pendingFile struct {
	*os.File
	path string
}

func newPendingFile(path string) (*pendingFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, err
	}
	return &pendingFile{f, path}, nil
}

func (f *pendingFile) replace() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), f.path)
}

// discard removes what was not replaced; after replace both calls fail and
// nothing happens.
func (f *pendingFile) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

//go:build !windows

package cli

import (
	"path/filepath"

	"github.com/google/renameio/v2"
)

// pendingFile is a file that appears under its name when it is whole.
type pendingFile struct{ *renameio.PendingFile }

func newPendingFile(path string) (pendingFile, error) {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o600))
	return pendingFile{f}, err
}

func (f pendingFile) replace() error { return f.CloseAtomicallyReplace() }

// discard removes what was not replaced; after replace it does nothing.
func (f pendingFile) discard() { _ = f.Cleanup() }

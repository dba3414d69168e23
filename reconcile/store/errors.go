package store

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotFound says that what was asked for was never kept.
var ErrNotFound = errors.New("not found in the store")

// ErrReadOnly says that the store can be read, and that it takes nothing.
var ErrReadOnly = errors.New("the store is read-only")

// HeadMovedError says that a journal does not end where the caller thought.
type HeadMovedError struct {
	Tenant      string
	Want, Found Head
}

func (e *HeadMovedError) Error() string {
	return fmt.Sprintf("the journal of tenant %s ends with entry %d, not with %d: another run has written to it", e.Tenant, e.Found.Seq, e.Want.Seq)
}

// ConflictError says that a snapshot was put by another since it was read.
type ConflictError struct{ Tenant, Name string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("what is remembered of tenant %s (%s) was changed by another run meanwhile", e.Tenant, e.Name)
}

// LeaseHeldError says who holds the lease of a tenant, and until when.
type LeaseHeldError struct {
	Tenant string
	Holder Holder
	Until  time.Time
}

func (e *LeaseHeldError) Error() string {
	return fmt.Sprintf("another run is writing to tenant %s: %s holds its lease until %s", e.Tenant, e.Holder.Name, e.Until.UTC().Format(time.RFC3339))
}

// LeaseLostError says that a lease is not in force any more.
type LeaseLostError struct {
	Tenant string
	// By is who has it now; its Name is empty where nobody does.
	By Holder
}

func (e *LeaseLostError) Error() string {
	if e.By.Name == "" {
		return fmt.Sprintf("the lease of tenant %s is lost", e.Tenant)
	}
	return fmt.Sprintf("the lease of tenant %s was taken over by %s", e.Tenant, e.By.Name)
}

// FileError says that a file is not a store that can be used: foreign, damaged,
// or of a newer version. It is left as it is.
type FileError struct{ Path, Why string }

func (e *FileError) Error() string {
	return fmt.Sprintf("%s cannot be used as a store: %s; it was left as it is", e.Path, e.Why)
}

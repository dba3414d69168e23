package simulator

import (
	"testing"
	"time"
)

func TestRestoreMailbox(t *testing.T) {
	made := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	tenant := NewTenant(Seed{Mailboxes: 10, Now: made})
	at := made.AddDate(0, 1, 0)
	New(tenant, WithClock(func() time.Time { return at }))
	var was Mailbox
	for was = range tenant.AllMailboxes() {
		break
	}
	if !tenant.RemoveMailbox(was.Guid) {
		t.Fatal("it cannot be removed")
	}
	tenant.RestoreMailbox(was)
	got, ok := tenant.Mailbox(was.Guid)
	if !ok || !got.Changed.Equal(at) || !got.Created.Equal(was.Created) || got.PrimarySMTPAddress != was.PrimarySMTPAddress {
		t.Errorf("restored %+v, was %+v", got, was)
	}
}

func TestSeedUnset(t *testing.T) {
	tenant := NewTenant(Seed{Mailboxes: 30, Unset: true})
	for m := range tenant.AllMailboxes() {
		if m.AuditEnabled != Unset {
			t.Fatalf("%s has stored %v", m.Alias, m.AuditEnabled)
		}
	}
}

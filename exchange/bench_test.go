package exchange

import (
	"strings"
	"testing"
)

// BenchmarkPage reads a page of 1000 mailboxes as they come with $select.
func BenchmarkPage(b *testing.B) {
	const row = `{"Guid@data.type":"System.Guid","Guid@odata.type":"#Guid","Guid":"9feb45ad-0000-0000-0000-000000000000",` +
		`"UserPrincipalName":"ann@contoso.com","RecipientTypeDetails":"UserMailbox","AuditEnabled":true,"AuditLogAgeLimit":"90.00:00:00",` +
		`"AuditAdmin@odata.type":"#Collection(String)","AuditAdmin":["Update","MoveToDeletedItems","SoftDelete","HardDelete","SendAs","SendOnBehalf","Create","UpdateFolderPermissions","UpdateInboxRules","UpdateCalendarDelegation","ApplyRecord","MailItemsAccessed","Send"],` +
		`"AuditOwner@odata.type":"#Collection(String)","AuditOwner":["Update","MoveToDeletedItems","SoftDelete","HardDelete","UpdateFolderPermissions","UpdateInboxRules","UpdateCalendarDelegation","ApplyRecord","MailItemsAccessed","Send"],` +
		`"DefaultAuditSet":["Admin","Delegate","Owner"]}`
	body := []byte(`{"value":[` + strings.Repeat(row+",", PageSize-1) + row + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	shared := names{}
	for b.Loop() {
		a, err := decodeAnswer(body)
		if err != nil {
			b.Fatal(err)
		}
		count := 0
		if err := rows(a, shared, mailboxProperty, func(Mailbox) bool { count++; return true }); err != nil || count != PageSize {
			b.Fatal(count, err)
		}
	}
}

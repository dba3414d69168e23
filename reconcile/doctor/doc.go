// Package doctor examines what a credential may do in a tenant, before the
// first run: whether there is a token and what it says, whether the service
// answers, which cmdlets and parameters its roles allow of those that a policy
// needs, and what stands in the way. For each gap it gives the commands that
// close it.
//
// What is needed is derived by reconcile.Needs. Cmdlets are looked up among
// those that the service exports to the caller (wire 1.7). Parameters of reads
// are tried by reading the beginning of what check would read; those of writes
// are probed on a mailbox that does not exist, which changes nothing
// (exchange.Client.ProbeParameters). Apart from the calls of Tenant it is a
// pure judgement of what it is handed.
//
// # Limits
//
// A probe tells something only of a service that binds parameters before it
// looks the identity up; of another it is unknown, and said to be. The
// parameters of Set-OrganizationConfig and Set-AdminAuditLogConfig have no safe
// probe, as these cmdlets have no object that could be absent. A role with a read scope hides mailboxes,
// which nothing here can see. Which management role holds a cmdlet is known for
// some cmdlets only (semantics 3, 4.5); for the others the query that tells is
// given, and no name.
package doctor

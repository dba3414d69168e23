package exchange

import "context"

// AdminAuditLog is the one row of Get-AdminAuditLogConfig. All but the first are
// read-only in Exchange Online (semantics 4.1).
type AdminAuditLog struct {
	UnifiedAuditLogIngestionEnabled Field[bool]
	AdminAuditLogEnabled            Field[bool]
	AdminAuditLogCmdlets            Field[[]string]
	AdminAuditLogParameters         Field[[]string]
	AdminAuditLogExcludedCmdlets    Field[[]string]
	AdminAuditLogAgeLimit           Field[string] // dd.hh:mm:ss
	LogLevel                        Field[string]
	TestCmdletLoggingEnabled        Field[bool]
	// Raw is the whole row as it came; nil where the read failed.
	Raw *RawRow
}

func adminAuditLogProperty(a *AdminAuditLog, name []byte) property {
	switch string(name) {
	case "UnifiedAuditLogIngestionEnabled":
		return &a.UnifiedAuditLogIngestionEnabled
	case "AdminAuditLogEnabled":
		return &a.AdminAuditLogEnabled
	case "AdminAuditLogCmdlets":
		return &a.AdminAuditLogCmdlets
	case "AdminAuditLogParameters":
		return &a.AdminAuditLogParameters
	case "AdminAuditLogExcludedCmdlets":
		return &a.AdminAuditLogExcludedCmdlets
	case "AdminAuditLogAgeLimit":
		return &a.AdminAuditLogAgeLimit
	case "LogLevel":
		return &a.LogLevel
	case "TestCmdletLoggingEnabled":
		return &a.TestCmdletLoggingEnabled
	default:
		return nil
	}
}

// AdminAuditLog reads the settings of the unified and the admin audit log, from
// where [Client.SetUnifiedAuditLog] writes them.
func (c *Client) AdminAuditLog(ctx context.Context) (AdminAuditLog, error) {
	o := c.invokeAuditLog(ctx, invocation{kind: read, cmdlet: cmdletGetAdminAuditLog})
	r := one(o, adminAuditLogProperty)
	if r.Err == nil {
		r.Value.Raw = o.raw()
	}
	return r.Value, r.Err
}

// SetUnifiedAuditLog turns the ingestion of the unified audit log on or off. The
// new value reads back at once; it can take an hour to be true (semantics 2.6).
// A tenant that is not hydrated gives an error for which [IsNotHydrated] holds.
func (c *Client) SetUnifiedAuditLog(ctx context.Context, enabled bool) Result[struct{}] {
	return c.invokeAuditLog(ctx, invocation{
		kind: write, cmdlet: cmdletSetAdminAuditLog, params: params{"UnifiedAuditLogIngestionEnabled": enabled},
	}).written()
}

// invokeAuditLog runs a cmdlet of the admin audit log by its own anchor. Where
// that backend says that it is the wrong one, and so has done nothing, the other
// anchor is tried once (semantics 9.14), and kept if its answer is a success to
// the last word.
func (c *Client) invokeAuditLog(ctx context.Context, v invocation) outcome {
	byHome := c.auditLogByHome.Load()
	v.anchor = auditLogAnchor()
	if byHome {
		v.anchor = organizationAnchor()
	}
	o := c.invoke(ctx, v)
	if _, err := o.answer(); err == nil && o.resp.anchor != v.anchor {
		c.auditLogByHome.Store(!byHome)
	}
	return o
}

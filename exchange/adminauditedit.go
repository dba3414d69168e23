package exchange

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// AdminAuditEdit is what one Set-AdminAuditLogConfig tries to change of the admin
// audit log; a zero field changes nothing. Exchange Online documents all of these
// as read-only (semantics 4.1).
type AdminAuditEdit struct {
	Enabled *bool
	// Cmdlets, Parameters and ExcludedCmdlets are lists of names with wildcards.
	Cmdlets, Parameters, ExcludedCmdlets *ListEdit
	// AgeLimit is a duration above zero, dd.hh:mm:ss: zero would purge the log.
	AgeLimit string
}

// SetAdminAuditLog tries to change the admin audit log. The cloud's cmdlet has no
// such parameters, so that the answer to be expected is an error for which
// [IsUnknownParameter] holds; one for which [IsRefused] holds means the same or the
// want of a role. Edits that change nothing end with [ErrInvalidCall], as does an
// exclusion of all cmdlets, and are not sent.
func (c *Client) SetAdminAuditLog(ctx context.Context, edit AdminAuditEdit) Result[struct{}] {
	p, err := edit.params()
	if err != nil {
		return Result[struct{}]{Err: err}
	}
	return c.invokeAuditLog(ctx, invocation{kind: write, cmdlet: cmdletSetAdminAuditLog, params: p}).written()
}

// params encodes the edit, or refuses it.
func (e AdminAuditEdit) params() (params, error) {
	p := params{}
	if e.Enabled != nil {
		p["AdminAuditLogEnabled"] = *e.Enabled
	}
	if e.AgeLimit != "" {
		if !isPositiveSpan(e.AgeLimit) {
			return nil, invalidCall(cmdletSetAdminAuditLog, "the age limit %q is not a duration above zero in the form dd.hh:mm:ss", e.AgeLimit)
		}
		p["AdminAuditLogAgeLimit"] = e.AgeLimit
	}
	for _, list := range []struct {
		name string
		edit *ListEdit
	}{
		{"AdminAuditLogCmdlets", e.Cmdlets},
		{"AdminAuditLogParameters", e.Parameters},
		{"AdminAuditLogExcludedCmdlets", e.ExcludedCmdlets},
	} {
		if list.edit == nil {
			continue
		}
		if err := list.edit.checkNames(list.name); err != nil {
			return nil, err
		}
		p[list.name] = list.edit.encode()
	}
	if e.ExcludedCmdlets != nil && slices.ContainsFunc(slices.Concat(e.ExcludedCmdlets.Add, e.ExcludedCmdlets.Replace), isEverything) {
		return nil, invalidCall(cmdletSetAdminAuditLog, "AdminAuditLogExcludedCmdlets may not name all cmdlets")
	}
	if len(p) == 0 {
		return nil, invalidCall(cmdletSetAdminAuditLog, "the edit changes nothing")
	}
	return p, nil
}

// checkNames refuses an edit that is empty or says two things at once.
func (l *ListEdit) checkNames(list string) error {
	all := slices.Concat(l.Add, l.Remove, l.Replace)
	if len(all) == 0 || slices.ContainsFunc(all, isBlank) {
		return invalidCall(cmdletSetAdminAuditLog, "the edit of %s names nothing, or something empty", list)
	}
	if l.Replace != nil && len(l.Add)+len(l.Remove) > 0 {
		return invalidCall(cmdletSetAdminAuditLog, "the edit of %s both replaces the list and changes it", list)
	}
	for _, added := range l.Add {
		if slices.ContainsFunc(l.Remove, func(removed string) bool { return sameAction(added, removed) }) {
			return invalidCall(cmdletSetAdminAuditLog, "the edit of %s both adds and removes %q", list, added)
		}
	}
	return nil
}

// isEverything tells a pattern of asterisks alone.
func isEverything(pattern string) bool { return strings.Trim(strings.TrimSpace(pattern), "*") == "" }

// IsUnknownParameter tells that the cmdlet was refused, and did nothing, because it
// has no such parameter or none of the caller's roles includes it: both look alike
// (wire 5.2, semantics 4.5).
func IsUnknownParameter(err error) bool {
	e, ok := asError(err)
	if !ok || e.Status != http.StatusBadRequest {
		return false
	}
	return strings.Contains(e.Message, "Invalid cmdlet parameters specified") ||
		strings.Contains(e.Message, "parameter cannot be found")
}

package exchange

import "testing"

// directoryCalls makes one call of each method about groups, permissions and the
// admin audit log, and hands on all that comes back.
func directoryCalls(t *testing.T, c *Client, see func(any)) {
	t.Helper()
	ctx := t.Context()
	see(c.GroupByID(ctx, []string{testGUID})[0].Err)
	see(c.MailboxPermissions(ctx, []string{testGUID})[0].Err)
	see(c.RecipientPermissionsByID(ctx, []string{testGUID})[0].Err)
	for _, kind := range []GroupKind{DistributionList, SecurityGroup, Microsoft365Group, DynamicList} {
		for row, err := range c.GroupMembers(ctx, Group{Guid: testGUID, Kind: kind}) {
			see(row)
			see(err)
		}
	}
	for row, err := range c.RecipientPermissions(ctx) {
		see(row)
		see(err)
	}
}

// complianceCalls makes one call of each method of a ComplianceClient.
func complianceCalls(t *testing.T, c *ComplianceClient, see func(any)) {
	t.Helper()
	ctx := t.Context()
	edit := RetentionEdit{Priority: 1, Duration: TenYears, Description: "d", RecordTypes: []string{"ExchangeItem"}, Operations: []string{"Send"}, UserIDs: []string{"a"}}
	policies, err := c.RetentionPolicies(ctx)
	see(policies)
	see(err)
	see(c.NewRetentionPolicy(ctx, "n", edit))
	see(c.SetRetentionPolicy(ctx, "n", edit))
	see(c.RemoveRetentionPolicy(ctx, "n"))
}

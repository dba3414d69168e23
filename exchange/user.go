package exchange

import "context"

// User is one row of Get-User: an account with or without a mailbox.
type User struct {
	Guid                      Field[string]
	ExchangeObjectID          Field[string]
	ExternalDirectoryObjectID Field[string]
	UserPrincipalName         Field[string]
}

func userProperty(u *User, name []byte) property {
	switch string(name) {
	case "Guid":
		return &u.Guid
	case "ExchangeObjectId":
		return &u.ExchangeObjectID
	case "ExternalDirectoryObjectId":
		return &u.ExternalDirectoryObjectID
	case "UserPrincipalName":
		return &u.UserPrincipalName
	default:
		return nil
	}
}

// Users reads up to [BatchSize] accounts in one HTTP request, each by a GUID or a
// user principal name. The results have the order of identities. An account that
// does not exist gives an error for which [IsNotFound] holds.
func (c *Client) Users(ctx context.Context, identities []string) []Result[User] {
	selected := []string{"Guid", "ExchangeObjectId", "ExternalDirectoryObjectId", "UserPrincipalName"}
	build := func(identity string) (invocation, error) {
		return invocation{
			params: params{"Identity": identity}, selected: selected, anchor: organizationAnchor(),
		}, checkIdentity(cmdletGetUser, identity)
	}
	judge := func(o outcome) Result[User] { return one(o, userProperty) }
	return batchOf(ctx, c, read, cmdletGetUser, identities, build, judge)
}

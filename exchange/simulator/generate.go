package simulator

import (
	"strconv"
	"strings"
	"time"
)

// systemFloor is how many system objects even a tiny tenant shows in the bypass
// listing: 242 rows were seen on a tenant of three mailboxes (wire 1.5).
const systemFloor = 239

// generator computes the objects a seed stands for. It holds no object.
type generator struct {
	seed Seed
	ids  mint
}

// draw is a repeatable random number for one question about one object.
func (g *generator) draw(kind idKind, n int, question uint64) uint64 {
	return mix(mix(g.seed.Seed+uint64(kind)<<40+question<<48) + uint64(n)*mixB) //nolint:gosec // n is an index, never negative
}

// chance says yes for the given share of objects.
func (g *generator) chance(kind idKind, n int, question uint64, share float64) bool {
	return float64(g.draw(kind, n, question)>>11)/(1<<53) < share
}

func (g *generator) count(kind idKind) int {
	switch kind {
	case kindOrdinary:
		return g.seed.Mailboxes
	case kindGroup:
		return g.seed.Groups
	case kindPublicFolder:
		return g.seed.PublicFolders
	case kindUser:
		return g.seed.Users
	case kindSystem:
		if g.seed.BypassPerMailbox < 0 {
			return 0
		}
		return max(systemFloor, int((g.seed.BypassPerMailbox-1)*float64(g.seed.Mailboxes)))
	}
	return 0
}

// mailbox computes mailbox n of a family.
func (g *generator) mailbox(kind idKind, n int) Mailbox {
	m := g.person(kind, n)
	m.Guid = g.ids.guid(kind, fieldGuid, n)
	m.ExchangeGuid = g.ids.guid(kind, fieldExchangeGuid, n)
	m.ExchangeObjectID = g.ids.guid(kind, fieldExchangeObject, n)
	if m.Type != typeDiscovery {
		m.ExternalDirectoryObjectID = g.ids.guid(kind, fieldEntra, n)
	}
	m.AgeLimit = defaultAgeLimit
	m.Managed = logonTypes()
	if coveredByDefault(m.Type) && m.Type != typeGroup {
		m.AuditEnabled = True
	}
	if m.Type == typeDiscovery {
		m.AuditEnabled = False
	}
	if g.seed.Unset && kind == kindOrdinary {
		m.AuditEnabled = Unset
	}
	m.Created, m.Changed = g.dates(kind, n)
	if kind == kindOrdinary && g.chance(kind, n, 1, g.seed.Drift) {
		drift(&m, g.draw(kind, n, 2))
	}
	return m
}

// person fills the names, the type and the licence of a mailbox.
func (g *generator) person(kind idKind, n int) Mailbox {
	number := strconv.Itoa(n)
	switch kind {
	case kindGroup:
		return g.named(typeGroup, "Project "+number, "project."+number)
	case kindPublicFolder:
		return g.named(typePublicFolder, "PublicFolders "+number, "publicfolders."+number)
	}
	switch g.ordinaryType(n) {
	case typeDiscovery:
		return g.discovery()
	case typeShared:
		return g.named(typeShared, "Team "+number, "team."+number)
	case typeRoom:
		return g.named(typeRoom, "Room "+number, "room."+number)
	case typeEquipment:
		return g.named(typeEquipment, "Projector "+number, "projector."+number)
	}
	first, last := g.names(kind, n)
	m := g.named(typeUser, first+" "+last, strings.ToLower(first+"."+last)+"."+number)
	m.Addresses = append(m.Addresses, "smtp:"+strings.ToLower(first[:1]+last)+"."+number+"@"+g.seed.Domain, "SIP:"+m.UserPrincipalName)
	m.Capabilities = []string{"BPOS_S_Standard"}
	if n%3 == 0 {
		m.Capabilities = []string{"BPOS_S_Enterprise", "M365Auditing", "M365AuditPlatform"}
	}
	m.Office = offices(g.draw(kind, n, 5))
	m.UsageLocation = "DE"
	return m
}

// ordinaryType spreads the types evenly: 17 of 20 users, two shared, one resource.
func (g *generator) ordinaryType(n int) string {
	if g.seed.Mailboxes >= 10 && n == g.seed.Mailboxes-1 {
		return typeDiscovery
	}
	switch n % 20 {
	case 5, 15:
		return typeShared
	case 9:
		if n/20%2 == 0 {
			return typeRoom
		}
		return typeEquipment
	}
	return typeUser
}

func (g *generator) named(recipientType, display, alias string) Mailbox {
	address := alias + "@" + g.seed.Domain
	return Mailbox{
		Type: recipientType, Name: display, DisplayName: display, Alias: alias,
		UserPrincipalName: address, PrimarySMTPAddress: address, Addresses: []string{"SMTP:" + address},
	}
}

// discovery is the one system mailbox that the ordinary listing shows (wire 1.5, fixture of 2026).
func (g *generator) discovery() Mailbox {
	const name = "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}"
	m := g.named(typeDiscovery, name, name)
	m.DisplayName = "Discovery Search Mailbox"
	return m
}

// user computes account n without a mailbox.
func (g *generator) user(n int) User {
	first, last := g.names(kindUser, n)
	return User{
		Guid:                      g.ids.guid(kindUser, fieldGuid, n),
		ExchangeObjectID:          g.ids.guid(kindUser, fieldExchangeObject, n),
		ExternalDirectoryObjectID: g.ids.guid(kindUser, fieldEntra, n),
		UserPrincipalName:         "svc-" + strings.ToLower(last) + "." + strconv.Itoa(n) + "@" + g.seed.Domain,
		Name:                      first + " " + last,
	}
}

// system computes row n of the system objects that dominate the bypass listing.
// Names are of three families and are not unique (semantics 3, wire 1.5).
func (g *generator) system(n int) Bypass {
	names := [...]string{
		"SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}", "SystemMailbox{2CE34405-31BE-455D-89D7-A7C7DA7A0DAA}",
		"TenantSetting_" + strconv.Itoa(n), "Asc-2X1-" + strconv.Itoa(n%7),
	}
	return Bypass{
		Guid:             g.ids.guid(kindSystem, fieldGuid, n),
		ExchangeObjectID: g.ids.guid(kindSystem, fieldExchangeObject, n),
		Name:             names[n%len(names)],
		System:           true,
	}
}

func (g *generator) dates(kind idKind, n int) (created, changed time.Time) {
	const window = 6 * 365 * 24 * time.Hour
	age := 30*24*time.Hour + time.Duration(g.draw(kind, n, 3)%uint64(window))
	quiet := 8*24*time.Hour + time.Duration(g.draw(kind, n, 4)%uint64(age-8*24*time.Hour)) //nolint:gosec // less than the age
	return g.seed.Now.Add(-age).Truncate(time.Second), g.seed.Now.Add(-quiet).Truncate(time.Second)
}

func (g *generator) names(kind idKind, n int) (first, last string) {
	firsts := [...]string{
		"Ann", "Ben", "Chloe", "David", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Liam",
		"Mona", "Nils", "Olga", "Paul", "Rosa", "Sven", "Tara", "Umut", "Vera", "Will", "Yara", "Zoe",
	}
	lasts := [...]string{
		"Adler", "Brandt", "Costa", "Dupont", "Ekberg", "Fischer", "Garcia", "Haddad", "Ivanov", "Jensen", "Keller",
		"Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Rossi", "Sato", "Tanaka", "Umarov", "Vogel", "Weber", "Young", "Zhang",
	}
	h := g.draw(kind, n, 6)
	return firsts[h%uint64(len(firsts))], lasts[h>>32%uint64(len(lasts))]
}

func offices(h uint64) string {
	towns := [...]string{"Berlin", "Lyon", "Oslo", ""}
	return towns[h%uint64(len(towns))]
}

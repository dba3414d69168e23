package reconcile_test

// faultRow says what comes of one kind of fault that lasts, site by site in the
// order of the sites: the exit status, or - where the kind cannot strike.
// check is run on a tenant that is in line, apply on one that drifts.
type faultRow struct {
	kind string
	// says is what the message has wherever the status is 1, 3 or 5, | between two
	// of which it has one; the cmdlet of the site, or its batch, is another.
	says string
	// same is why 0, 2 is right where the row has it.
	same string
	// never is why - is right where the row has it.
	never string
	// quiet marks what no call fails of: only the values tell, so the message
	// names the setting and not a cmdlet.
	quiet bool
	// moves marks what is no fault of the service: the tenant itself changes while
	// it is read, and the status, m, is right for before or for after.
	moves bool
	check string // org log box box+ sto sto+ grp pub byp byp+ usr bat rcp mem mem+ lnk dyn per per+ snd ful
	apply string // the same, then Org Log Sto Box Byp BaR BaW sOrg sLog sCus sByp sBox
}

const (
	neverItem   = "an item of a batch has no connection of its own"
	neverWhole  = "only an item of a batch can be missing from its batch"
	neverAlone  = "only a call of one cmdlet can say it, not the envelope of a batch"
	neverPage   = "only a further page of a listing has a cursor"
	neverList   = "only a listing has links"
	neverWrite  = "only a write can be refused so"
	neverRead   = "only a read gives rows"
	neverFilter = "only a call with a filter can ignore it"
	sameWritten = "the write was made, and is read back"
)

// faultRows is the table. A kind or a site that is not in it fails the test.
func faultRows() []faultRow {
	return []faultRow{
		{
			kind: "throttled", says: "HTTP 429",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "throttled without Retry-After", says: "HTTP 429",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "transient", says: "ADTransientException",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "bad gateway", says: "HTTP 502",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "unavailable", says: "HTTP 503",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "gateway timeout", says: "HTTP 504",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "request timeout", says: "HTTP 408",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "unauthenticated", says: "HTTP 401",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "refused", says: "HTTP 403",
			check: "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5",
			apply: "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5  3 3 3 3 3 5 5 5 5 5 5 5",
		},
		{
			kind: "challenged", says: "HTTP 401",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 3 3 3 3 3",
		},
		{
			kind: "needs proxy", says: "needs proxy",
			never: neverAlone,
			check: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3  3 3 3 3 3 - - 3 3 3 3 3",
		},
		{
			kind:  "no licence",
			same:  "2: what a mailbox has no licence for is unsupported, and counts with --strict (design section 4)",
			never: neverWrite,
			check: "- - - - - - - - - - - - - - - - - - - - -",
			apply: "- - - - - - - - - - - - - - - - - - - - -  - - - - - - - - - - - 2",
		},
		{
			kind: "not hydrated", says: "Enable-OrganizationCustomization",
			never: neverWrite,
			check: "- - - - - - - - - - - - - - - - - - - - -",
			apply: "- - - - - - - - - - - - - - - - - - - - -  - - - - - - - 3 3 - 3 3",
		},
		{
			kind:  "redirected to the region",
			same:  "the client goes to the region, and stays there (wire 1.7)",
			never: neverItem,
			check: "0 0 0 0 0 0 0 0 0 0 - 0 - 0 0 0 0 0 0 - -",
			apply: "0 0 0 0 0 0 0 0 0 0 - 0 - 0 0 0 0 0 0 - -  0 0 0 - - 0 0 0 0 0 - -",
		},
		{
			kind: "redirected elsewhere", says: "elsewhere.example",
			never: neverItem,
			check: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -",
			apply: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -  3 3 3 - - 3 3 3 3 3 - -",
		},
		{
			kind:  "slow",
			same:  "seconds are not long",
			check: "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
			apply: "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0  0 0 0 0 0 0 0 0 0 0 0 0",
		},
		{
			kind: "hangs", says: "no answer within the time",
			same:  "Set-OrganizationConfig is given 31 minutes (wire 1.7)",
			check: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3  3 3 3 3 3 3 3 0 3 3 3 3",
		},
		{
			kind: "body cut", says: "cut short or malformed",
			same:  sameWritten,
			never: neverItem,
			check: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -",
			apply: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -  3 3 3 - - 3 3 0 0 0 - -",
		},
		{
			kind: "body broken", says: "cut short or malformed",
			same:  sameWritten,
			never: neverItem,
			check: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -",
			apply: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -  3 3 3 - - 3 3 0 0 0 - -",
		},
		{
			kind: "connection dropped", says: "EOF",
			same:  sameWritten,
			never: neverItem,
			check: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -",
			apply: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -  3 3 3 - - 3 3 0 0 0 - -",
		},
		{
			kind:  "gzip that is none",
			same:  "the magic bytes decide, not the header (wire 1.7)",
			never: neverItem,
			check: "0 0 0 0 0 0 0 0 0 0 - 0 - 0 0 0 0 0 0 - -",
			apply: "0 0 0 0 0 0 0 0 0 0 - 0 - 0 0 0 0 0 0 - -  0 0 0 - - 0 0 0 0 0 - -",
		},
		{
			kind: "gzip damaged", says: "cut short or malformed",
			same:  sameWritten,
			never: neverItem,
			check: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -",
			apply: "3 3 3 3 3 3 3 3 3 3 - 3 - 3 3 3 3 3 3 - -  3 3 3 - - 3 3 0 0 0 - -",
		},
		{
			kind: "item dropped", says: "no answer to this call|no list of responses",
			same:  sameWritten,
			never: neverWhole,
			check: "- - - - - - - - - - 3 - 3 - - - - - - 3 3",
			apply: "- - - - - - - - - - 3 - 3 - - - - - - 3 3  - - - 3 3 - - - - - 0 0",
		},
		{
			kind: "item without status", says: "no answer to this call|no list of responses",
			same:  sameWritten,
			never: neverWhole,
			check: "- - - - - - - - - - 3 - 3 - - - - - - 3 3",
			apply: "- - - - - - - - - - 3 - 3 - - - - - - 3 3  - - - 3 3 - - - - - 0 0",
		},
		{
			kind: "cursor lost", says: "the page cursor is lost",
			never: neverPage,
			check: "- - - 3 - 3 - - - 3 - - - - 3 - - - 3 - -",
			apply: "- - - 3 - 3 - - - 3 - - - - 3 - - - 3 - -  - - - - - - - - - - - -",
		},
		{
			kind: "next link missing", says: "no link to them",
			never: neverList,
			check: "- - 3 3 3 3 3 3 3 3 - - - 3 3 3 3 3 3 - -",
			apply: "- - 3 3 3 3 3 3 3 3 - - - 3 3 3 3 3 3 - -  - - 3 - - - - - - - - -",
		},
		{
			kind: "next link repeated", says: "came twice",
			never: neverPage,
			check: "- - - 3 - 3 - - - 3 - - - - 3 - - - 3 - -",
			apply: "- - - 3 - 3 - - - 3 - - - - 3 - - - 3 - -  - - - - - - - - - - - -",
		},
		{
			kind: "next link foreign", says: "leads elsewhere",
			same:  "a listing of one page has no link",
			never: neverList,
			check: "- - 3 3 3 3 0 0 3 3 - - - 3 3 0 0 3 3 - -",
			apply: "- - 3 3 3 3 0 0 3 3 - - - 3 3 0 0 3 3 - -  - - 3 - - - - - - - - -",
		},
		{
			kind: "error inside", says: "Half of it could not be done.",
			same:  sameWritten,
			never: neverAlone,
			check: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3  3 3 3 3 3 - - 0 0 0 0 0",
		},
		{
			kind: "unknown warning", says: "an unknown warning",
			same:  "it is about a listing that a warning can say something is missing (design section 7)",
			never: neverAlone,
			check: "0 0 3 3 3 3 3 3 3 3 0 - 0 3 3 3 3 3 3 3 3",
			apply: "0 0 3 3 3 3 3 3 3 3 0 - 0 3 3 3 3 3 3 3 3  0 0 3 0 0 - - 0 0 0 0 0",
		},
		{
			kind: "null value", says: "has no value",
			same:  "a write answers so when it succeeds (wire 1.5)",
			never: neverAlone,
			check: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3  3 3 3 3 3 - - 0 0 0 0 0",
		},
		{
			kind: "absent value", says: "has no value",
			same:  "a write answers so when it succeeds (wire 1.5)",
			never: neverAlone,
			check: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3",
			apply: "3 3 3 3 3 3 3 3 3 3 3 - 3 3 3 3 3 3 3 3 3  3 3 3 3 3 - - 0 0 0 0 0",
		},
		{
			kind: "stale read", says: "accepted, but", quiet: true,
			same:  "nothing was written before the check; what a listing shows is not read back",
			never: neverRead,
			check: "0 0 0 0 0 0 0 0 0 0 0 - 0 0 0 0 0 0 0 0 0",
			apply: "3 3 0 0 3 3 0 0 0 0 0 - 0 0 0 0 0 0 0 0 0  3 3 3 3 3 - - - - - - -",
		},
		{
			kind: "duplicate row", says: "not exactly one object",
			same:  "a listing that names an object twice with equal values names one object",
			never: neverRead,
			check: "3 3 0 0 0 0 0 0 0 0 3 - 3 0 0 0 0 0 0 0 0",
			apply: "3 3 0 0 0 0 0 0 0 0 3 - 3 0 0 0 0 0 0 0 0  3 3 0 3 3 - - - - - - -",
		},
		{
			kind: "filter ignored", says: "the filter", quiet: true,
			never: neverFilter,
			check: "- - - - 3 3 - - - - - - - - - - - - - - -",
			apply: "- - - - 3 3 - - - - - - - - - - - - - - -  - - 3 - - - - - - - - -",
		},
		{
			kind: "mailbox created meanwhile", moves: true,
			never: neverAlone,
			check: "m m m m m m m m m m m - m m m m m m m m m",
			apply: "m m m m m m m m m m m - m m m m m m m m m  m m m m m - - m m m m m",
		},
		{
			kind: "mailbox renamed meanwhile", moves: true,
			never: neverAlone,
			check: "m m m m m m m m m m m - m m m m m m m m m",
			apply: "m m m m m m m m m m m - m m m m m m m m m  m m m m m - - m m m m m",
		},
		{
			kind: "mailbox deleted meanwhile", moves: true,
			never: neverAlone,
			check: "m m m m m m m m m m m - m m m m m m m m m",
			apply: "m m m m m m m m m m m - m m m m m m m m m  m m m m m - - m m m m m",
		},
		{
			kind: "account created meanwhile", moves: true,
			never: neverAlone,
			check: "m m m m m m m m m m m - m m m m m m m m m",
			apply: "m m m m m m m m m m m - m m m m m m m m m  m m m m m - - m m m m m",
		},
	}
}

package report

// The shapes below are the part of SARIF 2.1.0 that is written, in the standard's own
// names; they fix the order of the fields.

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	StartTimeUTC        string              `json:"startTimeUtc,omitempty"`
	EndTimeUTC          string              `json:"endTimeUtc,omitempty"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Descriptor sarifReference `json:"descriptor"`
	Level      string         `json:"level"`
	Message    sarifMessage   `json:"message"`
}

type sarifReference struct {
	ID string `json:"id"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifDetails struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name          string            `json:"name"`
	Version       string            `json:"version,omitempty"`
	Rules         []sarifDescriptor `json:"rules"`
	Notifications []sarifDescriptor `json:"notifications"`
}

type sarifDescriptor struct {
	ID               string              `json:"id"`
	Name             string              `json:"name,omitempty"`
	ShortDescription *sarifMessage       `json:"shortDescription,omitempty"`
	FullDescription  *sarifMessage       `json:"fullDescription,omitempty"`
	Help             *sarifMessage       `json:"help,omitempty"`
	Default          *sarifConfiguration `json:"defaultConfiguration,omitempty"`
	Properties       *sarifRuleBag       `json:"properties,omitempty"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

// sarifRuleBag holds what GitHub reads of a rule beside the standard.
type sarifRuleBag struct {
	Tags             []string `json:"tags"`
	Precision        string   `json:"precision"`
	SecuritySeverity string   `json:"security-severity"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           *int               `json:"ruleIndex,omitempty"`
	Kind                string             `json:"kind"`
	Level               string             `json:"level"`
	Message             sarifMessage       `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	OccurrenceCount     int                `json:"occurrenceCount,omitempty"`
	PartialFingerprints sarifFingerprints  `json:"partialFingerprints"`
	Suppressions        []sarifSuppression `json:"suppressions"`
	Properties          sarifResultBag     `json:"properties"`
}

// sarifFingerprints names the fingerprint as we do and as GitHub does, which looks at
// no other name.
type sarifFingerprints struct {
	Finding string `json:"exoauditFinding/v1,omitempty"`
	Group   string `json:"exoauditGroup/v1,omitempty"`
	Primary string `json:"primaryLocationLineHash"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
}

type sarifLogical struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

type sarifResultBag struct {
	Standing string   `json:"standing"`
	Severity string   `json:"severity"`
	Fate     string   `json:"fate"`
	Result   string   `json:"result,omitempty"`
	Counts   bool     `json:"counts"`
	Why      string   `json:"why,omitempty"`
	Controls []string `json:"controls,omitempty"`
	Findings int      `json:"findings,omitempty"`
}

// sarifRunBag is what a run says of itself beside the standard. Fixed counts what an
// applied run has found and mended, which is among the results no more.
type sarifRunBag struct {
	Verdict      string `json:"verdict"`
	Headline     string `json:"headline"`
	Complete     bool   `json:"complete"`
	Scope        string `json:"scope"`
	RunID        string `json:"runId"`
	Tenant       string `json:"tenant"`
	Policy       string `json:"policy"`
	PolicyDigest string `json:"policyDigest"`
	Counting     int    `json:"counting"`
	Below        int    `json:"below"`
	Accepted     int    `json:"accepted"`
	Fixed        int    `json:"fixed"`
	Unknown      int    `json:"unknown"`
	Aggregated   bool   `json:"aggregated"`
}

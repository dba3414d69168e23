package policy

import (
	"embed"
	"strings"
)

// builtInPrefix stands before a baseline's name where a file's name would stand.
const builtInPrefix = "builtin:"

// BuiltInFile gives what stands for the file of a baseline in positions.
func BuiltInFile(name string) string { return builtInPrefix + name }

// IsBuiltIn tells a baseline by what stands for its file.
func IsBuiltIn(file string) bool { return strings.HasPrefix(file, builtInPrefix) }

// BaselineInfo describes a built-in policy.
type BaselineInfo struct {
	// Name is what extends says. A baseline never changes what it asks for under
	// its name.
	Name string
	// Title is one line for people.
	Title string
	// Source says what it is taken from.
	Source string
}

//go:embed baselines/*.yaml
var baselineFiles embed.FS

// Baselines gives the built-in policies in a fixed order: Microsoft's own, then
// published ones by publisher and version.
func Baselines() []BaselineInfo {
	return []BaselineInfo{
		{
			"microsoft-default", "what Microsoft switches on by itself, kept that way",
			"Microsoft Purview, audit-mailboxes, and the default sets as of April 2025",
		},
		{
			"defaults-plus", "Microsoft's defaults and the further actions of CIS, less MailboxLogin",
			"the difference between CIS Microsoft 365 Foundations v7.0.0 6.1.2 and Microsoft's defaults",
		},
		{
			"cis-m365-4.0-e3", "CIS Microsoft 365 Foundations v4.0, profile E3",
			"CIS Microsoft 365 Foundations Benchmark v4.0: 3.1.1, 6.1.1, 6.1.2, 6.1.4",
		},
		{
			"cis-m365-4.0-e5", "CIS Microsoft 365 Foundations v4.0, profile E5",
			"CIS Microsoft 365 Foundations Benchmark v4.0: 3.1.1, 6.1.1, 6.1.3, 6.1.4",
		},
		{
			"cis-m365-7.0", "CIS Microsoft 365 Foundations v7.0",
			"CIS Microsoft 365 Foundations Benchmark v7.0.0: 3.1.1, 6.1.1, 6.1.2, 6.1.3",
		},
		{
			"cisa-scuba", "CISA SCuBA secure configuration baselines",
			"CISA ScubaGear, August 2026: MS.EXO.13.1v1, MS.SECURITYSUITE.5.1v1",
		},
		{
			"whitepaper-2016", "a 2016 white paper on privileged operations and mailbox access, in today's terms",
			"the white paper's requirements as they map to Exchange Online today",
		},
	}
}

// Baseline gives the text of a built-in policy, in the language of policy files.
// False means that there is none of that name.
func Baseline(name string) ([]byte, bool) {
	for _, b := range Baselines() {
		if b.Name == name {
			data, err := baselineFiles.ReadFile("baselines/" + name + ".yaml")
			return data, err == nil
		}
	}
	return nil, false
}

func baselineNames() []string {
	var list []string
	for _, b := range Baselines() {
		list = append(list, b.Name)
	}
	return list
}

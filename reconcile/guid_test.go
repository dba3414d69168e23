package reconcile

import "testing"

func TestGUID(t *testing.T) {
	for text, want := range map[string]string{
		"9feb45ad-1234-4abc-8def-0123456789ab":   "9feb45ad-1234-4abc-8def-0123456789ab",
		"9FEB45AD-1234-4ABC-8DEF-0123456789AB":   "9feb45ad-1234-4abc-8def-0123456789ab",
		"{9feb45ad-1234-4abc-8def-0123456789ab}": "9feb45ad-1234-4abc-8def-0123456789ab",
		"00000000-0000-0000-0000-000000000000":   "",
		"":                                       "",
		"9feb45ad12344abc8def0123456789ab":       "",
		"9feb45ad-1234-4abc-8def-0123456789ag":   "",
		"ann@contoso.com":                        "",
	} {
		g, ok := parseGUID(text)
		if ok != (want != "") || ok && g.String() != want {
			t.Errorf("parseGUID(%q) = %v, %t; want %q", text, g, ok, want)
		}
	}
}

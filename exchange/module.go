package exchange

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// The module file is no cmdlet; errors and traces name it by its action.
const (
	actionModuleFile = "EXOModuleFile"
	// moduleVersion is one that the service was seen to answer (wire 1.3).
	moduleVersion = "3.9.2"
)

// moduleFile is one file of the module that the service makes for its caller.
type moduleFile struct {
	ExportedCmdlets Field[string]
}

func moduleFileProperty(f *moduleFile, name []byte) property {
	if string(name) == "exportedCmdlets" {
		return &f.ExportedCmdlets
	}
	return nil
}

// ExportedCmdlets returns the cmdlets that the service exports to the caller, and
// so those that its roles include, sorted and each once (wire 1.7). It ends with an
// [IncompleteError] where the answer names no list of them; a list may be empty.
func (c *Client) ExportedCmdlets(ctx context.Context) ([]string, error) {
	resp, err := c.do(ctx, c.newSession(), c.moduleFileCall())
	a, err := outcome{cmdlet: actionModuleFile, resp: resp, err: err}.answer()
	if err != nil {
		return nil, err
	}
	var cmdlets []string
	listed := false
	err = rows(a, nil, moduleFileProperty, func(f moduleFile) bool {
		list, ok := f.ExportedCmdlets.Get()
		listed = listed || ok
		for name := range strings.SplitSeq(list, ",") {
			if name = clean(name); name != "" {
				cmdlets = append(cmdlets, name)
			}
		}
		return true
	})
	if err != nil {
		return nil, &IncompleteError{Cmdlet: actionModuleFile, Reason: ReasonTruncated, Err: err}
	}
	if !listed {
		return nil, &IncompleteError{Cmdlet: actionModuleFile, Reason: ReasonNoValue}
	}
	slices.Sort(cmdlets)
	return slices.Compact(cmdlets), nil
}

// moduleFileCall asks v1.0, the only version that makes the file (wire 1.1).
func (c *Client) moduleFileCall() call {
	return call{
		kind:    read,
		cmdlet:  actionModuleFile,
		cmdlets: []string{actionModuleFile},
		method:  http.MethodGet,
		path:    "/adminapi/v1.0/" + c.endpoint.tenant + "/" + actionModuleFile,
		query:   "Version=" + moduleVersion,
		anchor:  organizationAnchor(),
		prefer:  preferPage,
		header:  map[string]string{"CommandName": "*"},
		sound:   soundRead(actionModuleFile),
		id:      newID(),
		timeout: c.timeoutOf(actionModuleFile),
	}
}

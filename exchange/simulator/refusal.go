package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// spelling is how details[0].message is written (wire 5.1): three ways, one per cmdlet here.
type spelling uint8

const (
	spellIDTypeText spelling = iota // Ex6F9304|Full.Exception.Type|text
	spellTypeText                   // |Full.Exception.Type|text
	spellJSON                       // {"Message":…,"TypeName":…} as a string
	spellNoDetails                  // only internalexception says what happened
	spellUnmodelled                 // a plain 501 of this package's own
	spellNulBytes                   // the 403 of an unknown or unauthorised cmdlet
	spellEmptyBody                  // a bare status
	spellHTML                       // a page of the front door
)

// Exception types of the known cases (wire 5.2, semantics 1.3).
const (
	typeNotFound      = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
	typeAmbiguous     = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException"
	typeParameterSet  = "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException"
	typeTransform     = "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException"
	typeRecipientTask = "Microsoft.Exchange.Management.RecipientTasks.RecipientTaskException"
	typeDehydrated    = "Microsoft.Exchange.Configuration.Common.InvalidOperationInDehydratedContextException"
	typeNeedsProxy    = "Microsoft.Exchange.AdminApi.CommandInvocation.CmdletProxyNotAvailableException"
	typeTransient     = "Microsoft.Exchange.Data.Directory.ADTransientException"
	typeSystem        = "System.Exception"
)

const (
	messageBinding = "Invalid Operation"
	messageCmdlet  = "Error executing cmdlet"
)

// apiError is an answer that is not a success.
type apiError struct {
	status   int
	message  string // error.message, which is always generic.
	category string // details[0].code.
	target   string
	kind     string // Exception type.
	text     string
	spelling spelling
	header   http.Header
}

func bindingError(kind, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, message: messageBinding, category: "Client", kind: kind, text: fmt.Sprintf(format, args...), spelling: spellNoDetails}
}

// cmdletError is thrown by the cmdlet itself and spelled as the cmdlet spells.
func (c *call) cmdletError(kind, target, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, message: messageCmdlet, category: "Context", target: target,
		kind: kind, text: fmt.Sprintf(format, args...), spelling: c.cmdlet.spelling,
	}
}

func (c *call) notFound(identity string) *apiError {
	err := c.cmdletError(typeNotFound, identity, "The operation couldn't be performed because object '%s' couldn't be found on '%s'.", identity, controllerOf(c.backend))
	err.status = http.StatusNotFound
	return err
}

func (c *call) ambiguous(identity string) *apiError {
	return c.cmdletError(typeAmbiguous, identity, "The operation couldn't be performed because '%s' matches multiple entries.", identity)
}

func parameterSetError(names ...string) *apiError {
	err := bindingError(typeParameterSet, "Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. %s", strings.Join(names, ", "))
	err.spelling = spellTypeText
	return err
}

// notHydrated is E7 of semantics 1.3.
func (c *call) notHydrated() *apiError {
	return c.cmdletError(typeDehydrated, "", "The command you tried to run isn't currently allowed in your organization. To run this command, you first need to run the command: Enable-OrganizationCustomization.")
}

// needsProxy is E8 of semantics 1.3: the anchor led to a server that cannot do it.
func needsProxy(current, required string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, message: messageCmdlet, category: "Context", kind: typeNeedsProxy, spelling: spellTypeText,
		text: "Cmdlet needs proxy. Current Server FQDN : " + controllerOf(current) + ", Required Server FQDN : " + controllerOf(required),
	}
}

func unmodelled(format string, args ...any) *apiError {
	return &apiError{status: http.StatusNotImplemented, text: fmt.Sprintf(format, args...), spelling: spellUnmodelled}
}

// refusedCmdlet is the 403 of an unknown or unauthorised cmdlet: thousands of NUL
// bytes, declared to be gzip (wire 5.2).
func refusedCmdlet() *apiError {
	return &apiError{status: http.StatusForbidden, spelling: spellNulBytes, header: http.Header{
		"Content-Encoding": {"gzip"}, "Content-Type": {"application/octet-stream"},
	}}
}

func (e *apiError) code() string {
	switch e.status {
	case http.StatusNotFound:
		return "NotFound"
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusInternalServerError:
		return "InternalServerError"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailable"
	case http.StatusRequestTimeout:
		return "RequestTimeout"
	case http.StatusUnauthorized:
		return "Unauthorized"
	case http.StatusNotImplemented:
		return "NotImplemented"
	case http.StatusForbidden:
		return "Forbidden"
	}
	return "BadRequest"
}

// Wire shapes of 5.1.
type errorBody struct {
	Error errorEnvelope `json:"error"`
}

type errorEnvelope struct {
	Code         string        `json:"code"`
	Message      string        `json:"message"`
	Details      []errorDetail `json:"details,omitempty"`
	Inner        *innerError   `json:"innererror,omitempty"`
	WarningsType string        `json:"adminapi.warnings@odata.type,omitempty"`
	Warnings     []string      `json:"@adminapi.warnings,omitzero"`
}

type errorDetail struct {
	Code    string `json:"code"`
	Target  string `json:"target"`
	Message string `json:"message"`
}

type innerError struct {
	Message    string      `json:"message"`
	Type       string      `json:"type"`
	StackTrace string      `json:"stacktrace"`
	Internal   *innerError `json:"internalexception,omitempty"`
}

// body renders the error; the empty slice is an empty body.
func (e *apiError) body() []byte {
	switch e.spelling {
	case spellEmptyBody:
		return []byte{}
	case spellNulBytes:
		return make([]byte, 4096)
	case spellHTML:
		return []byte("<html><head><title>" + e.text + "</title></head><body>" + e.text + "</body></html>")
	case spellUnmodelled:
		return marshal(errorBody{errorEnvelope{Code: "NotImplemented", Message: "The simulator does not model this: " + e.text}})
	}
	envelope := errorEnvelope{
		Code: e.code(), Message: e.message, WarningsType: "#Collection(String)", Warnings: []string{},
		Inner: &innerError{Message: e.message, Type: "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", Internal: &innerError{Message: e.text, Type: e.kind}},
	}
	if e.spelling != spellNoDetails {
		envelope.Details = []errorDetail{{Code: e.category, Target: e.target, Message: e.detail()}}
	}
	if e.message == messageCmdlet && e.spelling != spellNoDetails {
		const thrown = "Microsoft.Exchange.AdminApi.CommandInvocation.DirectInvokeCmdletExecutionException"
		envelope.Inner.Internal = &innerError{Message: "Exception of type '" + thrown + "' was thrown.", Type: thrown}
	}
	return marshal(errorBody{envelope})
}

func (e *apiError) detail() string {
	switch e.spelling {
	case spellIDTypeText:
		return fmt.Sprintf("Ex%06X|%s|%s", hashText(e.kind+e.text)&0xffffff, e.kind, e.text)
	case spellJSON:
		return string(marshal(struct {
			Message    string
			TypeName   string
			StackTrace *string
			InnerError *string
		}{Message: e.text, TypeName: e.kind}))
	}
	return "|" + e.kind + "|" + e.text
}

// marshal renders values that cannot fail: strings, numbers and what this package builds of them.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte(`{"error":{"code":"InternalServerError","message":"the simulator could not encode its answer"}}`)
	}
	return b
}

//go:build !unix

package cli

// outlivePipes has nothing to do where a closed pipe is an ordinary error.
func outlivePipes() (stop func()) { return func() {} }

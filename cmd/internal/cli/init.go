package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// newInit builds the command that drafts a policy from a tenant.
func newInit(a *app) *cobra.Command {
	var on target
	var out string
	cmd := &cobra.Command{
		Use:   "init [--out FILE]",
		Short: "Draft a policy from what a tenant has",
		Long: `init reads the tenant and drafts a policy: it extends the built-in baseline that
the tenant is nearest to, asks for what the tenant does beyond it, and accepts
what falls short and each bypass for 90 days, marked TODO, so that a first check
with it is in line and a weakened tenant does not become the norm. It writes
nothing to the tenant, and never over a file. Exit status: 0 drafted, 1 the
tenant could not be read whole, 4 wrong flags, 5 no token or not allowed.`,
		Example: `  exoaudit init --out policy.yaml
  exoaudit validate policy.yaml`,
		Args: noArguments,
	}
	a.out.bind(cmd, "text", "json")
	on.bind(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the policy to a new `FILE` (mode 0600: it names mailboxes) and a summary to standard output")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.settle(cmd); err != nil {
			return err
		}
		target, err := a.newFile(out)
		if err != nil {
			return err
		}
		d, err := a.draft(cmd.Context(), on)
		if err != nil {
			return err
		}
		return a.showDraft(d, out, target)
	}
	return cmd
}

// newFile makes sure, before anything is sent, that the file can be written and
// is not there: a policy that people have written must not be lost. Nor can it
// be another file of this command then.
func (a *app) newFile(out string) (string, error) {
	if out == "" {
		return "", nil
	}
	if _, err := os.Lstat(out); err == nil {
		return "", invalid("--out %s is there already; name another file, or move that one away", report.Line(out))
	}
	var settled string
	err := a.settleClaims([]claim{{flag: "--out", path: out, use: replaces, settled: &settled}})
	return settled, err
}

func (a *app) draft(ctx context.Context, on target) (*reconcile.Draft, error) {
	conn, err := a.connect(ctx, on)
	if err != nil {
		return nil, err
	}
	defer conn.idle()
	d, err := reconcile.NewDraft(ctx, conn.client, reconcile.DraftRequest{Now: a.env.Now, Tenant: conn.tenant})
	if found, ok := errors.AsType[policy.Diagnostics](err); ok {
		return nil, noReport("the draft is not a valid policy, which is a mistake of this program: %s", found.Error())
	}
	return d, err
}

// showDraft writes the policy to the file, and the summary to standard output;
// without a file the policy is the result, and the summary a notice.
func (a *app) showDraft(d *reconcile.Draft, out, target string) error {
	if out != "" {
		err := writeFile(target, func(w io.Writer) error {
			_, err := d.WriteTo(w)
			return err
		})
		if err != nil {
			return err
		}
	}
	var err error
	switch {
	case a.out.format == "json":
		err = report.WriteDraft(a.Out, d)
	case out != "":
		err = report.WriteDraftSummary(a.Out, d, out)
	default:
		if _, err = d.WriteTo(a.Out); err == nil && !a.out.quiet {
			err = report.WriteDraftSummary(a.Err, d, "FILE")
		}
	}
	if err != nil {
		return noReport("cannot write the result: %w", err)
	}
	return nil
}

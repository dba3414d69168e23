package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/reconcile/report"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// recorded says where the record of past runs is: in the store, or in a file. No
// credential is needed to read it.
type recorded struct {
	target target
	state  string
	from   string
}

func (r *recorded) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.target.tenant, "tenant", "", "tenant `ID`, a GUID or an onmicrosoft.com domain (AZURE_TENANT_ID; default: the only one in the store)")
	f.StringVar(&r.target.cloud, "cloud", "worldwide", "where the GUID of a domain is asked for: worldwide, gcc, gcc-high, dod, china, or custom")
	f.StringVar(&r.target.endpoint, "endpoint", "", "`URL` of the admin API of a custom cloud (EXOAUDIT_ENDPOINT); nothing is sent to it")
	f.StringVar(&r.target.caFile, "ca-file", "", "PEM `FILE` with more certificate authorities (EXOAUDIT_CA_FILE)")
	bindState(cmd, &r.state)
	f.StringVar(&r.from, "from", "", "read this journal `FILE`, as apply --journal writes it, and no store; it may hold any tenant")
}

// journalFile opens the file of --from.
func (r *recorded) journalFile() (*os.File, error) {
	f, err := openInput(r.from, maxJournal, 0)
	if err != nil {
		return nil, fileProblem("--from", err)
	}
	return f, nil
}

// openPast opens the store for reading, and finds out whose record is meant.
func (a *app) openPast(ctx context.Context, r *recorded) (store.Store, string, error) {
	if path, err := a.storePath(r.state); err == nil && path == "" {
		return nil, "", invalid("--state none keeps no record; name a store, or a journal with --from FILE")
	}
	st, err := a.openStore(ctx, r.state, true)
	if err != nil {
		return nil, "", err
	}
	if st == nil {
		return nil, "", invalid("there is no state folder (no home folder is set); name a store with --state, or a journal with --from FILE")
	}
	tenant, err := a.pastTenant(ctx, r.target, st)
	if err != nil {
		return nil, "", errors.Join(err, st.Close())
	}
	return st, tenant, nil
}

// pastTenant gives the GUID of the tenant that is meant. One of which nothing is
// kept is a mistake of whoever asks, not a record without entries.
func (a *app) pastTenant(ctx context.Context, t target, st store.Store) (string, error) {
	kept, err := st.Tenants(ctx)
	if err != nil {
		return "", noReport("reading the tenants in %s: %w", st.Describe(), err)
	}
	if t.tenant == "" {
		switch len(kept) {
		case 0:
			return "", invalid("%s holds no record of any tenant", report.Line(st.Describe()))
		case 1:
			return kept[0], nil
		}
		return "", invalid("%s holds the record of %d tenants, so --tenant is needed: %s",
			report.Line(st.Describe()), len(kept), report.Line(strings.Join(kept, ", ")))
	}
	tenant, err := a.resolveTenant(ctx, t)
	if err != nil {
		return "", err
	}
	for _, k := range kept {
		if strings.EqualFold(k, tenant) {
			return k, nil
		}
	}
	return "", invalid("%s holds no record of tenant %s", report.Line(st.Describe()), tenant)
}

// resolveTenant gives the GUID of a tenant; that of a domain is asked for, without
// a credential.
func (a *app) resolveTenant(ctx context.Context, t target) (string, error) {
	cfg := auth.Config{}
	if strings.Contains(t.tenant, ".") {
		at, err := a.place(t)
		if err != nil {
			return "", err
		}
		transport, err := a.transport(t.caFile)
		if err != nil {
			return "", err
		}
		web := &http.Client{Transport: transport}
		defer web.CloseIdleConnections()
		cfg.HTTPClient, cfg.Authority, cfg.CustomAuthority = web, at.authority, at.custom
	}
	tenant, err := cfg.ResolveTenant(ctx, t.tenant)
	if err != nil {
		return "", fmt.Errorf("--tenant: %w", err)
	}
	return tenant, nil
}

package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func ExampleService_RoundTripper() {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
	client := &http.Client{Transport: simulator.New(tenant).RoundTripper()}
	body := `{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{"ResultSize":"Unlimited"}}}`
	req, err := http.NewRequest(http.MethodPost, "https://outlook.office365.com/adminapi/beta/"+tenant.ID()+"/InvokeCommand?$select=AuditEnabled,AuditLogAgeLimit", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", "Bearer any")
	res, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var page struct {
		Value []struct {
			AuditEnabled     bool
			AuditLogAgeLimit string
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Value)
	// Output: [{true 90.00:00:00} {true 90.00:00:00} {true 90.00:00:00}]
}

package simulator

import (
	"net"
	"slices"
	"strings"
)

// Hosts of a region (wire 1.7): the front door redirects to the internal one, which nobody
// outside can reach; what stands for it in public is another.
const (
	internalHosts = ".admin.protection.outlook.com"
	regionalHosts = ".outlook.office365.com"
	defaultRegion = "eur01b"
)

// region is the first label of the host that a [DoRegional] redirects to.
func (f *Fault) region() string {
	if f.Host == "" {
		return defaultRegion
	}
	return f.Host
}

// isRegional says whether a host is the public one of the fault's region.
func (f *Fault) isRegional(host string) bool {
	return strings.EqualFold(hostName(host), f.region()+regionalHosts)
}

// misdirected says whether a request came to a host that does not answer: an internal one,
// or with [WithHosts] one that was not named and is not the public host of a region that
// the service redirects to.
func (s *Service) misdirected(host string) bool {
	if strings.HasSuffix(strings.ToLower(hostName(host)), internalHosts) {
		return true
	}
	return len(s.hosts) > 0 && !containsFold(s.hosts, host) && !s.faults.redirectsTo(host)
}

// redirectsTo says whether a fault sends callers to a regional host, or did before it was
// disarmed: a client may have learned the host.
func (i *injector) redirectsTo(host string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.ContainsFunc(i.regions, func(region string) bool { return strings.EqualFold(hostName(host), region+regionalHosts) })
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

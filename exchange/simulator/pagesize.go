package simulator

// WithPageSize serves pages of at most n rows, whatever Prefer asks for: odata.maxpagesize
// is what a client would take at most, and a service may send less.
func WithPageSize(n int) Option { return func(s *Service) { s.pageMost = n } }

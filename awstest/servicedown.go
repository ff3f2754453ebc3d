package awstest

// ServiceDown tells whether every call to a service in a region is made to
// fail with the service's own error for being down, as by [Cloud.FailService].
// Models ask it before they do what a service does by itself, such as to
// replicate an object.
func (tx *Tx) ServiceDown(service string, region *Region) bool {
	c := tx.cloud
	e := c.services[service]
	for _, f := range c.faults {
		everything := Match{Service: f.match.Service, Region: f.match.Region, Skip: f.match.Skip}
		if e == nil || f.match != everything || f.seen < f.match.Skip || f.effect.reject == nil {
			continue
		}
		here := (f.match.Service == "" || f.match.Service == service) && (f.match.Region == "" || f.match.Region == region.name)
		if here && f.effect.reject(e.spec) == e.spec.Unavailable {
			return true
		}
	}
	return false
}

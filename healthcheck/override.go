package healthcheck

// Override is what a person has decided about a target, beside what its checks say. It goes on being checked.
type Override uint8

const (
	// NoOverride lets the checks decide. It is the zero Override.
	NoOverride Override = iota
	// OverrideHealthy gives the target traffic, whatever its checks say.
	OverrideHealthy
	// OverrideUnhealthy gives it none, unless the pool fails open.
	OverrideUnhealthy
	// OverrideDrain gives it none, also when the pool fails open.
	OverrideDrain
)

// String returns "no_override", as Elastic Load Balancing spells it, "healthy", "unhealthy" or "drain".
func (o Override) String() string {
	switch o {
	case NoOverride:
		return "no_override"
	case OverrideHealthy:
		return "healthy"
	case OverrideUnhealthy:
		return "unhealthy"
	case OverrideDrain:
		return "drain"
	}
	return "invalid"
}

// MarshalText returns String, so that an override reads the same in JSON and in logs.
func (o Override) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

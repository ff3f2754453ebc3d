package awstest

import "reflect"

// Match selects calls. Zero fields select everything.
type Match struct {
	Service   string // SDK service ID, such as "EC2"
	Operation string // such as "AssociateAddress"
	Region    string

	// Resource selects calls whose input has this string anywhere in it: an
	// ID, an ARN, a name.
	Resource string

	// Caller selects calls made by clients of this instance's Config.
	Caller string

	// Skip lets that many matching calls pass first; Times ends the fault
	// after it has struck that often. Zero Times strikes until healed.
	Skip, Times int

	// Probability that a matching call is struck, drawn from Options.Seed.
	// Zero strikes every one.
	Probability float64
}

func (c *Cloud) checkMatch(m Match) error {
	bad := func(field string, value any, rule string) error {
		return &FieldError{Field: "Match." + field, Value: value, Rule: rule}
	}
	switch {
	case m.Service == "" && m.Operation != "":
		return bad("Operation", m.Operation, "needs a Service")
	case m.Skip < 0:
		return bad("Skip", m.Skip, "must not be negative")
	case m.Times < 0:
		return bad("Times", m.Times, "must not be negative")
	case !(m.Probability >= 0 && m.Probability <= 1):
		return bad("Probability", m.Probability, "must be from 0 to 1")
	}
	if m.Region != "" && c.regions[m.Region] == nil {
		return bad("Region", m.Region, "is not a region of this cloud")
	}
	if m.Service != "" {
		e, ok := c.services[m.Service]
		if !ok {
			return bad("Service", m.Service, "is not a service of this cloud")
		}
		if e.spec.Global && m.Region != "" && m.Region != globalHome {
			return bad("Region", m.Region, "is not where "+m.Service+" is, which is global: "+globalHome)
		}
		if _, ok := e.ops[m.Operation]; !ok && m.Operation != "" {
			return bad("Operation", m.Operation, "is not modelled by "+m.Service)
		}
	}
	return nil
}

// selects tells whether a call is of the kind that m describes.
func (m *Match) selects(r *Record) bool {
	return (m.Service == "" || m.Service == r.Service) &&
		(m.Operation == "" || m.Operation == r.Operation) &&
		(m.Region == "" || m.Region == r.Region) &&
		(m.Caller == "" || m.Caller == r.Caller) &&
		(m.Resource == "" || mentions(reflect.ValueOf(r.Input), m.Resource))
}

// mentions tells whether a string stands anywhere in an input.
func mentions(v reflect.Value, s string) bool {
	switch v.Kind() {
	case reflect.String:
		return v.String() == s
	case reflect.Pointer:
		return !v.IsNil() && mentions(v.Elem(), s)
	case reflect.Interface:
		return !v.IsNil() && isUnion(v.Elem().Type()) && mentions(v.Elem(), s)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if mentions(v.Index(i), s) {
				return true
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if mentions(k, s) || mentions(v.MapIndex(k), s) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && mentions(v.Field(i), s) {
				return true
			}
		}
	}
	return false
}

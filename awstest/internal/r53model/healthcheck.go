package r53model

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// HealthCheck is a health check. It is a value: a change makes a new one.
type HealthCheck struct {
	ID        string
	Reference string // the caller's
	Version   int64
	Config    Config
	Alarm     *cwmodel.AlarmSpec // as it was when the configuration was written
	Tags      map[string]string
}

// reference is what is known of a caller reference.
type reference struct {
	id      string
	deleted time.Time // zero while the health check is there
}

// remembered is how long a caller reference of a deleted health check is known.
// AWS says "a number of days".
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html (read 2026-11)
const remembered = 7 * 24 * time.Hour

const (
	maxReference = 64
	maxTags      = 10

	// maxHealthChecks is the quota of an account.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html (read 2026-11)
	maxHealthChecks = 200
)

// Create makes a health check, or returns the one that was made by the same
// reference and configuration.
func (m *Model) Create(tx *awstest.Tx, call *awstest.Call, ref string, config Config) (*HealthCheck, error) {
	if ref == "" || utf8.RuneCountInString(ref) > maxReference {
		return nil, invalid("CallerReference must have from 1 to %d characters", maxReference)
	}
	config.SetDefaults()
	if known, ok := m.references[ref]; ok && (known.deleted.IsZero() || tx.Now().Sub(known.deleted) < remembered) {
		if hc, ok := m.checks.Get(tx.Now(), known.id); ok && hc.Config.Equal(&config) {
			return hc, nil
		}
		e := awstest.Errorf("HealthCheckAlreadyExists", "A health check with the caller reference %s has been created with other settings, or been deleted", ref)
		e.Status = 409
		return nil, e
	}
	alarm, err := m.admit(tx, call, &config, Given{Children: true, Alarm: true})
	if err != nil {
		return nil, err
	}
	if m.Count(tx.Now()) >= maxHealthChecks {
		return nil, awstest.Errorf("TooManyHealthChecks", "This account has reached the limit of %d health checks", maxHealthChecks)
	}
	hc := &HealthCheck{ID: newID(tx), Reference: ref, Version: 1, Config: config.clone(), Alarm: alarm}
	m.checks.Put(tx.Now(), hc.ID, hc)
	m.references[ref] = reference{id: hc.ID}
	m.watch(tx, hc, nil)
	return hc, nil
}

// Given is what of a configuration a call has given: only that is held against
// what else there is. A child may have been deleted since it was given.
type Given struct{ Children, Alarm bool }

// admit holds a configuration against the rules, and against what else there
// is. It returns the alarm that the configuration names, if it was given.
func (m *Model) admit(tx *awstest.Tx, call *awstest.Call, c *Config, given Given) (*cwmodel.AlarmSpec, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	for _, id := range c.Children {
		child, ok := m.checks.Get(tx.Now(), id)
		switch {
		case !given.Children:
		case !ok:
			return nil, invalid("The child health check %s does not exist", id)
		case child.Config.Type == Calculated:
			return nil, call.NotModelled("a calculated health check of calculated ones")
		}
	}
	if c.Type != Metric || !given.Alarm {
		return nil, nil
	}
	return m.copyAlarm(tx, call, c)
}

// Update changes a health check. A version of zero changes any.
func (m *Model) Update(tx *awstest.Tx, call *awstest.Call, id string, version int64, given Given, change func(*Config) error) (*HealthCheck, error) {
	hc, ok := m.checks.Get(tx.Now(), id)
	if !ok {
		return nil, noSuch(id)
	}
	if version != 0 && version != hc.Version {
		e := awstest.Errorf("HealthCheckVersionMismatch", "The health check %s has version %d, and not %d", id, hc.Version, version)
		e.Status = 409
		return nil, e
	}
	config := hc.Config.clone()
	if err := change(&config); err != nil {
		return nil, err
	}
	if (config.Address == "") != (hc.Config.Address == "") {
		return nil, invalid("IPAddress can be changed, but neither added nor removed")
	}
	alarm, err := m.admit(tx, call, &config, given)
	if err != nil {
		return nil, err
	}
	next := *hc
	next.Version, next.Config = hc.Version+1, config
	if alarm != nil {
		next.Alarm = alarm
	}
	m.checks.Put(tx.Now(), id, &next)
	m.watch(tx, &next, hc)
	return &next, nil
}

// Delete deletes a health check. Nothing hinders that: a calculated health
// check that counts on it goes on without.
func (m *Model) Delete(tx *awstest.Tx, id string) error {
	hc, ok := m.checks.Get(tx.Now(), id)
	if !ok {
		return noSuch(id)
	}
	m.checks.Delete(tx.Now(), id)
	m.references[hc.Reference] = reference{id: id, deleted: tx.Now()}
	m.unwatch(tx, id)
	return nil
}

// HealthCheck returns a health check as of a moment.
func (m *Model) HealthCheck(at time.Time, id string) (*HealthCheck, error) {
	if hc, ok := m.checks.Get(at, id); ok {
		return hc, nil
	}
	return nil, noSuch(id)
}

// HealthChecks returns the health checks as of a moment, in the order of their
// creation.
func (m *Model) HealthChecks(at time.Time) (all []*HealthCheck) {
	for _, hc := range m.checks.All(at) {
		all = append(all, hc)
	}
	return all
}

// Count returns how many health checks there are as of a moment.
func (m *Model) Count(at time.Time) int64 { return int64(len(m.HealthChecks(at))) }

// Tag changes the tags of a health check.
func (m *Model) Tag(tx *awstest.Tx, id string, add map[string]string, remove []string) error {
	hc, ok := m.checks.Get(tx.Now(), id)
	if !ok {
		return noSuch(id)
	}
	tags := map[string]string{}
	for k, v := range hc.Tags {
		if !slices.Contains(remove, k) {
			tags[k] = v
		}
	}
	for k, v := range add {
		if slices.Contains(remove, k) {
			return invalid("The tag %s cannot be added and removed at once", k)
		}
		tags[k] = v
	}
	if len(tags) > maxTags {
		return invalid("A health check has at most %d tags", maxTags)
	}
	next := *hc
	next.Tags = tags
	m.checks.Put(tx.Now(), id, &next)
	return nil
}

package elbmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// Settings are what can be changed of a load balancer: its attributes.
type Settings struct {
	CrossZone  bool // load_balancing.cross_zone.enabled
	ZonalShift bool // zonal_shift.config.enabled
}

// Settings returns the attributes of a load balancer as of a moment.
func (r *Region) Settings(at time.Time, b *LoadBalancer) Settings {
	s, _ := r.settings.Get(at, b.ARN)
	return s
}

// ModifySettings changes the attributes of a load balancer.
// Source: the SDK's comment on LoadBalancerAttribute (read 2026-11)
func (r *Region) ModifySettings(tx *awstest.Tx, b *LoadBalancer, s Settings) error {
	if b.Type == Application && !s.CrossZone {
		return awstest.Errorf("InvalidConfigurationRequest", "Load balancer attribute 'load_balancing.cross_zone.enabled' of an Application Load Balancer cannot be changed")
	}
	r.settings.Put(tx.Now(), b.ARN, s)
	r.model.shift.Refresh(tx, r.region, b.ARN) // an autoshift may hold for it now
	return nil
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/awscall"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/preset"
	"github.com/awsha/awsha/snapshot"
)

// site is a service that is to leave a zone, as a file describes it.
type site struct {
	Region  string   `json:"region"`
	Service string   `json:"service"`
	Zone    string   `json:"zone"` // that is left, by its ID
	Shifts  []string `json:"shifts,omitempty"`
	Groups  []group  `json:"groups,omitempty"`
	Singles []single `json:"singles,omitempty"`
}

// group is an Auto Scaling group.
type group struct {
	Name  string   `json:"name"`
	Count int      `json:"count"` // instances that are lost with the zone
	Zones []string `json:"zones"` // where to launch as many, by their IDs
}

// single is an instance of which there is only one.
type single struct {
	Name      string            `json:"name"`
	Instance  string            `json:"instance"`
	Image     string            `json:"image"`
	Types     []string          `json:"types"`
	Subnets   []string          `json:"subnets"`
	Tags      map[string]string `json:"tags,omitempty"`
	Volumes   []volume          `json:"volumes,omitempty"`
	Addresses []string          `json:"addresses,omitempty"`
	Targets   []string          `json:"target_groups,omitempty"`

	probe preset.Probe // nil: nobody can ask it
}

// volume is restored from its newest snapshot.
type volume struct {
	ID     string           `json:"id"`
	MaxAge string           `json:"max_age"` // of the snapshot
	Policy *snapshot.Policy `json:"policy"`  // that has taken it

	maxAge time.Duration
}

// read reads a description, and tells all that is wrong with it. A field that is not known is a mistake.
func read(data []byte) (*site, error) {
	var s site
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, &usageError{"the site:", err.Error()}
	}
	var errs []error
	need := func(ok bool, what, rule string) {
		if !ok {
			errs = append(errs, &usageError{"the site: " + what, rule})
		}
	}
	need(s.Region != "", "region", "must be given")
	need(s.Service != "", "service", "must be given")
	need(s.Zone != "", "zone", "must be given: the ID of the zone to leave")
	for i := range s.Singles {
		for j := range s.Singles[i].Volumes {
			v, what := &s.Singles[i].Volumes[j], fmt.Sprintf("singles[%d].volumes[%d]", i, j)
			var err error
			v.maxAge, err = time.ParseDuration(v.MaxAge)
			need(err == nil && v.maxAge > 0, what+".max_age", `must be a duration such as "1h"`)
			need(v.Policy != nil, what+".policy", "must be given: what has taken the snapshots")
		}
	}
	return &s, errors.Join(errs...)
}

// describe is a site to begin with.
func describe() ([]byte, error) {
	return json.MarshalIndent(&site{
		Region: "us-east-1", Service: "orders", Zone: "use1-az1",
		Shifts: []string{"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/front/0123456789abcdef"},
		Groups: []group{{Name: "web", Count: 2, Zones: []string{"use1-az2", "use1-az4"}}},
		Singles: []single{{
			Name: "ledger", Instance: "i-0123456789abcdef0", Image: "ami-0123456789abcdef0", Types: []string{"m7g.large", "m7i.large"},
			Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}, Addresses: []string{"eipalloc-0123456789abcdef0"},
			Volumes: []volume{{ID: "vol-0123456789abcdef0", MaxAge: "1h", Policy: &snapshot.Policy{
				Name: "ledger", Region: "us-east-1", Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{"vol-0123456789abcdef0"}}},
			}}},
		}},
	}, "", "  ")
}

// plan is the evacuation of the site. cfg is of the clients that its steps call, whose calls are in the timeline.
func (s *site) plan(cfg aws.Config) failover.Plan {
	awscall.Record(&cfg)
	e := preset.Evacuation{Service: s.Service, Zone: failover.Literal(s.Zone), Shifts: s.Shifts}
	for _, g := range s.Groups {
		one := preset.Group{Name: g.Name, Count: g.Count}
		for _, zone := range g.Zones {
			one.Zones = append(one.Zones, failover.Literal(zone))
		}
		e.Groups = append(e.Groups, one)
	}
	for i := range s.Singles {
		e.Instances = append(e.Instances, s.Singles[i].describe())
	}
	return preset.ZoneEvacuation(preset.APIs{
		EC2: ec2.NewFromConfig(cfg), ELB: elbv2.NewFromConfig(cfg), AutoScaling: autoscaling.NewFromConfig(cfg), ZonalShift: arczonalshift.NewFromConfig(cfg),
		Snapshots: func(string) snapshot.Clients { return snapshot.Clients{EC2: ec2.NewFromConfig(cfg)} },
	}, e)
}

func (s *single) describe() preset.Single {
	one := preset.Single{
		Name: s.Name, Instance: failover.Literal(s.Instance), Addresses: s.Addresses, Probe: s.probe,
		Launch: ec2step.LaunchSpec{Image: failover.Literal(s.Image), Types: s.Types, Subnets: s.Subnets, Tags: s.Tags},
	}
	for _, v := range s.Volumes {
		one.Volumes = append(one.Volumes, preset.Backup{ID: v.ID, Policy: v.Policy, MaxAge: v.maxAge})
	}
	for _, arn := range s.Targets {
		one.Targets = append(one.Targets, preset.TargetGroup{ARN: arn})
	}
	return one
}

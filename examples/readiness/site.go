package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/preset"
)

// site is what a file describes: fleets of instances that carry a load together, and one instance of which there is only one.
type site struct {
	Region  string  `json:"region"`
	Service string  `json:"service"`
	Fleets  []fleet `json:"fleets"`
	Single  single  `json:"single"`
}

type fleet struct {
	Name         string            `json:"name"`
	Tags         map[string]string `json:"tags"`
	Needed       int               `json:"needed"`
	Types        []string          `json:"types,omitempty"`
	Reservations []string          `json:"reservations,omitempty"`
}

type single struct {
	Instance     string        `json:"instance"`
	Image        string        `json:"image"`
	Types        []string      `json:"types"`
	Subnets      []string      `json:"subnets"`
	Zone         string        `json:"zone,omitempty"`
	Volumes      []string      `json:"volumes,omitempty"`
	Addresses    []string      `json:"addresses,omitempty"`
	Targets      []targetGroup `json:"target_groups,omitempty"`
	Reservations []string      `json:"reservations,omitempty"`
}

type targetGroup struct {
	ARN  string `json:"arn"`
	Port uint16 `json:"port,omitempty"`
}

// read reads a description. A field that is not known is a mistake.
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
	for i, f := range s.Fleets {
		need(f.Name != "", fmt.Sprintf("fleets[%d].name", i), "must be given")
		need(len(f.Tags) > 0, fmt.Sprintf("fleets[%d].tags", i), "must be given: an instance with all of them is one of the fleet")
		need(f.Needed >= 0, fmt.Sprintf("fleets[%d].needed", i), "must not be negative")
	}
	need(s.Single.Instance != "", "single.instance", "must be given")
	return &s, errors.Join(errs...)
}

// describe is a site to begin with.
func describe() string {
	text, err := json.MarshalIndent(site{
		Region: "us-east-1", Service: "orders",
		Fleets: []fleet{{Name: "web", Tags: map[string]string{"app": "web"}, Needed: 4, Types: []string{"m7g.large"}}},
		Single: single{
			Instance: "i-0123456789abcdef0", Image: "ami-0123456789abcdef0", Types: []string{"m7g.large", "m7i.large"}, Subnets: []string{"subnet-0123456789abcdef0"},
			Zone: "use1-az1", Volumes: []string{"vol-0123456789abcdef0"}, Addresses: []string{"eipalloc-0123456789abcdef0"},
			Targets: []targetGroup{{ARN: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/db/0123456789abcdef"}},
		},
	}, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *site) fleets() []ec2step.Fleet {
	all := make([]ec2step.Fleet, len(s.Fleets))
	for i, f := range s.Fleets {
		all[i] = ec2step.Fleet{Name: f.Name, Tags: f.Tags, Needed: f.Needed, Types: f.Types, Reservations: f.Reservations}
	}
	return all
}

// plan replaces the single instance.
func (p *place) plan() failover.Plan {
	one := &p.site.Single
	r := preset.Replacement{
		Service: p.site.Service, Failed: failover.Literal(one.Instance), Volumes: one.Volumes, Addresses: one.Addresses,
		Launch: ec2step.LaunchSpec{Image: failover.Literal(one.Image), Types: one.Types, Subnets: one.Subnets, Reservations: one.Reservations},
	}
	if one.Zone != "" {
		r.Zone = failover.Literal(one.Zone)
	}
	for _, t := range one.Targets {
		r.Targets = append(r.Targets, preset.TargetGroup{ARN: t.ARN, Port: t.Port})
	}
	return preset.ReplaceInstance(p.ec2, p.elb, r)
}

// Package ec2model is what EC2, Auto Scaling and the load balancers of
// awstest have in common: subnets, network interfaces, addresses, instances,
// volumes and launch templates. It knows no SDK client; its errors are EC2's own.
//
// Every function takes the cloud's lock in the form of a *awstest.Tx. Reads
// name the moment as of which they are served; changes look at the present.
package ec2model

import (
	"net/netip"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

// Model is EC2 in every region of a cloud.
type Model struct {
	opts     Options
	keys     *kmsmodel.Model
	regions  map[*awstest.Region]*Region
	local    map[*awstest.Region][]*awstest.Zone
	publicIP netip.Addr // the one that was allocated last
	onState  []func(*awstest.Tx, *Region, Instance)
	onStatus []func(*awstest.Tx, *Region, Instance, bool)
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	keys := kmsmodel.Of(r)
	return awstest.Shared(r, func(*awstest.Cloud) *Model {
		return &Model{
			keys:     keys,
			opts:     defaults(),
			regions:  map[*awstest.Region]*Region{},
			local:    map[*awstest.Region][]*awstest.Zone{},
			publicIP: firstPublic,
		}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is EC2 in a region, with a default VPC that has a subnet in each
// zone and an internet gateway, as a new account has it.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html (read 2026-11)
type Region struct {
	model   *Model
	region  *awstest.Region
	vpc     VPC
	subnets []*Subnet

	interfaces *history.Table[string, Interface]
	addresses  *history.Table[string, Address]
	instances  *history.Table[string, Instance]
	volumes    *history.Table[string, Volume]
	gateways   *history.Table[string, Gateway]
	snapshots  *history.Table[string, Snapshot]

	reservations *history.Table[string, Reservation]
	reserved     []ReservedInstances

	groups       *history.Table[string, SecurityGroup]
	defaultGroup string
	madeGroups   map[string]bool // also those that have been deleted

	templates        *history.Table[string, LaunchTemplate]
	templateNames    *history.Table[string, string] // to ID
	templateVersions *history.Table[versionKey, TemplateVersion]

	allocated    int               // addresses
	associations map[string]string // association to allocation, also those that have ended
	attachments  map[string]string // attachment to interface
	tokens       map[token]remembered
	mounts       int // of volumes, so far
	stalls       map[string]*stall
	marks        map[*awstest.Zone][]*ZoneMark
	impaired     map[string]bool // running instances, by what was told of their status checks

	snapped       map[string]time.Time // volumes, by when a snapshot was asked for last
	snapping      map[string]int       // how many snapshots of a volume count as being made
	making        map[string]string    // those snapshots, and their volumes
	pending       int                  // snapshots of volumes, also those that have been deleted
	ended         map[string]bool      // sets that failed before their time, by their first
	heldSnapshots int                  // in any state
	bases         map[baseOf]string    // the last snapshot that was completed
	copyJobs      map[string]*copyJob  // by snapshot
	copies        map[string][]*copyJob
	copying       int // copies that are of no image

	images       *history.Table[string, Image]
	imageNames   map[string]string // to ID
	imageOf      map[string]string // by snapshot
	imageCopies  int               // under way
	deregistered map[string]bool
}

// Region returns EC2 in a region.
func (m *Model) Region(tx *awstest.Tx, r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model:      m,
		region:     r,
		vpc:        VPC{ID: tx.NewID("vpc"), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, 0, 0}), 16)},
		interfaces: history.NewTable[string, Interface](awstest.Memory),
		addresses:  history.NewTable[string, Address](awstest.Memory),
		instances:  history.NewTable[string, Instance](awstest.Memory),
		volumes:    history.NewTable[string, Volume](awstest.Memory),
		gateways:   history.NewTable[string, Gateway](awstest.Memory),
		snapshots:  history.NewTable[string, Snapshot](awstest.Memory),
		images:     history.NewTable[string, Image](awstest.Memory),

		reservations: history.NewTable[string, Reservation](awstest.Memory),

		groups:     history.NewTable[string, SecurityGroup](awstest.Memory),
		madeGroups: map[string]bool{},

		templates:        history.NewTable[string, LaunchTemplate](awstest.Memory),
		templateNames:    history.NewTable[string, string](awstest.Memory),
		templateVersions: history.NewTable[versionKey, TemplateVersion](awstest.Memory),

		associations: map[string]string{},
		attachments:  map[string]string{},
		tokens:       map[token]remembered{},
		impaired:     map[string]bool{},
		stalls:       map[string]*stall{},
		marks:        map[*awstest.Zone][]*ZoneMark{},

		imageNames:   map[string]string{},
		imageOf:      map[string]string{},
		deregistered: map[string]bool{},

		snapped:  map[string]time.Time{},
		snapping: map[string]int{},
		making:   map[string]string{},
		ended:    map[string]bool{},
		bases:    map[baseOf]string{},
		copyJobs: map[string]*copyJob{},
		copies:   map[string][]*copyJob{},
	}
	available := r.Zones()
	for i, z := range append(available, m.local[r]...) {
		region.subnets = append(region.subnets, &Subnet{
			ID: tx.NewID("subnet"), VPC: region.vpc.ID, Zone: z, Default: i < len(available),
			Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(16 * i), 0}), 20),
			taken:  map[netip.Addr]string{},
		})
	}
	gateway := Gateway{ID: tx.NewID("igw"), VPC: region.vpc.ID}
	region.gateways.Put(time.Time{}, gateway.ID, gateway) // it has always been there, to reads of the past too
	region.addDefaultGroup(tx)
	m.regions[r] = region
	return region
}

// change replaces a value of a table, which must be there, by a changed copy.
// All changes go this way, so that none is made to a copy that is out of date.
func change[V any](tx *awstest.Tx, t *history.Table[string, V], id string, edit func(*V)) V {
	v, _ := t.Get(tx.Now(), id)
	edit(&v)
	t.Put(tx.Now(), id, v)
	return v
}

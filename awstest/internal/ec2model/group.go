package ec2model

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// SecurityGroup is a security group of the VPC.
type SecurityGroup struct {
	ID, Name, Description string
	Ingress, Egress       []Rule
	Tags                  Tags
}

// Rule is what a security group allows: a protocol, its ports, and one peer.
type Rule struct {
	Protocol    string // a name, a number, or -1 for all
	Ports       Ports
	Peer        string // a range of addresses, or the ID of a group
	Description string
}

// Ports are a range of ports, or a type and a code of ICMP.
type Ports struct {
	Given    bool
	From, To int32
}

// same tells whether a rule is another one, whatever its description.
func (a Rule) same(b Rule) bool {
	a.Description, b.Description = "", ""
	return a == b
}

// everything is the rule that allows all, to or from anybody.
var everything = Rule{Protocol: "-1", Peer: "0.0.0.0/0"}

// The default group of a VPC, which cannot be deleted, as accounts show it.
const (
	defaultGroupName        = "default"
	defaultGroupDescription = "default VPC security group"
)

// groupsPerInterface is how many security groups an interface may have, by AWS's default. The page of the quotas,
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups, could not be read to confirm it.
const groupsPerInterface = 5

// addDefaultGroup makes the default group, which has always been there. AWS's lets in only what comes from its own members; this one lets everything in.
func (r *Region) addDefaultGroup(tx *awstest.Tx) {
	g := SecurityGroup{
		ID: tx.NewID("sg"), Name: defaultGroupName, Description: defaultGroupDescription, Ingress: []Rule{everything}, Egress: []Rule{everything},
	}
	r.defaultGroup = g.ID
	r.madeGroups[g.ID] = true
	r.groups.Put(time.Time{}, g.ID, g)
}

// SecurityGroup returns a security group as of a moment.
func (r *Region) SecurityGroup(at time.Time, id string) (SecurityGroup, error) {
	if g, ok := r.groups.Get(at, id); ok {
		return g, nil
	}
	return SecurityGroup{}, noGroup(id)
}

// SecurityGroupNamed returns the security group of a name as of a moment.
func (r *Region) SecurityGroupNamed(at time.Time, name string) (SecurityGroup, error) {
	for _, g := range r.groups.All(at) {
		if strings.EqualFold(g.Name, name) {
			return g, nil
		}
	}
	return SecurityGroup{}, awstest.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC '%s'", name, r.vpc.ID)
}

func noGroup(id string) error {
	return awstest.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
}

// SecurityGroups yields the security groups as of a moment.
func (r *Region) SecurityGroups(at time.Time) iter.Seq2[string, SecurityGroup] {
	return r.groups.All(at)
}

// CreateSecurityGroup makes a group that lets nothing in and everything out.
func (r *Region) CreateSecurityGroup(tx *awstest.Tx, name, description string, tags Tags) (SecurityGroup, error) {
	if strings.EqualFold(name, defaultGroupName) {
		return SecurityGroup{}, awstest.Errorf("InvalidParameterValue", "Cannot use reserved security group name: %s", name)
	}
	if _, err := r.SecurityGroupNamed(tx.Now(), name); err == nil {
		return SecurityGroup{}, awstest.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, r.vpc.ID)
	}
	g := SecurityGroup{ID: tx.NewID("sg"), Name: name, Description: description, Egress: []Rule{everything}, Tags: tags}
	r.madeGroups[g.ID] = true
	r.groups.Put(tx.Now(), g.ID, g)
	return g, nil
}

// DeleteSecurityGroup deletes a group that no interface has and no other group names.
func (r *Region) DeleteSecurityGroup(tx *awstest.Tx, id string) error {
	if _, err := r.SecurityGroup(tx.Now(), id); err != nil {
		return err
	}
	if id == r.defaultGroup {
		return awstest.Errorf("CannotDelete", "the specified group: \"%s\" name: \"%s\" cannot be deleted by a user", id, defaultGroupName)
	}
	dependent := awstest.Errorf("DependencyViolation", "resource %s has a dependent object", id)
	for _, n := range r.interfaces.All(tx.Now()) {
		if slices.Contains(n.Groups, id) {
			return dependent
		}
	}
	for _, g := range r.groups.All(tx.Now()) {
		if g.ID != id && slices.ContainsFunc(slices.Concat(g.Ingress, g.Egress), func(rule Rule) bool { return rule.Peer == id }) {
			return dependent
		}
	}
	r.groups.Delete(tx.Now(), id)
	return nil
}

// Authorize adds rules to a group, for what comes in or for what goes out: all of them, or none.
func (r *Region) Authorize(tx *awstest.Tx, id string, egress bool, rules []Rule) error {
	g, err := r.SecurityGroup(tx.Now(), id)
	if err != nil {
		return err
	}
	has := slices.Clone(*g.side(egress))
	for _, rule := range rules {
		if strings.HasPrefix(rule.Peer, "sg-") {
			if _, err := r.SecurityGroup(tx.Now(), rule.Peer); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(has, rule.same) {
			return awstest.Errorf("InvalidPermission.Duplicate", "the specified rule \"peer: %s, protocol: %s\" already exists", rule.Peer, rule.Protocol)
		}
		has = append(has, rule)
	}
	r.setRules(tx, id, egress, has)
	return nil
}

// Revoke takes rules from a group, and returns those that it did not have.
func (r *Region) Revoke(tx *awstest.Tx, id string, egress bool, rules []Rule) (unknown []Rule, err error) {
	g, err := r.SecurityGroup(tx.Now(), id)
	if err != nil {
		return nil, err
	}
	has := slices.Clone(*g.side(egress))
	for _, rule := range rules {
		n := slices.IndexFunc(has, rule.same)
		if n < 0 {
			unknown = append(unknown, rule)
			continue
		}
		has = slices.Delete(has, n, n+1)
	}
	r.setRules(tx, id, egress, has)
	return unknown, nil
}

// side returns the rules for what comes in, or those for what goes out.
func (g *SecurityGroup) side(egress bool) *[]Rule {
	if egress {
		return &g.Egress
	}
	return &g.Ingress
}

func (r *Region) setRules(tx *awstest.Tx, id string, egress bool, rules []Rule) {
	change(tx, r.groups, id, func(g *SecurityGroup) { *g.side(egress) = rules })
	for _, n := range r.interfaces.All(tx.Now()) {
		if slices.Contains(n.Groups, id) {
			r.wire(tx, n)
		}
	}
}

// SetGroupTags replaces the tags of a security group.
func (r *Region) SetGroupTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.groups, id, func(g *SecurityGroup) { g.Tags = tags })
}

// launchGroups returns the IDs of the groups that a new interface is to have. What nobody has ever made is passed over, so that tests need not make the
// groups that their programs name; without any other, it is the default group.
func (r *Region) launchGroups(tx *awstest.Tx, names []string) (ids []string, err error) {
	for _, name := range names {
		id := name
		if g, err := r.SecurityGroupNamed(tx.Now(), name); err == nil {
			id = g.ID
		}
		if !r.madeGroups[id] {
			continue
		}
		if _, err := r.SecurityGroup(tx.Now(), id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return []string{r.defaultGroup}, nil
	}
	return someGroups(ids)
}

// someGroups returns each group once, unless they are too many for an interface.
func someGroups(ids []string) ([]string, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) > groupsPerInterface {
		return nil, awstest.Errorf("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	return ids, nil
}

// SetInterfaceGroups replaces the security groups of an interface. The code for a group that is not there is the one that accounts answer to interfaces.
// Source: https://github.com/hashicorp/terraform/issues/3372 (read 2026-11)
func (r *Region) SetInterfaceGroups(tx *awstest.Tx, id string, groups []string) error {
	if _, err := r.own(tx, id); err != nil {
		return err
	}
	for _, g := range groups {
		if _, ok := r.groups.Get(tx.Now(), g); !ok {
			return awstest.Errorf("InvalidSecurityGroupID.NotFound", "The securityGroup ID '%s' does not exist", g)
		}
	}
	groups, err := someGroups(groups)
	if err == nil {
		r.setGroups(tx, id, groups)
	}
	return err
}

// SetInstanceGroups replaces the security groups of an instance that has one interface.
// Source: https://github.com/hashicorp/terraform/pull/14299 (read 2026-11), as accounts answer
func (r *Region) SetInstanceGroups(tx *awstest.Tx, id string, groups []string) error {
	i, err := r.Instance(tx.Now(), id)
	if err != nil {
		return err
	}
	switch attached := r.Attached(tx.Now(), i); {
	case len(attached) > 1:
		return awstest.Errorf("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", id)
	case len(attached) == 0: // AWS documents no code
		return awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a valid state for this operation.", id)
	default:
		for _, g := range groups {
			if _, err := r.SecurityGroup(tx.Now(), g); err != nil {
				return err
			}
		}
		if groups, err = someGroups(groups); err == nil {
			r.setGroups(tx, attached[0].ID, groups)
		}
		return err
	}
}

func (r *Region) setGroups(tx *awstest.Tx, id string, groups []string) {
	r.wire(tx, change(tx, r.interfaces, id, func(n *Interface) { n.Groups = groups }))
}

// allows tells whether the groups of an interface let connections in, and whether they let them out: all, if they have any rule, and otherwise none.
func (r *Region) allows(tx *awstest.Tx, n Interface) (in, out bool) {
	for _, id := range n.Groups {
		g, _ := r.groups.Get(tx.Now(), id)
		in, out = in || len(g.Ingress) > 0, out || len(g.Egress) > 0
	}
	return in, out
}

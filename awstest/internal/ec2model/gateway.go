package ec2model

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Gateway is an internet gateway.
type Gateway struct {
	ID   string
	VPC  string // that it is attached to; empty if there is none
	Tags Tags
}

// Gateway returns an internet gateway as of a moment.
func (r *Region) Gateway(at time.Time, id string) (Gateway, error) {
	if g, ok := r.gateways.Get(at, id); ok {
		return g, nil
	}
	return Gateway{}, awstest.Errorf("InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist", id)
}

// Gateways yields the internet gateways as of a moment.
func (r *Region) Gateways(at time.Time) iter.Seq2[string, Gateway] { return r.gateways.All(at) }

// CreateGateway makes an internet gateway, which is attached to nothing.
func (r *Region) CreateGateway(tx *awstest.Tx, tags Tags) Gateway {
	g := Gateway{ID: tx.NewID("igw"), Tags: tags}
	r.gateways.Put(tx.Now(), g.ID, g)
	return g
}

// DeleteGateway deletes an internet gateway that is not attached.
func (r *Region) DeleteGateway(tx *awstest.Tx, id string) error {
	g, err := r.Gateway(tx.Now(), id)
	switch {
	case err != nil:
		return err
	case g.VPC != "":
		return awstest.Errorf("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", id)
	}
	r.gateways.Delete(tx.Now(), id)
	return nil
}

// AttachGateway attaches an internet gateway to a VPC. Both have at most one
// of the other. The texts are those that accounts answer.
// Source: https://github.com/berlioz-the/berlioz/issues/1 and
// https://github.com/binlab/terraform-aws-vault-ha-raft/issues/54 (read 2026-11)
func (r *Region) AttachGateway(tx *awstest.Tx, id, vpc string) error {
	g, err := r.gatewayAndVPC(tx, id, vpc)
	if err != nil {
		return err
	}
	if g.VPC != "" {
		return awstest.Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", id, g.VPC)
	}
	if r.attachedGateway(tx, vpc) {
		return awstest.Errorf("InvalidParameterValue", "Network %s already has an internet gateway attached", vpc)
	}
	change(tx, r.gateways, id, func(g *Gateway) { g.VPC = vpc })
	return nil
}

// DetachGateway detaches an internet gateway from a VPC in which no Elastic
// IP address is associated. AWS's page asks for no running instance with one;
// here one on an interface without an instance is in the way as well.
// Source: https://github.com/hashicorp/terraform/issues/497 (read 2026-11)
func (r *Region) DetachGateway(tx *awstest.Tx, id, vpc string) error {
	g, err := r.gatewayAndVPC(tx, id, vpc)
	if err != nil {
		return err
	}
	if g.VPC != vpc {
		return awstest.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", id, vpc)
	}
	for _, a := range r.Addresses(tx.Now()) {
		if a.Association != "" {
			return awstest.Errorf("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", vpc)
		}
	}
	change(tx, r.gateways, id, func(g *Gateway) { g.VPC = "" })
	return nil
}

func (r *Region) gatewayAndVPC(tx *awstest.Tx, id, vpc string) (Gateway, error) {
	g, err := r.Gateway(tx.Now(), id)
	if err == nil && vpc != r.vpc.ID {
		err = awstest.Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
	}
	return g, err
}

// attachedGateway tells whether a VPC has an internet gateway.
func (r *Region) attachedGateway(tx *awstest.Tx, vpc string) bool {
	for _, g := range r.Gateways(tx.Now()) {
		if g.VPC == vpc {
			return true
		}
	}
	return false
}

// SetGatewayTags replaces the tags of an internet gateway.
func (r *Region) SetGatewayTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.gateways, id, func(g *Gateway) { g.Tags = tags })
}

package asgmodel

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// checkTemplate refuses a launch template that cannot be launched from, and
// completes its name.
func (r *Region) checkTemplate(tx *awstest.Tx, t *Template) error {
	if t.ID == "" && t.Name == "" {
		return invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.")
	}
	known, version, err := r.template(tx, *t)
	switch {
	case err != nil:
		return invalid("You must use a valid fully-formed launch template. %s", message(err))
	case version.Data.Image == "":
		return invalid("You must use a valid fully-formed launch template. The request must contain the parameter ImageId")
	}
	t.ID, t.Name = known.ID, known.Name
	return nil
}

// template returns the launch template and the version that are to be
// launched from now.
func (r *Region) template(tx *awstest.Tx, t Template) (ec2model.LaunchTemplate, ec2model.TemplateVersion, error) {
	ref := ec2model.TemplateRef{ID: t.ID, Name: t.Name}
	if ref.ID != "" {
		ref.Name = ""
	}
	known, err := r.ec2(tx).Template(tx.Now(), ref)
	if err != nil {
		return known, ec2model.TemplateVersion{}, err
	}
	v, err := r.ec2(tx).TemplateVersion(tx.Now(), known, t.Version)
	return known, v, err
}

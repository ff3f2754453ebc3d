package ec2svc

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// What a tag may be; lengths are in characters.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11)
const (
	maxTags     = ec2model.MaxTags
	maxTagKey   = 128
	maxTagValue = 256
)

func (s *service) addTags(e *awstest.Endpoint) {
	handle(e, s.createTags, "Resources", "Tags")
	handle(e, s.deleteTags, "Resources", "Tags")
	handle(e, s.describeTags, "Filters", "MaxResults", "NextToken")
}

// tagged is a resource that has tags, of any kind.
type tagged struct {
	tags ec2model.Tags
	set  func(ec2model.Tags)
}

// anyID is the form that IDs of all kinds have.
var anyID = regexp.MustCompile(`^[a-z][a-z-]*-[0-9a-f]{8}([0-9a-f]{9})?$`)

func (s *service) findTagged(tx *awstest.Tx, call *awstest.Call, id string) (tagged, error) {
	region := s.region(tx, call)
	switch {
	case instanceKind.is(id):
		i, err := region.Instance(tx.Now(), id)
		return tagged{i.Tags, func(t ec2model.Tags) { region.SetInstanceTags(tx, id, t) }}, err
	case interfaceKind.is(id):
		n, err := region.Interface(tx.Now(), id)
		return tagged{n.Tags, func(t ec2model.Tags) { region.SetInterfaceTags(tx, id, t) }}, err
	case addressKind.is(id):
		a, err := region.Address(tx.Now(), id)
		return tagged{a.Tags, func(t ec2model.Tags) { region.SetAddressTags(tx, id, t) }}, err
	case gatewayKind.is(id):
		g, err := region.Gateway(tx.Now(), id)
		return tagged{g.Tags, func(t ec2model.Tags) { region.SetGatewayTags(tx, id, t) }}, err
	case volumeKind.is(id):
		v, err := region.Volume(tx.Now(), id)
		return tagged{v.Tags, func(t ec2model.Tags) { region.SetVolumeTags(tx, id, t) }}, err
	case snapshotKind.is(id):
		snap, err := region.Snapshot(tx.Now(), id)
		return tagged{snap.Tags, func(t ec2model.Tags) { region.SetSnapshotTags(tx, id, t) }}, err
	case imageKind.is(id):
		i, err := region.Image(tx.Now(), id)
		return tagged{i.Tags, func(t ec2model.Tags) { region.SetImageTags(tx, id, t) }}, err
	case reservationKind.is(id):
		v, err := region.Reservation(tx.Now(), id)
		return tagged{v.Tags, func(t ec2model.Tags) { region.SetReservationTags(tx, id, t) }}, err
	case templateKind.is(id):
		t, err := region.Template(tx.Now(), ec2model.TemplateRef{ID: id})
		return tagged{t.Tags, func(tags ec2model.Tags) { region.SetTemplateTags(tx, id, tags) }}, err
	case groupKind.is(id):
		g, err := region.SecurityGroup(tx.Now(), id)
		return tagged{g.Tags, func(t ec2model.Tags) { region.SetGroupTags(tx, id, t) }}, err
	case anyID.MatchString(id):
		return tagged{}, call.NotModelled("tags of %s", id)
	}
	return tagged{}, awstest.Errorf("InvalidID", "The ID '%s' is not valid", id)
}

func (s *service) createTags(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	if len(in.Tags) == 0 {
		return nil, missing("tagSet")
	}
	err := s.retag(tx, call, in.Resources, func(tags ec2model.Tags) (ec2model.Tags, error) {
		return setTags(tags, in.Tags)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateTagsOutput{}, nil
}

func (s *service) deleteTags(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	err := s.retag(tx, call, in.Resources, func(tags ec2model.Tags) (ec2model.Tags, error) {
		if len(in.Tags) == 0 {
			return tags.Reserved(), nil
		}
		for _, t := range in.Tags {
			if err := checkReserved(aws.ToString(t.Key)); err != nil {
				return nil, err
			}
			tags = tags.Without(aws.ToString(t.Key), t.Value)
		}
		return tags, nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DeleteTagsOutput{}, nil
}

// retag changes the tags of all of the resources, or of none.
func (s *service) retag(tx *awstest.Tx, call *awstest.Call, ids []string, change func(ec2model.Tags) (ec2model.Tags, error)) error {
	if len(ids) == 0 {
		return missing("resourceIdSet")
	}
	var todo []func()
	for _, id := range ids {
		r, err := s.findTagged(tx, call, id)
		if err != nil {
			return err
		}
		tags, err := change(r.tags)
		if err != nil {
			return err
		}
		todo = append(todo, func() { r.set(tags) })
	}
	for _, do := range todo {
		do()
	}
	return nil
}

// tagRow is a tag as DescribeTags lists it.
type tagRow struct {
	id   string
	kind types.ResourceType
	tag  ec2model.Tag
}

var tagFilters = filterable[tagRow]{
	"resource-id":   one(func(r tagRow) string { return r.id }),
	"resource-type": one(func(r tagRow) string { return string(r.kind) }),
	"key":           one(func(r tagRow) string { return r.tag.Key }),
	"value":         one(func(r tagRow) string { return r.tag.Value }),
}

func (s *service) describeTags(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	match, err := tagFilters.matcher(call, in.Filters, func(r tagRow) ec2model.Tags { return ec2model.Tags{r.tag} })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	var all []tagRow
	add := func(id string, kind types.ResourceType, tags ec2model.Tags) {
		for _, t := range tags {
			all = append(all, tagRow{id, kind, t})
		}
	}
	for id, i := range region.Instances(call.At) {
		add(id, types.ResourceTypeInstance, i.Tags)
	}
	for id, v := range region.Reservations(call.At) {
		add(id, types.ResourceTypeCapacityReservation, v.Tags)
	}
	for id, n := range region.Interfaces(call.At) {
		add(id, types.ResourceTypeNetworkInterface, n.Tags)
	}
	for id, a := range region.Addresses(call.At) {
		add(id, types.ResourceTypeElasticIp, a.Tags)
	}
	for id, g := range region.Gateways(call.At) {
		add(id, types.ResourceTypeInternetGateway, g.Tags)
	}
	for id, v := range region.Volumes(call.At) {
		add(id, types.ResourceTypeVolume, v.Tags)
	}
	for id, snap := range region.Snapshots(call.At) {
		add(id, types.ResourceTypeSnapshot, snap.Tags)
	}
	for id, i := range region.Images(call.At) {
		add(id, types.ResourceTypeImage, i.Tags)
	}
	for id, g := range region.SecurityGroups(call.At) {
		add(id, types.ResourceTypeSecurityGroup, g.Tags)
	}
	for id, t := range region.Templates(call.At) {
		add(id, types.ResourceTypeLaunchTemplate, t.Tags)
	}
	found, next, err := page(only(all, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeTagsOutput{NextToken: next}
	for _, r := range found {
		out.Tags = append(out.Tags, types.TagDescription{
			ResourceId: aws.String(r.id), ResourceType: r.kind, Key: aws.String(r.tag.Key), Value: aws.String(r.tag.Value),
		})
	}
	return out, nil
}

// tagsFor reads the tags that a request sets on the resource it creates. The
// other kinds are allowed beside it; any further kind is refused.
func tagsFor(call *awstest.Call, specs []types.TagSpecification, kind types.ResourceType, beside ...types.ResourceType) (tags ec2model.Tags, err error) {
	for _, spec := range specs {
		switch {
		case spec.ResourceType == kind:
			if tags, err = setTags(tags, spec.Tags); err != nil {
				return nil, err
			}
		case !slices.Contains(beside, spec.ResourceType):
			return nil, awstest.Errorf("InvalidParameterValue", "'%s' is not a valid taggable resource type for %s.", spec.ResourceType, call.Operation)
		}
	}
	return tags, nil
}

// checkReserved refuses the keys that are AWS's own.
func checkReserved(key string) error {
	if ec2model.Reserved(key) {
		return awstest.Errorf("InvalidTagKey.Malformed", "Tag keys starting with 'aws:' are reserved for internal use")
	}
	return nil
}

func setTags(tags ec2model.Tags, add []types.Tag) (ec2model.Tags, error) {
	for _, t := range add {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := checkReserved(key); err != nil {
			return nil, err
		}
		switch {
		case key == "":
			return nil, awstest.Errorf("InvalidTagKey.Malformed", "Tag keys cannot be empty")
		case utf8.RuneCountInString(key) > maxTagKey:
			return nil, awstest.Errorf("InvalidParameterValue", "Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return nil, awstest.Errorf("InvalidParameterValue", "Tag value exceeds the maximum length of %d characters", maxTagValue)
		}
		tags = tags.With(ec2model.Tag{Key: key, Value: value})
	}
	if len(tags)-len(tags.Reserved()) > maxTags { // AWS's own do not count
		return nil, awstest.Errorf("TagLimitExceeded", "More than %d tags specified", maxTags)
	}
	return tags, nil
}

func showTags(tags ec2model.Tags) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}

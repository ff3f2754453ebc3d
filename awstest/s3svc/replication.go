package s3svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addReplication(e *awstest.Endpoint) {
	awstest.Handle(e, s.putBucketReplication, "Bucket", "ReplicationConfiguration", "ExpectedBucketOwner",
		// The bytes that they are about are those of HTTP:
		"ChecksumAlgorithm", "ContentMD5")
	awstest.Handle(e, s.getBucketReplication, "Bucket", "ExpectedBucketOwner")
	awstest.Handle(e, s.deleteBucketReplication, "Bucket", "ExpectedBucketOwner")
}

func (s *service) putBucketReplication(tx *awstest.Tx, call *awstest.Call, in *s3.PutBucketReplicationInput) (*s3.PutBucketReplicationOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	c := &s3model.Replication{Role: *in.ReplicationConfiguration.Role}
	for i := range in.ReplicationConfiguration.Rules {
		r, err := readRule(call, &in.ReplicationConfiguration.Rules[i])
		if err != nil {
			return nil, err
		}
		c.Rules = append(c.Rules, r)
	}
	return &s3.PutBucketReplicationOutput{}, b.SetReplication(tx, c)
}

func (s *service) getBucketReplication(_ *awstest.Tx, call *awstest.Call, in *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	settings, err := s.settings(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	c, err := settings.Configured()
	if err != nil {
		return nil, err
	}
	out := &types.ReplicationConfiguration{Role: aws.String(c.Role)}
	for i := range c.Rules {
		out.Rules = append(out.Rules, showRule(&c.Rules[i]))
	}
	return &s3.GetBucketReplicationOutput{ReplicationConfiguration: out}, nil
}

func (s *service) deleteBucketReplication(tx *awstest.Tx, call *awstest.Call, in *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.DeleteBucketReplicationOutput{}, b.SetReplication(tx, nil)
}

func readRule(call *awstest.Call, in *types.ReplicationRule) (s3model.Rule, error) {
	d := in.Destination
	switch {
	case in.ExistingObjectReplication != nil:
		return s3model.Rule{}, call.NotModelled("replication of existing objects")
	case in.SourceSelectionCriteria != nil:
		return s3model.Rule{}, call.NotModelled("source selection criteria")
	case d.AccessControlTranslation != nil || d.Account != nil || d.EncryptionConfiguration != nil:
		return s3model.Rule{}, call.NotModelled("another owner or encryption of replicas")
	case d.ReplicationTime != nil || d.Metrics != nil:
		return s3model.Rule{}, call.NotModelled("replication time control or metrics")
	}
	r := s3model.Rule{
		ID: aws.ToString(in.ID), Enabled: in.Status == types.ReplicationRuleStatusEnabled, Destination: *d.Bucket,
	}
	if in.Priority != nil {
		r.Priority = aws.Int32(*in.Priority)
	}
	var err error
	if r.StorageClass, err = stored(call, d.StorageClass, ""); err != nil {
		return r, err
	}
	if m := in.DeleteMarkerReplication; m != nil {
		r.DeleteMarkers = aws.Bool(m.Status == types.DeleteMarkerReplicationStatusEnabled)
	}
	prefix := in.Prefix //nolint:staticcheck // deprecated, and the mark of the earlier version of the schema
	if in.Filter != nil && prefix != nil {
		return r, malformed()
	}
	r.Prefix = aws.ToString(prefix)
	err = readFilter(&r, in.Filter)
	return r, err
}

// readFilter reads what a rule is about.
func readFilter(r *s3model.Rule, f *types.ReplicationRuleFilter) error {
	forms := 0
	if f == nil {
		r.Scope = s3model.ByPrefix
		return nil
	}
	r.Scope = s3model.ByFilter
	if f.Prefix != nil {
		forms++
		r.Scope, r.Prefix = s3model.ByFilterPrefix, *f.Prefix
	}
	if f.Tag != nil {
		forms++
		r.Scope, r.Tags = s3model.ByFilterTag, readTags([]types.Tag{*f.Tag})
	}
	if f.And != nil {
		forms++
		r.Scope, r.Prefix, r.Tags = s3model.ByFilterAnd, aws.ToString(f.And.Prefix), readTags(f.And.Tags)
	}
	if forms > 1 {
		return malformed()
	}
	return s3model.CheckTags(r.Tags)
}

func showRule(r *s3model.Rule) types.ReplicationRule {
	out := types.ReplicationRule{
		ID: aws.String(r.ID), Status: types.ReplicationRuleStatusDisabled,
		Destination: &types.Destination{Bucket: aws.String(r.Destination), StorageClass: types.StorageClass(r.StorageClass)},
	}
	if r.Enabled {
		out.Status = types.ReplicationRuleStatusEnabled
	}
	if r.Priority != nil {
		out.Priority = aws.Int32(*r.Priority)
	}
	if r.DeleteMarkers != nil {
		out.DeleteMarkerReplication = &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled}
		if *r.DeleteMarkers {
			out.DeleteMarkerReplication.Status = types.DeleteMarkerReplicationStatusEnabled
		}
	}
	tags := showTags(r.Tags)
	switch r.Scope {
	case s3model.ByPrefix:
		out.Prefix = aws.String(r.Prefix) //nolint:staticcheck // as above
	case s3model.ByFilter:
		out.Filter = &types.ReplicationRuleFilter{}
	case s3model.ByFilterPrefix:
		out.Filter = &types.ReplicationRuleFilter{Prefix: aws.String(r.Prefix)}
	case s3model.ByFilterTag:
		out.Filter = &types.ReplicationRuleFilter{Tag: &tags[0]}
	case s3model.ByFilterAnd:
		out.Filter = &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Prefix: aws.String(r.Prefix), Tags: tags}}
	}
	return out
}

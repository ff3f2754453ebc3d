package dynamodbsvc

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// table is a table as it is at a moment: what changes it puts another one in
// its place. What is in it is shared.
type table struct {
	name, arn, id string
	created       time.Time
	status        types.TableStatus
	schema        ddbmodel.Schema
	billing       types.BillingMode
	onDemandSince time.Time
	read, write   int64 // provisioned units
	protected     bool
	class         types.TableClass
	tags          map[string]string
	ttl           timeToLive
	content       *content
}

// content is the items of a table.
type content struct {
	*ddbmodel.Items
	expiries expiries

	// What DescribeTable tells of them is as of the last time that AWS looked.
	created      time.Time
	looks        int64
	count, bytes int
}

// lookInterval is how often AWS counts the items of a table.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html (read 2026-11)
const lookInterval = 6 * time.Hour

// look counts the items if it is time to. It comes before every change.
func (c *content) look(now time.Time) {
	if looks := int64(now.Sub(c.created) / lookInterval); looks > c.looks {
		c.looks = looks
		c.count, c.bytes = c.Count()
	}
}

// name reads what an operation names its table by: the name or the ARN.
func name(ref *string) string {
	text := aws.ToString(ref)
	if strings.HasPrefix(text, "arn:") {
		_, text, _ = strings.Cut(text, ":table/")
	}
	return text
}

func arn(tx *awstest.Tx, call *awstest.Call, name string) string {
	return fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", call.Region.Name(), tx.Cloud().AccountID(), name)
}

// find returns a table as it was at a moment, in whatever state.
func (r *region) find(at time.Time, tx *awstest.Tx, ref *string) (*table, error) {
	t, ok := r.tables.Get(at, name(ref))
	if strings.HasPrefix(aws.ToString(ref), "arn:") && ok && *ref != t.arn {
		ok = false // another region's, or account's
	}
	if !ok {
		return nil, notFound("Requested resource not found: Table: %s not found", name(ref))
	}
	t.content.expire(tx.Now())
	return t, nil
}

// open returns a table whose items can be read and written. AWS may go on
// taking reads and writes while it deletes a table; this one does, so that who
// does not look at the state loses what it writes.
func (s *service) open(tx *awstest.Tx, call *awstest.Call, ref *string) (*table, error) {
	t, err := s.region(call).find(tx.Now(), tx, ref)
	if err != nil || t.status == types.TableStatusCreating {
		return nil, notFound("Requested resource not found")
	}
	return t, nil
}

// change puts a changed table in the place of another.
func (r *region) change(tx *awstest.Tx, t *table, fn func(*table)) *table {
	changed := *t
	fn(&changed)
	r.tables.Put(tx.Now(), t.name, &changed)
	return &changed
}

// settle ends a transient state after a while, unless the table is stuck in
// it.
func (r *region) settle(tx *awstest.Tx, t *table, after time.Duration, fn func(*awstest.Tx, *table)) {
	end := func(tx *awstest.Tx) {
		tx.WhenFree(nil, t.name, func(tx *awstest.Tx) {
			if now, ok := r.tables.Get(tx.Now(), t.name); ok {
				fn(tx, now)
			}
		})
	}
	if after == 0 {
		end(tx) // without the event loop
		return
	}
	tx.Schedule(tx.Now().Add(after), end)
}

func (r *region) activate(tx *awstest.Tx, t *table) {
	r.change(tx, t, func(t *table) { t.status = types.TableStatusActive })
}

// describe shows a table.
func (t *table) describe() *types.TableDescription {
	d := &types.TableDescription{
		TableName: aws.String(t.name), TableArn: aws.String(t.arn), TableId: aws.String(t.id), TableStatus: t.status,
		CreationDateTime: aws.Time(t.created), DeletionProtectionEnabled: aws.Bool(t.protected),
		ItemCount: aws.Int64(int64(t.content.count)), TableSizeBytes: aws.Int64(int64(t.content.bytes)),
		ProvisionedThroughput: &types.ProvisionedThroughputDescription{
			NumberOfDecreasesToday: aws.Int64(0), ReadCapacityUnits: aws.Int64(t.read), WriteCapacityUnits: aws.Int64(t.write),
		},
	}
	for i, a := range t.schema.Attributes() {
		d.AttributeDefinitions = append(d.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(a.Name), AttributeType: types.ScalarAttributeType(a.Kind.String()),
		})
		kind := types.KeyTypeHash
		if i > 0 {
			kind = types.KeyTypeRange
		}
		d.KeySchema = append(d.KeySchema, types.KeySchemaElement{AttributeName: aws.String(a.Name), KeyType: kind})
	}
	if !t.onDemandSince.IsZero() {
		d.BillingModeSummary = &types.BillingModeSummary{BillingMode: t.billing, LastUpdateToPayPerRequestDateTime: aws.Time(t.onDemandSince)}
	}
	if t.class != "" {
		d.TableClassSummary = &types.TableClassSummary{TableClass: t.class}
	}
	return d
}

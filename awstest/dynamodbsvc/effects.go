package dynamodbsvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
)

// unprocessed is how many parts of a batch are left undone.
type unprocessed int

// Unprocessed leaves the last n items of a BatchWriteItem or a BatchGetItem
// unprocessed, as AWS does with what comes too fast: the call succeeds and
// returns them. If none is left to process, the call fails with
// ProvisionedThroughputExceededException.
func Unprocessed(n int) awstest.Effect {
	return awstest.Special(dynamodb.ServiceID, []string{"BatchWriteItem", "BatchGetItem"}, unprocessed(n))
}

// leave returns how many of n items of a batch are processed.
func leave(call *awstest.Call, n int) (int, error) {
	all := n
	for _, left := range awstest.Specials[unprocessed](call) {
		n -= max(int(left), 0)
	}
	if n <= 0 && all > 0 {
		return 0, awstest.Errorf("ProvisionedThroughputExceededException", tooFast)
	}
	return n, nil
}

// conflict is a transaction under way on the item of a call.
type conflict struct{}

// Conflict makes a call meet a transaction that is under way on its item, as
// if somebody else had one. PutItem, UpdateItem and DeleteItem fail with
// TransactionConflictException; TransactWriteItems and TransactGetItems are
// cancelled, for a TransactionConflict of their first item. By itself there is
// no conflict here: a transaction takes no time.
func Conflict() awstest.Effect {
	return awstest.Special(dynamodb.ServiceID, []string{"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "TransactGetItems"}, conflict{})
}

func conflicts(call *awstest.Call) bool { return len(awstest.Specials[conflict](call)) > 0 }

const ongoing = "Transaction is ongoing for the item"

// replicated is the effect of [Replicated].
type replicated struct {
	consistency types.MultiRegionConsistency
	regions     []string
}

// Replicated makes DescribeTable show a table as one of a global table that has
// replicas in other regions as well, and the consistency that is given; what is
// in it stays in its region. It is for programs that look what they are given:
// an empty consistency is shown as none, which means EVENTUAL.
func Replicated(consistency types.MultiRegionConsistency, regions ...string) awstest.Effect {
	return awstest.Special(dynamodb.ServiceID, []string{"DescribeTable"}, replicated{consistency, slices.Clone(regions)})
}

// globalTables is the version of global tables that can be made today.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables.DetermineVersion.html (read 2026-11)
const globalTables = "2019.11.21"

// replicate shows the effect.
func replicate(call *awstest.Call, d *types.TableDescription) {
	for _, r := range awstest.Specials[replicated](call) {
		d.GlobalTableVersion, d.MultiRegionConsistency = aws.String(globalTables), r.consistency
		for _, region := range r.regions {
			d.Replicas = append(d.Replicas, types.ReplicaDescription{RegionName: aws.String(region), ReplicaStatus: types.ReplicaStatusActive})
		}
	}
}

// Package ddbmodel is the items of DynamoDB's tables without DynamoDB's
// client: their keys, their order, and their past.
//
// An item is found by its key in constant time. Items of one partition are in
// the order of their sort keys, whatever their type, and partitions in the
// order of a hash: so a range of a partition, a partition, a segment of a scan
// and a whole table are each a stretch of one sorted list. Reads can be served
// as of an earlier moment.
package ddbmodel

// Package ddbexpr is DynamoDB's values and its expression language, without
// DynamoDB's client: conditions, filters, key conditions, updates and
// projections, parsed from their text and applied to items.
//
// A [Scope] holds what one request substitutes: its names (#n) and values
// (:v). Every expression of the request is parsed in it, and what none of them
// has used is an error in the end, as it is in AWS:
//
//	scope, err := ddbexpr.NewScope(names, values)
//	cond, err := scope.Condition("ConditionExpression", "attribute_not_exists(pk) OR #v = :v")
//	update, err := scope.Update("SET #v = :v ADD seq :one")
//	err = scope.Unused()
//	if cond.Holds(item) {
//		item, err = update.Apply(item)
//	}
//
// Values are immutable: what changes an item returns another one, which
// shares what has not changed.
//
// Errors are *awstest.APIError with the code ValidationException and the
// message of AWS, as far as it is known. Sources, besides those noted at the
// numbers:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
// (read 2026-11) with its sub-pages; what they leave open is from the
// observations that ScyllaDB's compatibility tests record of AWS,
// https://github.com/scylladb/scylladb/tree/master/test/alternator
// (read 2026-11).
package ddbexpr

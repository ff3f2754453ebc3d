// Package archtest holds the architecture of the repository to its word: which package may import which, which modules the
// library may require, which files a package consists of, and that docs/architecture.md maps every directory.
//
// It has tests and nothing else. The import rules are the table in rules_test.go, and each row carries a small graph that
// keeps the rule and one that breaks it, so that a rule which can no longer fail is noticed.
package archtest

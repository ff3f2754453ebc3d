package cwmodel

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

// Limits of alarms.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (read 2026-11)
const (
	maxName       = 255
	maxText       = 1024 // of a description
	maxActions    = 5
	maxARN        = 1024
	maxDimensions = 30

	maxRange      time.Duration = 7 * 24 * time.Hour
	maxShortRange time.Duration = 24 * time.Hour // of a period below an hour
)

// check holds an alarm against the rules.
func (s *AlarmSpec) check() error {
	switch {
	case s.Name == "" || utf8.RuneCountInString(s.Name) > maxName:
		return invalid("AlarmName must have from 1 to %d characters", maxName)
	case !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return invalid("AlarmName must be in UTF-8, without control characters")
	case utf8.RuneCountInString(s.Description) > maxText:
		return invalid("AlarmDescription must have at most %d characters", maxText)
	case s.Query.Metric.Namespace == "" || s.Query.Metric.Name == "":
		return invalid("MetricName and Namespace are required")
	case len(s.Query.Metric.Dimensions) > maxDimensions:
		return invalid("An alarm has at most %d dimensions", maxDimensions)
	case s.Query.Statistic == (Statistic{}):
		return invalid("Exactly one of Statistic and ExtendedStatistic is required")
	case !ValidPeriod(s.Period) || s.Period == time.Second || s.Period == 5*time.Second:
		return invalid("Period must be 10, 20, 30 or a multiple of 60")
	case s.Periods < 1:
		return invalid("EvaluationPeriods must be at least 1")
	case s.ToAlarm < 0 || s.ToAlarm > s.Periods:
		return invalid("DatapointsToAlarm must be from 1 to EvaluationPeriods")
	case s.tooLong():
		return invalid("Metrics cannot be checked across more than a week, or a day if the period is less than an hour (EvaluationPeriods * Period)")
	case !slices.Contains([]Operator{GreaterOrEqual, Greater, Less, LessOrEqual}, s.Operator):
		return invalid("%q is not a comparison operator", s.Operator)
	case !slices.Contains([]Missing{"", TreatMissing, TreatIgnore, TreatBreaching, TreatNotBreaching}, s.Missing):
		return invalid("%q is not a way to treat missing data", s.Missing)
	}
	for _, arns := range [][]string{s.AlarmActions, s.OKActions, s.InsufficientDataActions} {
		if len(arns) > maxActions {
			return invalid("A state has at most %d actions", maxActions)
		}
		for _, arn := range arns {
			if !strings.HasPrefix(arn, "arn:") || len(arn) > maxARN {
				return invalid("Invalid arn syntax: %s", arn)
			}
		}
	}
	return nil
}

// tooLong tells whether the periods that are evaluated are too many.
func (s *AlarmSpec) tooLong() bool {
	limit := maxRange
	if s.Period < time.Hour {
		limit = maxShortRange
	}
	return s.Periods > int(limit/s.Period)
}

// ValidPeriod tells whether statistics can be had for a period.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html (read 2026-11)
func ValidPeriod(d time.Duration) bool {
	switch d {
	case time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second:
		return true
	}
	return d > 0 && d%time.Minute == 0
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}

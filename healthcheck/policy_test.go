package healthcheck_test

import (
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func TestOptionsOfTrafficReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.New(pass(), func(o *healthcheck.Options) {
		o.FastInterval, o.SlowInterval, o.SlowAfter = 5*time.Second, time.Second, -1
		o.Limits = 9
		o.RoutingFailover = healthcheck.Threshold{Count: 3, Percent: 101}
		o.ZoneFailover = healthcheck.Threshold{Count: 2, Percent: 50}
		o.SlowStart, o.Algorithm = -time.Second, 9
		o.Passive = &healthcheck.PassiveOptions{
			ConnectErrors: -1, GatewayErrors: -1, EjectionTime: time.Minute, MaxEjectionTime: time.Second, MaxEjectPercent: 101,
		}
	})
	wantFieldErrors(t, err,
		"healthcheck: Options.FastInterval: 5s must be greater than Timeout (5s)",
		"healthcheck: Options.SlowInterval: 1s must be at least Interval (30s) and at most 24h0m0s",
		"healthcheck: Options.SlowAfter: -1ns must be from 0 to 24h0m0s",
		"healthcheck: Options.Limits: 9 must be one of the constants",
		"healthcheck: Options.RoutingFailover.Percent: 101 must be from 0 to 100",
		"healthcheck: Options.ZoneFailover.Count: 2 must not be below RoutingFailover.Count (3)",
		"healthcheck: Options.ZoneFailover.Percent: 50 must not be below RoutingFailover.Percent (101)",
		"healthcheck: Options.SlowStart: -1s must be from 0 to 24h0m0s",
		"healthcheck: Options.Algorithm: 9 must be one of the constants",
		"healthcheck: Options.Passive.ConnectErrors: -1 must be at least 1",
		"healthcheck: Options.Passive.GatewayErrors: -1 must be at least 1",
		"healthcheck: Options.Passive.MaxEjectionTime: 1s must be at least EjectionTime (1m0s) and at most 24h0m0s",
		"healthcheck: Options.Passive.MaxEjectPercent: 101 must be from 1 to 100",
	)
}

func TestCheckAddr(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		target healthcheck.Target
		want   string
	}{
		{healthcheck.Target{Addr: "10.0.0.1:80"}, "10.0.0.1:80"},
		{healthcheck.Target{Addr: "10.0.0.1:80", CheckPort: 8080}, "10.0.0.1:8080"},
		{healthcheck.Target{Addr: "[fe80::1%eth0]:80", CheckPort: 81}, "[fe80::1%eth0]:81"},
		{healthcheck.Target{CheckPort: 81}, ""},
	} {
		if got := tt.target.CheckAddr(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.target, got, tt.want)
		}
	}
}

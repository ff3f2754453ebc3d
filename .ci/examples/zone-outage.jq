([
  .downtime_ms, .detection_ms, .detection_bound_ms, .plan_ms, .requests, .failed, .failed_after_recovery,
  .associate_calls, .disassociate_calls, .describe_calls, .failback_ms, .failback_failed
  | type == "number"
] | all)
and .downtime_ms > 0 and .detection_ms <= .detection_bound_ms + 50 # one request interval, since time is real here
and .requests > .failed and .failed_after_recovery == 0
and .associate_calls == 1

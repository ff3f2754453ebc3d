([
  .calls_per_message, .lost, .duplicates, .redelivered, .msgs_per_s, .in_flight_after_drain, .undeleted_at_kill, .failed_calls, .drain_ms
  | type == "number"
] | all)
and .lost == 0 and .unsent == 0 and .in_flight_after_drain == 0 and .left_after_drain == 0
and .killed_workers == 1 and .duplicates <= .undeleted_at_kill # what the kill left over, and nothing else
and .redelivered > 0 and .failed_calls > 0 # the faults did happen
and .calls_per_message <= 0.25

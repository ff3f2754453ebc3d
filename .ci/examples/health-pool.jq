([.targets, .detection_ms, .detection_bound_ms, .recovery_ms, .requests, .failed, .to_dead_zone | type == "number"] | all)
and .targets == 9
and .detection_ms <= .detection_bound_ms + 100 # a machine that is busy, since time is real here
and .requests > 0 and .failed == 0 and .to_dead_zone == 0

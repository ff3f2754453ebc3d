(.leaders | length == 2 and .[0] != .[1])
and .incidents == 1 and .resumed == 1
and .effects_per_step == {"stop-primary": 1, "remap-address": 1, "label-standby": 1}
and ([.detection_ms, .rto_ms, .critical_path_ms, .takeover_ms, .plan_ms | type == "number" and . > 0] | all)
and .failed > 0 and .requests > .failed

([.create_calls, .describe_calls, .copy_calls, .delete_calls, .duplicates, .kept, .rpo_seconds | type == "number"] | all)
and .days == 730 and .volumes == 7 # one of eight is deleted on the way
and .unsaved == 0
and .duplicates == 0 # whatever became of the replies
and .kept >= 7 * 24 and .kept <= 8 * 27 # 3 last, 7 days, 5 weeks, 12 months, some of which are the same
and (.copies["us-west-2"] | . >= 7 * 8 and . <= 8 * 9)
and .rpo_seconds > 0 and .rpo_seconds < 3600
and (.restored | startswith("vol-"))

.changed and .associate_calls == 1 and .disassociate_calls == 1 and .describe_calls == 1 # the minimum, with the owner named
and .inspect_calls == 0 and .took_ms > 0
and .conflict.owner == .after and .after.association_id != .before.association_id # the loser is told who has the address now
and (.ready | length > 0 and all(.verdict != "fail"))
and .denied == ["ec2:AssociateAddress"]
and ([.claims[] | select(.error == "").allocation_id] | length == 3 and unique == sort) # nobody shares an address
and ([.claims[] | select(.error != "")] | length == 2)

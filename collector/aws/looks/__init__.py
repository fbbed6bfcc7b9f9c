"""What one look reads, in which order and since when: tiers, turns, tripwires first, the past last."""

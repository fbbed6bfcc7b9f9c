"""OUTSIDE -> BATCHES: everything that reads the world. Judges nothing."""

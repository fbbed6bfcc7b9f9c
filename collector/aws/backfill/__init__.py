"""History of a fleet before it was watched, read into a store once: priced first, and resumable after a kill."""

"""What stillfit remembers: samples as compressed chunks, settings, gaps, advice, and what is still to be told.

Outside this package only `stillfit.store.store`, `stillfit.store.outbox` and `stillfit.store.leases` are imported.
"""

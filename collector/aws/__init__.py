"""DynamoDB, Keyspaces and DAX as AWS tells them: one service of one account and region is a source.

    source.py, keyspaces.py, dax.py    what the daemon runs: DynamoDB, and the other two on service.py
    looks/       what one look reads, in which order and since when
    metrics/     what CloudWatch has measured
    settings/    what there is and how it is set
    wire/        how a call reaches AWS; wire/target.py is what a person configures
    spending/    what our own looking costs
    backfill/    history before the first look
    money/       what AWS charges its customers, for the cost models

Each folder imports those below it here, never those above. This file imports nothing, so that reading a configuration
does not load boto3.
"""

"""DynamoDB, Keyspaces and DAX as AWS tells them: one service of one account and region is a source.

    source.py, keyspaces.py, dax.py    what the daemon runs: DynamoDB, and the other two
    captured.py                        the same of files that the AWS command line wrote
    service.py, account.py             a service as a source; what holds for a whole account and region
    metered.py, backfill/              what all sources have in common; history before the first look
    looks/        what one look reads, in which order and since when
    metrics/      what CloudWatch has measured
    settings/     what there is and how it is set
    wire/         how a call reaches AWS; wire/target.py is what a person configures
    spending/     what our own looking costs

Each line imports those below it, never those above (pyproject.toml). Beside them stand `money/`, what AWS charges its
customers, on wire/ and spending/; and permissions.py, which imports nothing. This file imports nothing either, so that
reading a configuration does not load boto3.
"""

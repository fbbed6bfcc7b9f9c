"""DynamoDB as AWS tells it: CloudWatch metrics, table descriptions and auto scaling, one account and region a source.

`target.py` is what a person configures, `source.py` what the daemon runs. This file imports nothing, so that reading
a configuration does not load boto3.
"""

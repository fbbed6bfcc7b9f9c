"""A simulated fleet with a story in it. It feeds the stand-ins; nothing outside this package knows the story.

names.py, noise.py    what things are called and how they jitter, from a seed
story.py              the fleet: twelve DynamoDB tables, one Cassandra cluster, and what happens to them
tables.py             how a DynamoDB table behaves, minute by minute
cloud.py, cluster.py  the same as CloudWatch, DynamoDB and CQL tell it
fleet.py              the process that serves it all
"""

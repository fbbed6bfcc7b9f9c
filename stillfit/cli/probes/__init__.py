"""What `stillfit doctor` tries: each probe one real look at one thing, within a deadline.

probe.py        what a probe is, and how many run beside each other
local.py        this machine: Python, store, port
aws.py          one account and region: whose, and each permission by one call
cassandra.py    one cluster: reached, signed in, granted
slack.py        the token, its scopes, the channel
"""

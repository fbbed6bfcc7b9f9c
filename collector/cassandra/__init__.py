"""Cassandra through CQL: virtual and system tables, each node asked by itself. Counts and settings, never users' rows.

source.py         one cluster as a Source: who is asked, in what order, what becomes a Gap
connection.py     the driver: the only module here that touches the network
visit.py          the questions to one node, within a deadline
virtual_tables.py system_tables.py schema.py prepared.py     rows -> samples and settings; pure
history.py        samples -> series: counters become differences, gauges stand for a while; pure
"""

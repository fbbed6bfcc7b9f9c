"""Fixtures and habits for all tests: the fake clock, the real servers, what happens where one is missing."""

pytest_plugins = ["pytester", "tests.servers.fixtures", "tests.servers.plugin", "tests.scenarios.seen"]

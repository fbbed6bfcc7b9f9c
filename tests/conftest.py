"""Fixtures and habits for all tests: the fake clock, the real servers, what happens where one is missing."""

from hypothesis import HealthCheck, settings

settings.register_profile("any-machine", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("any-machine")  # a slow machine is no mistake of what it runs

pytest_plugins = ["pytester", "tests.servers.fixtures", "tests.servers.plugin", "tests.scenarios.seen"]

"""stillfit: does the workload still fit its database?"""

__version__ = "0.1.0"

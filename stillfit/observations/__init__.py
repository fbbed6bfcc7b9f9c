"""Observation files: what somebody saw, said in YAML or JSON, judged without network, credentials or clock.

`document.py` is the shape of a file, `expansion.py` and `patterns.py` write short forms out, `statements.py` turns a
file into records and `files.py` reads. The page for the people who write such files is docs/observations.md.
"""

from stillfit.observations.files import load, load_all
from stillfit.observations.statements import Observations

__all__ = ["Observations", "load", "load_all"]

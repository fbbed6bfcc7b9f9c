"""Writes what is said of each file beside it: `python -m tests.config_errors.rewrite`, then read the difference."""

from tests.config_errors.test_config_errors import FILES, HERE, told

if __name__ == "__main__":
    for name in FILES:
        (HERE / name).with_suffix(".expected").write_text("\n".join(told(name)) + "\n")

"""Pages that are written from the code: `python -m tests.cli.pages`, then read the difference.

docs/configuration.md     from the models of stillfit/config.py and the texts under their fields
docs/stillfit.schema.json the same for editors
docs/cli.md               from the help of every command
docs/decisions/README.md  from the first line of every decision
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import typer
from pydantic import BaseModel, SecretStr

from stillfit.cli.app import app
from stillfit.cli.config import plain, schema
from stillfit.config import Config

DOCS = Path(__file__).parents[2] / "docs"
KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false", timedelta: "length of time"}
KINDS |= {SecretStr: "secret text", Path: "path", date: "date"}

CONFIGURATION = """# Configuration

One YAML file, `stillfit.yaml` in the working folder unless `--config` or `STILLFIT_CONFIG` names another. `stillfit
config init` writes a commented example, `stillfit config check` says every mistake with its line, or what the daemon
would do and what its looking costs. A running daemon reads the file again on SIGHUP; one with mistakes is refused and
the old one stays.

**Lengths of time** are a number and a unit: `90s`, `5m`, `2h`, `14d`.

**Secrets** are best kept in files (`password_file`, `token_file`) that hold nothing else. They are read at start and
at each reload, and print as `***`.

**The environment** may give any setting and wins over the file. Two underscores stand for each dot, a number for a
place in a list: `STILLFIT_SLACK__TOKEN` is `slack.token`, `STILLFIT_CASSANDRA__0__PASSWORD` the password of the first
cluster. Lists are written with commas.

**Editors** complete and check the file with `docs/stillfit.schema.json` (`stillfit config schema` prints it): `#
yaml-language-server: $schema=stillfit.schema.json` on the first line.

This page is written from the code; every key below is in `stillfit/config.py` and `stillfit/configaws.py`.
"""
CLI = """# Command line

Data goes to standard output, progress and logs to standard error. Colours only on a terminal; `NO_COLOR` ends them.
What goes to a pipe is not wrapped.

| exit code | meaning |
|---|---|
| 0 | well: nothing found, or done |
| 1 | `check` found something (see `--fail-on`) |
| 2 | the command was used wrongly, or what it names is not there |
| 3 | a file has mistakes; each is told with its line |
| 4 | a target, a credential, the store or the port of the pages cannot be used |
| 5 | a defect of stillfit; the trace is printed |

This page is written from the code: it is the help of every command.
"""


def configuration_page() -> str:
    return CONFIGURATION + "".join(_sections("", Config))


def cli_page() -> str:
    root: Any = typer.main.get_command(app)
    return CLI + "".join(
        _commands(root, root.context_class(root, info_name="stillfit", terminal_width=100, max_content_width=100))
    )


def decisions_page() -> str:
    folder = DOCS / "decisions"
    titles = {path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in folder.glob("*.md")}
    titles.pop("README.md", None)
    lines = sorted(f"- [{title}]({name})" for name, title in titles.items())
    head = (
        "# Decisions\n\nOne page each: what was decided, why, and what would change it. Numbers are never used again; "
        "a decision that is\nreplaced says by which.\n\n"
    )
    return head + "\n".join(lines) + "\n"


PAGES = {
    "configuration.md": configuration_page,
    "stillfit.schema.json": schema,
    "cli.md": cli_page,
    "decisions/README.md": decisions_page,
}


def _sections(path: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"\n## {path or 'The top level'}\n"
    if path:
        yield f"\n{_one_line(model.__doc__ or '')}\n"
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        section, many = _section(field.annotation)
        if section is not None:
            inner.append((f"{path}.{name}{many}".removeprefix("."), section))
        default = "needed" if field.is_required() else f"default {_default(field.get_default())}"
        kind = "" if section else f"{_kind(field.annotation)}, "
        yield f"\n**`{name}`** ({kind}{default})\n{_one_line(field.description or '')}\n"
    for where, section in inner:
        yield from _sections(where, section)


def _section(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The section inside an annotation, and how it is written in a path: aws[], workloads[].declared.NAME."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    suffix = {tuple: "[]", dict: ".NAME"}.get(get_origin(annotation), "")
    if suffix or get_origin(annotation) in {Union, UnionType}:
        found = next((found for part in get_args(annotation) if (found := _section(part)[0])), None)
        return found, suffix
    return None, ""


def _kind(annotation: Any) -> str:
    if annotation in KINDS:
        return KINDS[annotation]
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if part not in {type(None), Ellipsis}]
    if get_origin(annotation) is tuple:
        return f"list of {_kind(parts[0])}"
    if get_origin(annotation) is dict:
        return f"{_kind(parts[1])} by name"
    if parts and all(isinstance(part, str) for part in parts):
        return " | ".join(parts)
    return " or ".join(dict.fromkeys(_kind(part) for part in parts)) or str(annotation)


def _default(value: object) -> str:
    shown = plain(value)
    if shown in (None, [], {}):
        return "none"
    if isinstance(value, BaseModel):
        return "as below"
    return f"`{', '.join(map(str, shown)) if isinstance(shown, list) else shown}`"


def _commands(command: Any, context: Any) -> Iterator[str]:
    """Help of a command and of all below it."""
    help_text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"\n## {context.command_path}\n\n```text\n{help_text}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(
            inner, inner.context_class(inner, info_name=name, parent=context, terminal_width=100, max_content_width=100)
        )


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


if __name__ == "__main__":
    for page, write in PAGES.items():
        (DOCS / page).write_text(write())

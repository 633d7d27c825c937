"""The documents say what the program does."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, inspect

from infra.generate import apidocs, metricdocs
from infra.settings import AgentSettings, ServerSettings
from schemas import agentconfig
from schemas.settings import RuntimeSettings
from services.gateway.live.api import EVENTS

ROOT = Path(__file__).parents[1]
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
UNITS = {"_s": " s", "_bytes": " B", "_days": " days", "_percent": " %", "_gib": " GiB"}


def settings() -> dict[str, tuple[type[Struct], str]]:
    """Every setting as the page names it -> where it is declared."""
    process = {
        f"SONDE_{name.upper()}": (kind, name)
        for kind in (AgentSettings, ServerSettings)
        for name in kind.__struct_fields__
    }
    return process | {name: (RuntimeSettings, name) for name in RuntimeSettings.__struct_fields__}


def cells(name: str) -> list[str]:
    """The page's row of one setting: name, default, what is allowed, and the rest."""
    row = re.search(rf"^\| (`{name}` \|.*) \|$", SETTINGS_PAGE, re.MULTILINE)
    assert row, f"docs/settings.md has no row for {name}"
    return [cell.strip() for cell in row[1].split(" | ")]


def number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def bounds(name: str, kind: Any) -> list[str]:
    """How the page has to state what the type of a setting allows."""
    if isinstance(kind, inspect.Metadata):
        return bounds(name, kind.type)
    if isinstance(kind, inspect.UnionType):
        return [bound for part in kind.types for bound in bounds(name, part)]
    if isinstance(kind, inspect.NoneType):
        return []
    if isinstance(kind, inspect.BoolType):
        return ["`true`", "`false`"] if name.islower() else ["0 or 1"]
    if isinstance(kind, inspect.LiteralType):
        return [f"`{value}`" for value in kind.values]
    if isinstance(kind, inspect.StrType):
        return [] if kind.max_length is None else [f"at most {kind.max_length} characters"]
    assert isinstance(kind, inspect.IntType | inspect.FloatType), f"{name}: how is {kind} to be stated?"
    assert kind.ge is not None
    unit = next((unit for suffix, unit in UNITS.items() if name.lower().endswith(suffix)), "")
    return [(f"at least {number(kind.ge)}" if kind.le is None else f"{number(kind.ge)} to {number(kind.le)}") + unit]


def benchmarks() -> list[str]:
    return sorted(path.stem for path in (ROOT / "benchmarks").glob("bench_*.py"))


def test_the_metrics_page_is_current() -> None:
    assert metricdocs.PAGE.read_text(encoding="utf-8") == metricdocs.page(), "run: python -m infra.generate.metricdocs"


def test_the_page_of_operations_is_current() -> None:
    assert apidocs.PAGE.read_text(encoding="utf-8") == apidocs.page(), "run: python -m infra.generate.apidocs"


def test_the_table_of_problems_is_current() -> None:
    guide = apidocs.GUIDE.read_text(encoding="utf-8")
    assert guide == apidocs.with_problems(guide), "run: python -m infra.generate.apidocs"


def test_every_event_of_the_live_stream_is_in_the_guide() -> None:
    section = apidocs.GUIDE.read_text(encoding="utf-8").partition("## Live stream")[2].partition("## ")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section.partition("| event |")[2], re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", " ".join(first_cells))) == set(EVENTS)


@pytest.mark.parametrize("name", settings())
def test_the_settings_page_states_the_bounds_of(name: str) -> None:
    kind, field = settings()[name]
    for bound in bounds(
        name, inspect.type_info(msgspec.structs.fields(kind)[kind.__struct_fields__.index(field)].type)
    ):
        assert bound in cells(name)[2].split(", ")


@pytest.mark.parametrize("name", settings())
def test_the_settings_page_states_the_default_of(name: str) -> None:
    kind, field = settings()[name]
    default = getattr(kind(), field)
    text = str(default).lower() if isinstance(default, bool) and name.islower() else default
    text = number(text) if isinstance(text, int | float) else text
    assert cells(name)[1] == (f"`{text}`" if text else "empty")


@pytest.mark.parametrize("name", ["sample_interval_s", "batch_interval_s", "interval_s"])
def test_the_agents_page_states_the_bounds_of(name: str) -> None:
    kind: type[Struct] = agentconfig.FamilyConfig if name == "interval_s" else agentconfig.AgentConfig
    page = (ROOT / "docs" / "agent.md").read_text(encoding="utf-8")
    (bound,) = bounds(name, inspect.type_info(next(f.type for f in msgspec.structs.fields(kind) if f.name == name)))
    assert re.search(rf"^\| `[^|]*\b{name}` \| {re.escape(bound)} \|", page, re.MULTILINE)


def test_the_agents_page_states_how_much_may_be_given() -> None:
    page = (ROOT / "docs" / "agent.md").read_text(encoding="utf-8")
    assert f"at most {agentconfig.MOST_DIRECTORIES} absolute paths" in page
    assert f"at most {agentconfig.MOST_PATTERNS} patterns" in page


@pytest.mark.parametrize("name", benchmarks())
def test_every_figure_that_is_spelled_out_is_declared_by(name: str) -> None:
    source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "figure"]
    spelled = {node.value for node in names if isinstance(node, ast.Constant)}
    declared = set(importlib.import_module(f"benchmarks.{name}").FIGURES)
    assert spelled <= declared
    assert spelled == declared or len(spelled) < len(names), f"no longer printed: {declared - spelled}"


def test_every_figure_that_the_readme_names_is_printed_by_a_benchmark() -> None:
    printed = {name for bench in benchmarks() for name in importlib.import_module(f"benchmarks.{bench}").FIGURES}
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Measured")[2]
    named = re.findall(r"`([a-z]+\.[a-z0-9_]+)`", " ".join(re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE)))
    assert named
    assert set(named) <= printed


def anchors(page: Path) -> set[str]:
    """Names under which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_page_or_heading_of_ours_leads_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8"))
    for file, anchor in links:
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


def test_every_picture_that_a_page_shows_is_there_and_small() -> None:
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in re.findall(r'(?:src|srcset)="([^"]+)"|!\[[^]]*\]\(([^)]+)\)', page.read_text(encoding="utf-8"))
        for path in path
        if path
    }
    assert shown
    assert [path.name for path in shown if not path.is_file()] == []
    assert [path.name for path in shown if path.stat().st_size > 200 * 1024] == []
    assert set((ROOT / "docs" / "pictures").iterdir()) <= shown

"""The documents say what the program does."""

from pathlib import Path

from infra.generate import metricdocs
from infra.settings import AgentSettings, ServerSettings
from schemas.settings import setting_keys

ROOT = Path(__file__).parents[1]


def test_the_metrics_page_is_current() -> None:
    assert metricdocs.PAGE.read_text(encoding="utf-8") == metricdocs.page(), "run: python -m infra.generate.metricdocs"


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for kind in (AgentSettings, ServerSettings):
        for name in kind.__struct_fields__:
            assert f"`SONDE_{name.upper()}`" in page
    for key in setting_keys():
        assert f"| `{key}` |" in page

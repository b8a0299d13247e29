"""The command reads previews of the real engine, and the documentation is what ``make pictures`` writes."""

from __future__ import annotations

import subprocess

import pytest

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.preview import read
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.cli.engine_previews import SECRETS, EnginePreview, run_previews
from tests.cli.previews import NAMES, recorded
from tools.pictures import COMMAND, ROOT, make

pytestmark = pytest.mark.slow


def summary_of(text: str) -> str:
    """Return the summary by the installed command, without the notes, which contain the ports of the services."""
    ended = subprocess.run([COMMAND, "preview-summary"], input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.partition("Notes:")[0]


@pytest.fixture(scope="module")
def previews(
    tmp_path_factory: pytest.TempPathFactory,
    omni_services: dict[str, OmniSimulator],
    lightdash_service: LightdashSimulator,
) -> dict[str, EnginePreview]:
    """All previews by name."""
    omni_services["pages"].reset()
    lightdash_service.reset()
    return dict(run_previews(tmp_path_factory.mktemp("previews"), omni_services["pages"], lightdash_service))


def test_each_preview_is_recorded(previews: dict[str, EnginePreview]) -> None:
    """Each preview has a recording. ``python -m tests.cli.record`` updates them."""
    assert sorted(previews.keys() - {"refresh"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preview(previews: dict[str, EnginePreview], name: str) -> None:
    """The summary of the engine's preview is that of the recording, in each format, and has no secret."""
    preview = previews[name]
    log, digest = summary_of(preview.log), summary_of(preview.digest)
    assert log == recorded(f"{name}.log.jsonl").partition("Notes:")[0]
    assert digest == recorded(f"{name}.digest.json").partition("Notes:")[0]
    assert preview.status == (255 if name in {"policy", "check", "error"} else 0)
    assert [secret for secret in SECRETS if secret in log + digest] == []


def test_refresh(previews: dict[str, EnginePreview]) -> None:
    """The summary of a refresh is that of the recording, and its digest is refused."""
    assert summary_of(previews["refresh"].log) == recorded("refresh.log.jsonl").partition("Notes:")[0]
    with pytest.raises(InputError, match="--event-log"):
        read(previews["refresh"].digest)


def test_streamed_events(previews: dict[str, EnginePreview]) -> None:
    """Events on stdout have the same summary as those in a file."""
    assert summary_of(previews["update"].stream) == summary_of(previews["update"].log)


def test_pictures() -> None:
    """The examples in docs/pull-requests.md are current, and the preview has the facts of the CLI's output."""
    files = make()
    assert {path.relative_to(ROOT).as_posix() for path in files} == {"docs/preview.svg", "docs/pull-requests.md"}
    terminal = files.pop(ROOT / "docs" / "preview.svg")
    assert [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text] == []
    for shown in ("targetSchema", "DBT_THREADS", "(replace)", "[secret]"):
        assert shown in terminal
        assert shown in (ROOT / "docs" / "preview.svg").read_text(encoding="utf-8")

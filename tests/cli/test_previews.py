"""The command on previews that the real engine makes now, and what ``make pictures`` writes."""

from __future__ import annotations

import subprocess

import pytest

from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tests.cli.previews import NAMES, recorded
from tests.cli.scenes import SECRETS, Scene, play
from tools.pictures import COMMAND, ROOT, make

pytestmark = pytest.mark.slow


def summed(text: str) -> str:
    """What the installed command makes of a preview, without the notes: they have the services' ports."""
    ended = subprocess.run([COMMAND, "preview-summary"], input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.partition("Notes:")[0]


@pytest.fixture(scope="module")
def scenes(
    tmp_path_factory: pytest.TempPathFactory,
    omni_services: dict[str, OmniSimulator],
    lightdash_service: LightdashSimulator,
) -> dict[str, Scene]:
    """All previews."""
    omni_services["pages"].reset()
    lightdash_service.reset()
    return dict(play(tmp_path_factory.mktemp("scenes"), omni_services["pages"], lightdash_service))


def test_all_are_recorded(scenes: dict[str, Scene]) -> None:
    """There is a recording of each preview: ``python -m tests.cli.record`` makes them anew."""
    assert sorted(scenes) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_scene(scenes: dict[str, Scene], name: str) -> None:
    """The command says of the engine's preview what it says of the recording, from either form, and no secret."""
    scene = scenes[name]
    log, digest = summed(scene.log), summed(scene.digest)
    assert log == recorded(f"{name}.log.jsonl").partition("Notes:")[0]
    assert digest == recorded(f"{name}.digest.json").partition("Notes:")[0]
    assert scene.status == (255 if name in {"policy", "check"} else 0)
    assert [secret for secret in SECRETS if secret in log + digest] == []


def test_streamed_events(scenes: dict[str, Scene]) -> None:
    """The events on stdout say the same as those in a file."""
    assert summed(scenes["update"].stream) == summed(scenes["update"].log)


def test_pictures() -> None:
    """The README and the graph are what ``make pictures`` writes, in each run; a preview is as the CLI prints it."""
    made = make()
    assert {path.relative_to(ROOT).as_posix() for path in made} == {"docs/graph.svg", "docs/preview.svg", "README.md"}
    terminal = made.pop(ROOT / "docs" / "preview.svg")
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []
    for shown in ("targetSchema", "DBT_THREADS", "(replace)", "[secret]"):
        assert shown in terminal
        assert shown in (ROOT / "docs" / "preview.svg").read_text(encoding="utf-8")

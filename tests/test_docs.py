"""The documentation is correct: links, tables, commands, and the facts that it repeats from the code."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from omni_pulumi.api.instance import Instance
from omni_pulumi.settings import LIGHTDASH, OMNI
from tests.test_layers import ALLOWED, MODULES, is_in
from tools.get_engine import engine_bin_dir, engine_path
from tools.resource_pages import END, Subject, page, subjects

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (".github", "docs", "examples", "policies")
FILES = sorted({*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))})
README, CONTRIBUTING, BEHAVIOUR, ARCHITECTURE = (
    (ROOT / path).read_text(encoding="utf-8")
    for path in ("README.md", "CONTRIBUTING.md", "docs/behaviour.md", "docs/architecture.md")
)
RECORDINGS = ROOT / "tests" / "cli" / "recordings"

SHELL = {"", "bash", "sh", "shell"}
"""Languages of blocks with commands. A block without a language counts as one, so that no command is missed."""

NOT_RUN = {
    r"(python -m )?pip install .*": "downloads packages; `make venv` and tests/test_packaging.py install the same ones",
    r"pre-commit install": "changes the git configuration of this checkout",
    r"(pulumi stack export( --stack other)? \| )?omni-pulumi export [^&]*": (
        "needs services; tests/export/test_documentation.py runs it"
    ),
    r"omni-pulumi doctor( .*)?": "needs services; tests/doctor/test_doctor_documentation.py runs it",
    r"(omni-pulumi export -o analytics && )?cd analytics|find \. .*": (
        "changes the directory or the export; tests/export/test_export_with_engine.py runs it"
    ),
    r"export \w+=.*": "sets variables for the next commands; tests/examples/test_quickstart.py sets the same ones",
    r"(eval \"\$\()?_OMNI_PULUMI_COMPLETE=.*": "changes the shell; tests/cli/test_command.py runs the command in it",
    r"\. \.venv/bin/activate": "changes the shell; this process runs in that environment",
    r"(OMNI|LIGHTDASH)_LIVE=1 .*": "needs an account; tests/test_live.py runs the same tests against the simulator",
    r"python -m omni_pulumi\.simulator( --\w+-port \d+)*": "does not end; tests/examples/test_quickstart.py starts it",
    r"\.venv/bin/python -m tests\.engine\.old_states .*": "writes states; tests/engine/test_old_state.py reads them",
    r"\.venv/bin/python -m hatchling build": "tests/test_packaging.py runs it",
    r"python3 -m venv build/check|build/check/bin/.*": "follows the build, which tests/test_packaging.py reads",
}
"""Commands that this test does not run, as regular expressions, with the reason."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


def tokens(path: Path) -> list[Token]:
    """Return the blocks of a file and, in the order of the text, what is inside them."""
    blocks = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    return [token for block in blocks for token in (block, *(block.children or []))]


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    found: list[str] = []
    for opening, inline in itertools.pairwise(tokens(path)):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or [])
            found.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return {f"{name}-{found[:i].count(name)}" if name in found[:i] else name for i, name in enumerate(found)}


def links(path: Path) -> list[str]:
    """Return the targets of links and pictures."""
    targets = (token.attrGet("href") or token.attrGet("src") for token in tokens(path))
    return [str(target) for target in targets if target]


def broken(path: Path, link: str) -> bool:
    """Return whether a link leads nowhere. Links to other sites are not followed."""
    if "://" in link:
        return not link.startswith("https://")
    target, _, anchor = link.partition("#")
    file = path.parent / target if target else path
    if not file.resolve().is_relative_to(ROOT) or not file.exists():
        return True
    return bool(anchor) and anchor not in anchors(file)


def blocks(path: Path, *languages: str) -> list[str]:
    """Return the code blocks in some languages."""
    return [token.content for token in tokens(path) if token.type == "fence" and token.info.strip() in languages]


def commands(path: Path) -> Iterator[str]:
    """Yield the commands of the shell blocks, without comments. A pipeline is several commands."""
    for block in blocks(path, *SHELL):
        for line in block.replace("\\\n", " ").splitlines():
            command = " ".join(re.sub(r"(^|\s)#.*", "", line).split())
            if reason_not_to_run(command):
                yield command
            elif command:
                yield from re.split(r" (?:&&|\|\||\||;) ", command)


def program(command: str) -> str:
    """Return the first word of a command that is not an assignment."""
    return next((word for word in command.split() if "=" not in word), "")


def run(command: list[str], *, folder: Path = ROOT, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command with this Python's commands on the PATH, outside any other ``make``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PATH"] = engine_path(Path())
    return subprocess.run(command, cwd=folder, env=environment, input=text, capture_output=True, text=True, check=False)


def reason_not_to_run(command: str) -> str | None:
    """Return why a command is not run here, ``None`` if it has to run."""
    return next((reason for pattern, reason in NOT_RUN.items() if re.fullmatch(pattern, command)), None)


COMMANDS = sorted({command for path in FILES for command in commands(path)})
BY_PROGRAM = {
    name: [each for each in COMMANDS if program(each) == name and not reason_not_to_run(each)]
    for name in ("make", "omni-pulumi", "pulumi")
}


@every_file
def test_links(path: Path) -> None:
    """A relative link leads to a file, and its anchor to a heading."""
    assert [link for link in links(path) if broken(path, link)] == []


@pytest.mark.parametrize("link", ["nowhere.md", "#nowhere", "README.md#nowhere", "http://example.com", "/work"])
def test_broken_links_are_found(link: str) -> None:
    """A missing file, a missing anchor, a link without TLS and a path outside the repository are broken links."""
    assert broken(ROOT / "README.md", link)


@every_file
def test_tables(path: Path) -> None:
    """Each line that looks like a row of a table is one, and has as many cells as the header."""
    text = path.read_text(encoding="utf-8").splitlines()
    in_code = {line for t in tokens(path) if t.type == "fence" and t.map for line in range(*t.map)}
    tables = [range(*t.map) for t in tokens(path) if t.type == "table_open" and t.map]
    rows = {line for table in tables for line in table}
    assert [line for i, line in enumerate(text) if line.startswith("|") and i not in rows | in_code] == []
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", text[line])) for line in table}
        assert len(cells) == 1, text[table.start]


@every_file
def test_code_blocks(path: Path) -> None:
    """Python compiles, JSON parses, and bash accepts the shell blocks."""
    for block in blocks(path, "python"):
        compile(block, path.name, "exec")
    for block in blocks(path, "json"):
        json.loads(block)
    for block in blocks(path, *SHELL):
        script = re.sub(r"<[^<>\n]+>", "placeholder", block)
        done = run(["bash", "-n", "-c", script])
        assert (done.returncode, done.stderr) == (0, ""), block


def test_every_command_is_known() -> None:
    """A command is run by one of the tests below, or listed with the reason why not."""
    unknown = [each for each in COMMANDS if program(each) not in BY_PROGRAM and not reason_not_to_run(each)]
    assert unknown == [], "run it in a test of this module, or add it to NOT_RUN"


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_every_exception_is_needed(pattern: str) -> None:
    """Each exception is for a command that the documentation has, and the file in its reason exists."""
    assert any(re.fullmatch(pattern, command) for command in COMMANDS)
    for file in re.findall(r"tests/[\w/]+\.py", NOT_RUN[pattern]):
        assert (ROOT / file).is_file()


@pytest.mark.parametrize("command", BY_PROGRAM["make"])
def test_make_commands(command: str) -> None:
    """``make`` knows the target. It only prints what it would do."""
    assert run(["make", "--dry-run", *command.split()[1:]]).returncode == 0


@pytest.mark.parametrize("command", BY_PROGRAM["omni-pulumi"])
def test_our_commands(command: str, tmp_path: Path) -> None:
    """``omni-pulumi`` accepts the command for a recorded preview, and prints or writes something."""
    digest = RECORDINGS / "update.digest.json"
    shutil.copy(RECORDINGS / "update.log.jsonl", tmp_path / "events.jsonl")
    shutil.copy(digest, tmp_path / "resources.json")
    (tmp_path / "policies.json").write_text("{}", encoding="utf-8")
    before = {*tmp_path.iterdir()}
    done = run(["bash", "-c", command], folder=tmp_path, text=digest.read_text(encoding="utf-8"))
    new = {*tmp_path.rglob("*")} - before
    written = "".join(path.read_text(encoding="utf-8") for path in new if path.is_file())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout or written


@pytest.mark.slow
@pytest.mark.parametrize("command", BY_PROGRAM["pulumi"])
def test_pulumi_commands(command: str, tmp_path: Path) -> None:
    """Pulumi knows the command and its flags. The tests of the examples and the engine tests run such commands."""
    assert pulumi_accepts(command, tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["pulumi upp", "pulumi stack inti try", "pulumi up --diffs"])
def test_wrong_pulumi_commands_are_found(command: str, tmp_path: Path) -> None:
    """A command, a subcommand and a flag that Pulumi does not have fail."""
    assert not pulumi_accepts(command, tmp_path)


def pulumi_accepts(command: str, folder: Path) -> bool:
    """Return whether Pulumi has the help page of a command. It shows that of a group for a wrong subcommand.

    Redirections are left out, so the help page goes to stdout.
    """
    command = re.sub(r"<[^>]+>", "placeholder", command)
    command = re.sub(r" >>? *\S+", "", command)
    pulumi = f"PULUMI_SKIP_UPDATE_CHECK=1 PATH={shlex.quote(engine_path(engine_bin_dir()))}"
    done = run(["bash", "-c", f"{pulumi} {command} --help"], folder=folder)
    words = command[command.index("pulumi ") :].split()
    groups = re.findall(r"^  (pulumi(?: \w+)*) \[command\]$", done.stdout, re.MULTILINE)
    rest = [word for group in groups for word in words[len(group.split()) :]]
    return done.returncode == 0 and (not rest or rest[0].startswith("-"))


def test_make_targets() -> None:
    """Each ``make`` command in a text is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    named = set(re.findall(r"(?:`|\(|^)make ([a-z]+)", texts, re.MULTILINE))
    assert {"demo", "test", "check", "generate"} <= named <= targets


def test_readme_program() -> None:
    """The program in the README is the one that ``make demo`` runs."""
    program = (ROOT / "examples" / "quickstart" / "__main__.py").read_text(encoding="utf-8")
    assert blocks(ROOT / "README.md", "python") == [program]


def test_readme_is_short() -> None:
    """The README has at most 150 lines."""
    assert len(README.splitlines()) <= 150


every_resource = pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)


@every_resource
def test_resource_page(subject: Subject) -> None:
    """The page of a resource has the fields as they are: ``make generate`` updates it."""
    text = subject.page.read_text(encoding="utf-8")
    assert text == page(subject, text)
    assert f"[{subject.name}](docs/resources/{subject.page.name})" in README


@every_resource
def test_resource_page_sections(subject: Subject) -> None:
    """The page of a resource describes adoption, drift, deletion and limits below the generated part."""
    sections = ["Adoption", "Drift", "Deletion", "Limits"]
    written = subject.page.read_text(encoding="utf-8").partition(END)[2]
    headings = re.findall(r"^## (.+)$", written, re.MULTILINE)
    assert [heading for heading in headings if heading in sections] == sections


def test_resource_pages_are_of_resources() -> None:
    """No page is left of a resource that does not exist."""
    assert {subject.page for subject in subjects()} == {*(ROOT / "docs" / "resources").iterdir()}


def test_settings() -> None:
    """The documented settings and defaults are those of the code."""
    documented = dict(re.findall(r"^\| `(?:--secret )?omni:(\w+)` \| `(\w+)` \|", BEHAVIOUR, re.MULTILINE))
    assert documented.keys() == {
        "baseUrl",
        "apiKey",
        "requestsPerMinute",
        "connectTimeout",
        "readTimeout",
        "totalTimeout",
    }
    assert LIGHTDASH.requests_per_minute is None
    assert f"Default: {OMNI.requests_per_minute} for Omni, unlimited for Lightdash" in BEHAVIOUR
    config = {"omni:baseUrl": "https://x.omniapp.co", "omni:apiKey": "key"}
    for value, key in enumerate(("requestsPerMinute", "connectTimeout", "readTimeout", "totalTimeout"), start=7):
        field = re.sub(r"(?=[A-Z])", "_", key).lower()
        assert documented[key] == f"OMNI_{field.upper()}"
        assert getattr(OMNI.instance({**config, f"omni:{key}": str(value)}.get, None), field) == value
        if key.endswith("Timeout"):
            assert re.search(rf"`omni:{key}` .*Default: {getattr(Instance, field):.0f} \|", BEHAVIOUR)


def test_modules_exist() -> None:
    """Each path in the table of modules exists, and the table has each module and package at the top."""
    paths = re.findall(r"^\| `([\w./]+)` \|", ARCHITECTURE, re.MULTILINE)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    top = {module.partition(".")[2].partition(".")[0] for module in MODULES} - {""}
    assert {Path(path).stem for path in paths if path.startswith("omni_pulumi/")} == top


def test_picture_of_the_layers() -> None:
    """Each arrow in the picture of the layers is an import that ``test_layers`` allows. Some imports have no arrow."""
    picture, _ = blocks(ROOT / "docs" / "architecture.md", "mermaid")
    arrows = re.findall(r"^ +(\w+) --> (\w+)$", picture, re.MULTILINE)
    assert arrows
    for upper, lower in arrows:
        allowed = ALLOWED[f"omni_pulumi.{upper}"]
        assert any(is_in(name, f"omni_pulumi.{lower}") for name in allowed), f"{upper} --> {lower}"


@every_resource
def test_files_of_a_resource(subject: Subject) -> None:
    """Each path in the list of what a new resource needs exists for each resource."""
    section = CONTRIBUTING.partition("## Add a resource")[2].partition("\n## ")[0]
    service = "lightdash" if subject.name.startswith("Lightdash") else "omni"
    names = {"<module>": subject.page.stem, "<service>": service}
    paths = re.findall(r"`([a-z_]+/[\w/.<>]+)`", re.sub("|".join(names), lambda found: names[found[0]], section))
    assert len(paths) > 12
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_glossary_is_short() -> None:
    """The glossary has at most ten terms."""
    glossary = CONTRIBUTING.partition("## Glossary")[2].partition("##")[0]
    assert 0 < len(re.findall(r"^\| (?!term|---)", glossary, re.MULTILINE)) <= 10

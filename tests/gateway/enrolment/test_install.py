"""`/install.sh` and `/install/`: what machines fetch before they are anybody."""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request

from infra.settings import ServerSettings
from schemas.people import Role, Scope
from schemas.version import VERSION
from services.gateway.enrolment.install import SCRIPT, fingerprint, install_operations, install_script
from services.gateway.enrolment.wheels import Wheel, folder, lock_file, own_wheel, wheels
from services.gateway.http.person import Person
from services.gateway.http.problems import ProblemError, on_http_error, on_problem
from services.gateway.http.routing import routes
from services.gateway.identities.reach import Reach

URL = "https://sonde.example:8080"
SONDE = f"sonde-{VERSION}-py3-none-any.whl"
CA = ssl.DER_cert_to_PEM_cert(b"a certificate of ours")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder of wheels, with what does not belong into it."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    (directory / SONDE).write_bytes(b"the wheel of Sonde" * 10_000)
    (directory / "msgspec-1.0+local-py3-none-any.whl").write_bytes(b"a dependency")
    (directory / "sonde-0.1.0.tar.gz").write_bytes(b"no wheel")
    (directory / ".hidden.whl.part").write_bytes(b"half a wheel")
    (directory / "directory.whl").mkdir()
    (tmp_path / "secret.whl").write_bytes(b"not for others")
    return directory


async def nobody(request: Request, role: Role, scope: Scope) -> Person:
    raise AssertionError("machines that install have no login")


@asynccontextmanager
async def served(directory: Path, reach: Reach | None = None) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=routes(install_operations(directory, lambda: reach or Reach(URL, ())), nobody),
        exception_handlers={ProblemError: on_problem, HTTPException: on_http_error},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        yield client


def assigned(script: str, name: str) -> str:
    """What the script gives a variable, as a shell sees it."""
    head = script.partition("\nUSER_NAME=")[0]
    done = subprocess.run(["sh", "-c", f'{head}\nprintf %s "${name}"'], capture_output=True, text=True, check=True)
    return done.stdout


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `curl ... | sh -s -- ...` does."""
    return subprocess.run(["sh", "-s", "--", *arguments], input=script, capture_output=True, text=True, check=False)


async def test_the_script_names_the_gateway_the_wheel_and_its_digest(filled: Path) -> None:
    async with served(filled) as client:
        answer = await client.get("/install.sh")
    assert answer.headers["content-type"] == "text/x-shellscript; charset=utf-8"
    assert assigned(answer.text, "GATEWAY") == URL
    assert assigned(answer.text, "WHEEL") == SONDE
    assert assigned(answer.text, "WHEEL_SHA256") == hashlib.sha256(b"the wheel of Sonde" * 10_000).hexdigest()
    assert assigned(answer.text, "REQUIREMENTS_SHA256") == hashlib.sha256(lock_file().read_bytes()).hexdigest()
    assert assigned(answer.text, "CA") == ""


async def test_the_scripts_digest_is_that_of_the_wheel_that_is_there_now(filled: Path) -> None:
    async with served(filled) as client:
        first = assigned((await client.get("/install.sh")).text, "WHEEL_SHA256")
        (filled / SONDE).write_bytes(b"a newer wheel")
        assert assigned((await client.get("/install.sh")).text, "WHEEL_SHA256") != first


def test_a_certificate_authority_of_our_own_is_in_the_script(filled: Path) -> None:
    wheel = own_wheel(filled)
    assert wheel is not None
    own = install_script(Reach(URL, (), CA, pin="cGlu"), wheel)
    assert assigned(own, "CA") == CA.strip()
    assert assigned(own, "CA_FINGERPRINT") == fingerprint(CA)
    of_the_bus_alone = install_script(Reach(URL, (), CA), wheel)
    assert assigned(of_the_bus_alone, "CA") == ""


def test_a_fingerprint_is_of_the_first_certificate_and_its_bytes() -> None:
    assert fingerprint(CA + CA) == fingerprint(CA)
    assert fingerprint(CA) == hashlib.sha256(b"a certificate of ours").hexdigest()


@pytest.mark.parametrize("url", ["https://a'; touch /tmp/x; '", 'https://a"$(id)`id`', "https://a\\b"])
def test_no_address_becomes_a_command(url: str) -> None:
    script = install_script(Reach(url, ()), Wheel(Path(SONDE), "0" * 64))
    assert assigned(script, "GATEWAY") == url


def test_no_placeholder_is_left_and_what_is_written_is_a_shell_script(tmp_path: Path) -> None:
    script = install_script(Reach(URL, (), CA, pin="cGlu"), Wheel(Path(SONDE), "0" * 64))
    assert not re.search("@[A-Z0-9_]+@", script)
    file = tmp_path / "install.sh"
    for text in (script, SCRIPT.read_text()):
        file.write_text(text)
        done = subprocess.run(["sh", "-n", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_script_that_was_cut_off_does_nothing(tmp_path: Path) -> None:
    lines = install_script(Reach(URL, ()), Wheel(Path(SONDE), "0" * 64)).splitlines(keepends=True)
    for end in range(20, len(lines) - 1, 25):
        part = "".join(lines[:end])
        assert not run(part, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--token"], "--token needs a value; see --help"),
        (["--token", ""], "--token needs a value; see --help"),
        (["--tokens", "x"], "--tokens: unknown argument; see --help"),
        (["--prefix", "opt"], "--prefix opt: not an absolute path of a-z A-Z 0-9 / . _ -"),
        (["--prefix", "/"], "--prefix : not an absolute path of a-z A-Z 0-9 / . _ -"),
        (["--prefix", "/opt/../etc"], "--prefix /opt/../etc: not an absolute path of a-z A-Z 0-9 / . _ -"),
        (["--prefix", "/opt/a b"], "--prefix /opt/a b: not an absolute path of a-z A-Z 0-9 / . _ -"),
        (["--token", "x", "--token-file", "y"], "--token and --token-file: give one of them"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments_that_make_no_sense_are_refused_in_one_line(arguments: list[str], complaint: str) -> None:
    script = install_script(Reach(URL, ()), Wheel(Path(SONDE), "0" * 64))
    done = run(script, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"sonde: {complaint}\n")


async def test_without_a_wheel_there_is_no_script_but_the_remedy(tmp_path: Path) -> None:
    async with served(tmp_path / "none's here") as client:
        answer = await client.get("/install.sh")
    assert answer.status_code == 503
    done = run(answer.text)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"sonde: the gateway has no wheel of Sonde {VERSION} in {tmp_path}/none's here; run `make dist` in a checkout, "
        "or put the wheel there, or set SONDE_WHEELS to the directory that has it\n"
    )


async def test_pip_finds_every_wheel_with_its_digest(filled: Path) -> None:
    async with served(filled) as client:
        page = (await client.get("/install/")).text
        links = re.findall(r'<a href="([^#"]+)#sha256=([0-9a-f]{64})">([^<]+)</a>', page)
        assert [name for _, _, name in links] == ["msgspec-1.0+local-py3-none-any.whl", SONDE]
        for href, sha256, _ in links:
            answer = await client.get(f"/install/{href}")
            assert hashlib.sha256(answer.content).hexdigest() == sha256


async def test_no_folder_is_an_empty_page(tmp_path: Path) -> None:
    async with served(tmp_path / "missing") as client:
        answer = await client.get("/install/")
    assert (answer.status_code, answer.text.count("<a ")) == (200, 0)


async def test_the_lock_file_is_served(filled: Path) -> None:
    async with served(filled) as client:
        answer = await client.get("/install/requirements.txt")
    assert answer.content == lock_file().read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/install/../secret.whl",
        "/install/%2e%2e%2fsecret.whl",
        "/install/..%2fsecret.whl",
        "/install/..%5csecret.whl",
        "/install/%2fetc%2fpasswd",
        "/install/sonde-0.1.0.tar.gz",
        "/install/.hidden.whl.part",
        "/install/directory.whl",
        "/install/gone.whl",
        "/install/%00.whl",
    ],
)
async def test_nothing_but_wheels_of_the_folder_is_served(filled: Path, path: str) -> None:
    async with served(filled) as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert b"not for others" not in answer.content


@pytest.mark.parametrize("path", ["/install.sh", "/install/", f"/install/{SONDE}"])
async def test_head_answers_as_get_does_and_nothing_may_be_put(filled: Path, path: str) -> None:
    async with served(filled) as client:
        assert (await client.head(path)).status_code == 200
        assert (await client.put(path)).status_code == 405


def test_the_folder_is_as_set_or_that_of_the_checkout(tmp_path: Path) -> None:
    assert folder(ServerSettings(wheels=str(tmp_path))) == tmp_path
    assert folder(ServerSettings()) == SCRIPT.parents[3] / "dist"


def test_a_wheel_of_another_version_is_not_offered_as_this_ones(filled: Path) -> None:
    (filled / SONDE).rename(filled / "sonde-0.0.0-py3-none-any.whl")
    assert own_wheel(filled) is None
    assert len(wheels(filled)) == 2

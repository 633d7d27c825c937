"""The identity on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from agent.identity.files import accept, complete, is_unfinished, key_of, key_to_enrol, only_one, promote
from agent.identity.state import Identity, IdentityError, credentials_path, directory_of, host_of, load
from infra.authority.keys import Key
from infra.bus.credentials import read_credentials
from infra.settings import AgentSettings


def made(key: Key, host: str = "web-1", ca: str = "") -> Identity:
    return Identity(
        host=host,
        gateway="https://gateway.example",
        public_key=key.public,
        jwt=f"jwt.of.{host}",
        issued=1,
        expires=2,
        enrolled=1,
        bus=["tls://bus.example:4222"],
        page="",
        ca=ca,
    )


def enrolled(data: str, host: str = "web-1", again: bool = False, ca: str = "") -> Identity:
    with only_one(data):
        key = key_to_enrol(data, again)
        identity = made(key, host, ca)
        accept(data, identity, key)
    return identity


def test_without_an_identity_there_is_none(tmp_path: Path) -> None:
    assert load(str(tmp_path)) is None


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    data = str(tmp_path)
    enrolled(data, ca="certificate")
    directory = directory_of(data)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(["seed", "identity.json", "agent.creds", "ca.pem", "lock"], 0o600)


def test_an_attempt_goes_on_with_the_key_of_the_one_before(tmp_path: Path) -> None:
    data = str(tmp_path)
    with only_one(data):
        first = key_to_enrol(data, again=False)
    with only_one(data):
        assert key_to_enrol(data, again=False).public == first.public


def test_two_processes_do_not_enrol_at_once(tmp_path: Path) -> None:
    with (
        only_one(str(tmp_path)),
        pytest.raises(IdentityError, match="another process is enrolling"),
        only_one(str(tmp_path)),
    ):
        pass


def test_the_credentials_are_made_again_from_the_rest(tmp_path: Path) -> None:
    data = str(tmp_path)
    identity = enrolled(data)
    credentials_path(data).write_text("torn")
    complete(data, identity, key_of(data, identity))
    jwt, seed = read_credentials(str(credentials_path(data)))
    assert jwt == b"jwt.of.web-1"
    assert seed.decode() == (directory_of(data) / "seed").read_text().strip()


def test_until_a_new_key_is_accepted_the_old_one_is_in_use(tmp_path: Path) -> None:
    data = str(tmp_path)
    before = enrolled(data)
    with only_one(data):
        key_to_enrol(data, again=True)
    held = load(data)
    assert held == before
    assert key_of(data, before).public == before.public_key
    assert not is_unfinished(data, before)


def test_once_accepted_the_new_key_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    data = str(tmp_path)
    enrolled(data)
    after = enrolled(data, "web-2", again=True)
    assert is_unfinished(data, after)
    assert key_of(data, after).public == after.public_key, "an agent that starts before the last step"
    promote(data, after)
    assert not is_unfinished(data, after)
    assert key_of(data, after).public == after.public_key


def test_a_key_of_another_identity_is_refused_with_the_remedy(tmp_path: Path) -> None:
    data = str(tmp_path)
    identity = enrolled(data)
    (directory_of(data) / "seed").unlink()
    with pytest.raises(IdentityError, match=r"not the key of web-1; restore .* or enrol again"):
        key_of(data, identity)


@pytest.mark.parametrize("text", ["", "{", '{"host": "web-1"}', "[]"])
def test_a_damaged_identity_is_named_with_the_remedy(tmp_path: Path, text: str) -> None:
    directory = directory_of(str(tmp_path))
    directory.mkdir(parents=True)
    (directory / "identity.json").write_text(text)
    with pytest.raises(IdentityError, match="not readable; remove it and enrol again"):
        load(str(tmp_path))


def test_an_identity_of_a_later_version_is_read(tmp_path: Path) -> None:
    data = str(tmp_path)
    identity = enrolled(data)
    path = directory_of(data) / "identity.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "of_later": [1]}))
    assert load(data) == identity


def test_the_host_is_the_identitys_whatever_the_machine_is_called(tmp_path: Path) -> None:
    assert host_of(AgentSettings(data=str(tmp_path), host="db-1")) == "db-1"
    enrolled(str(tmp_path))
    assert host_of(AgentSettings(data=str(tmp_path), host="db-1")) == "web-1"

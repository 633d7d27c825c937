"""The certificate authority that Sonde makes: what it signs, when it signs anew, and what survives."""

from __future__ import annotations

import base64
import hashlib
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from infra.certificates import own
from infra.certificates.own import CertificateError, ensure_certificates, fingerprint, pin

NAMES = ["localhost", "127.0.0.1", "::1", "monitor.example"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILES = ("ca.key", "ca.pem", "server.key", "server.pem")


def make(directory: Path, names: list[str] = NAMES, now: datetime = NOW) -> dict[str, bytes]:
    """The files after a run."""
    ensure_certificates(directory, names, now)
    return {name: (directory / name).read_bytes() for name in FILES}


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def test_openssl_accepts_the_certificate_under_its_strictest_rules(tmp_path: Path) -> None:
    make(tmp_path)
    told = openssl(
        *("verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "monitor.example"),
        *("-attime", str(int(NOW.timestamp())), "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "server.pem")),
    )
    assert told.endswith("server.pem: OK\n")


def test_the_authority_may_sign_listeners_only(tmp_path: Path) -> None:
    authority = x509.load_pem_x509_certificate(make(tmp_path)["ca.pem"])
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca, limits.value.path_length) == (True, True, 0)


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    make(tmp_path / "certificates")
    assert stat.S_IMODE((tmp_path / "certificates").stat().st_mode) == 0o700
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "certificates" / name).stat().st_mode) == 0o600


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert make(tmp_path) == make(tmp_path, now=NOW + timedelta(days=59))


def test_after_two_thirds_of_its_life_the_certificate_is_renewed_with_the_same_key(tmp_path: Path) -> None:
    before, pinned = make(tmp_path), pin(tmp_path)
    after = make(tmp_path, now=NOW + timedelta(days=60, hours=1))
    assert [name for name in FILES if before[name] != after[name]] == ["server.pem"]
    assert pin(tmp_path) == pinned


def test_a_name_that_is_new_is_signed_at_once(tmp_path: Path) -> None:
    make(tmp_path)
    after = make(tmp_path, [*NAMES, "192.0.2.10"])
    alternatives = x509.load_pem_x509_certificate(after["server.pem"]).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "192.0.2.10" in {str(name.value) for name in alternatives.value}


def test_a_name_that_is_gone_is_kept_until_the_renewal(tmp_path: Path) -> None:
    assert make(tmp_path) == make(tmp_path, NAMES[:-1])


def test_a_certificate_from_a_clock_that_was_ahead_is_signed_anew(tmp_path: Path) -> None:
    make(tmp_path)
    ahead = make(tmp_path, [*NAMES, "new"], NOW + timedelta(days=30))
    assert make(tmp_path)["server.pem"] != ahead["server.pem"]


@pytest.mark.parametrize("there", [FILES[:number] for number in range(len(FILES))], ids=lambda there: f"{len(there)}")
def test_what_a_killed_run_left_is_completed(there: tuple[str, ...], tmp_path: Path) -> None:
    before = make(tmp_path)
    for name in FILES[len(there) :]:
        (tmp_path / name).unlink()
    (tmp_path / ".server.key.4711.new").write_text("-----BEGIN")
    after = make(tmp_path)
    assert [name for name in there if after[name] != before[name]] == []
    assert openssl("verify", "-no_check_time", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "server.pem"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "lock"])


def test_a_damaged_certificate_of_the_server_is_signed_anew(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "server.pem").write_text("nonsense")
    assert make(tmp_path)["server.pem"].startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.key"])
def test_a_damaged_file_that_cannot_be_made_anew_is_named_with_the_remedy(name: str, tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / name).write_text("nonsense")
    (tmp_path / "server.pem").unlink()
    with pytest.raises(CertificateError, match=rf"{name}: not .*; restore it from a backup"):
        make(tmp_path)


def test_the_authoritys_key_may_be_away_until_something_is_to_be_signed(tmp_path: Path) -> None:
    before = make(tmp_path)
    (tmp_path / "ca.key").unlink()
    ensure_certificates(tmp_path, NAMES, NOW)
    assert (tmp_path / "server.pem").read_bytes() == before["server.pem"]
    with pytest.raises(CertificateError, match=r"ca.key: no such file.*restore it from a backup"):
        ensure_certificates(tmp_path, NAMES, NOW + timedelta(days=80))


def test_a_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "a")
    other = make(tmp_path / "b")
    (tmp_path / "a" / "ca.key").write_bytes(other["ca.key"])
    (tmp_path / "a" / "server.pem").unlink()
    with pytest.raises(CertificateError, match=r"ca.key: not the key of ca.pem"):
        make(tmp_path / "a")


@pytest.mark.parametrize("years", [-1, 11])
def test_an_authority_out_of_its_time_is_told(years: int, tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(CertificateError, match=r"ca.pem: valid from 2026-02-28 to 2036-03-01.*correct the clock"):
        make(tmp_path, now=NOW + timedelta(days=years * 365))


def test_the_last_certificate_of_an_authority_is_not_signed_again_and_again(tmp_path: Path) -> None:
    late = NOW + own.LIFE * 40
    make(tmp_path)
    assert make(tmp_path, now=late) == make(tmp_path, now=late + timedelta(days=1))


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CertificateError, match=r"file/certificates: .*directory that this user may write"):
        make(tmp_path / "file" / "certificates")


def test_the_fingerprint_is_the_one_that_openssl_shows(tmp_path: Path) -> None:
    make(tmp_path)
    shown = openssl("x509", "-in", str(tmp_path / "ca.pem"), "-noout", "-fingerprint", "-sha256")
    assert fingerprint(tmp_path) == shown.strip().partition("=")[2].replace(":", "").lower()


def test_the_pin_is_the_digest_of_the_servers_public_key(tmp_path: Path) -> None:
    make(tmp_path)
    public = openssl("pkey", "-in", str(tmp_path / "server.key"), "-pubout", "-outform", "PEM")
    der = base64.b64decode("".join(public.splitlines()[1:-1]))
    assert base64.b64decode(pin(tmp_path)) == hashlib.sha256(der).digest()


def test_without_certificates_the_fingerprint_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="SONDE_TLS=own"):
        fingerprint(tmp_path)

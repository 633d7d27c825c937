"""The authority in one file, and back. Whoever has that file can admit anybody: it is written for its owner alone.

A restored authority keeps every revocation that the present one knows, so an older backup brings nobody back.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import time
from pathlib import Path, PurePosixPath

from infra.authority.authority import (
    ACCOUNTS,
    RESTORED,
    Authority,
    AuthorityError,
    issued_in,
    only_one,
    revocations_in,
    union,
)

_MOST_BYTES = 16 * 2**20


def back_up(directory: Path, file: Path) -> int:
    """Write the authority in `directory` to `file`, which must not exist; returns its bytes. Raises AuthorityError."""
    packed = io.BytesIO()
    try:
        with only_one(directory):
            Authority(directory)
            with tarfile.open(fileobj=packed, mode="w:gz") as tar:
                for path in sorted(directory.rglob("*")):
                    if path.is_file() and not path.name.endswith(".new"):
                        tar.add(path, arcname=str(path.relative_to(directory)), recursive=False)
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AuthorityError(f"{file}: exists; choose another name") from None
    except OSError as error:
        raise AuthorityError(f"{error.filename or file}: {str(error.strerror).lower()}") from None
    with os.fdopen(fd, "wb") as out:
        out.write(packed.getvalue())
        out.flush()
        os.fsync(out.fileno())
    return len(packed.getvalue())


def restore(file: Path, directory: Path) -> Path | None:
    """Put the authority in `file` in the place of the one in `directory`; returns where that one is now.

    Servers and services must not run meanwhile. Raises AuthorityError.
    """
    unfinished = directory.with_name(f"{directory.name}.unpacked")
    restored = directory.with_name(directory.name + RESTORED)
    try:
        with only_one(directory):
            if (restored / "authority.json").exists() and not directory.exists():
                restored.rename(directory)  # of an interrupted run: it may know of more revocations than the backup
            for leftover in (unfinished, restored):
                if leftover.exists():
                    shutil.rmtree(leftover)
            unfinished.mkdir(mode=0o700, parents=True)
            _unpack(file, unfinished)
            incoming = Authority(unfinished)
            before = None
            if (directory / "authority.json").exists():
                _keep_revocations(incoming, Authority(directory))
                before = directory.with_name(f"{directory.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
            unfinished.rename(restored)
            if before is not None:
                directory.rename(before)
            elif directory.exists():
                directory.rmdir()
            restored.rename(directory)
            return before
    except OSError as error:
        raise AuthorityError(f"{error.filename or file}: {str(error.strerror).lower()}") from None


def _keep_revocations(incoming: Authority, present: Authority) -> None:
    if incoming.facts.accounts != present.facts.accounts:
        return  # of another fleet: its keys mean nothing here
    for of in ACCOUNTS:
        ours, theirs = present.saved_account(of), incoming.saved_account(of)
        known = union(revocations_in(ours), revocations_in(theirs))
        incoming.save_account(incoming.sign_account(known, max(issued_in(ours), issued_in(theirs)), of), of)


def _unpack(file: Path, into: Path) -> None:
    """Take only plain files of plausible names and sizes out of `file`. Raises AuthorityError and OSError."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if not member.isfile() or path.is_absolute() or ".." in path.parts or member.size > _MOST_BYTES:
                    raise AuthorityError(f"{file}: not a backup of an authority: it contains {member.name[:100]!r}")
                content = tar.extractfile(member)
                target = into / path
                target.parent.mkdir(mode=0o700, exist_ok=True)
                fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(fd, "wb") as out:
                    shutil.copyfileobj(content or io.BytesIO(), out)
                    out.flush()
                    os.fsync(out.fileno())
    except (tarfile.TarError, EOFError) as error:
        raise AuthorityError(f"{file}: not a backup of an authority ({error})") from None

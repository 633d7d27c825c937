"""Node at work on decode.mjs, the decoder that was written from docs/bus.md alone, and what it must say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.codec import decode_batch, decoded_series

NODE = Path(sys.executable).with_name("node")
PROGRAM = Path(__file__).with_name("decode.mjs")


class Decoder:
    """The program, kept running: one batch in, one batch out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def decode(self, data: bytes) -> dict[str, Any]:
        """`data` as the program understands it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(data.hex() + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"decode.mjs ended on {data.hex()}"
        decoded: dict[str, Any] = json.loads(line)
        return decoded


@contextmanager
def decoder(catalogue: Path) -> Iterator[Decoder]:
    """The program with the catalogue in that file, as `GET /api/v1/metrics` answers it."""
    command = [NODE, PROGRAM, catalogue]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Decoder(process)


def expected(data: bytes) -> dict[str, Any]:
    """What our own code reads in `data`, in the program's words."""
    batch = decode_batch(data)
    return {
        "host": batch.host,
        "epoch": batch.epoch,
        "lane": batch.lane,
        "seq": str(batch.seq),
        "periods": {block.family: block.period_ms for block in batch.families},
        "readings": [
            {
                "family": reading.family.name,
                "instance": reading.instance,
                "labels": reading.labels,
                "times": reading.times,
                "columns": {
                    name: [None if count is None else str(count) for count in column]
                    for name, column in reading.columns.items()
                },
            }
            for reading in decoded_series(batch)
        ],
    }

"""How many samples a second the live stream carries: whether a fleet is as live as it says."""

from __future__ import annotations

import time
from collections import Counter

import httpx
import msgspec
from msgspec import Struct


class Sampled(Struct):
    """One host in a frame."""

    host: str
    time: int


class Frame(Struct):
    """The part of a frame that is counted."""

    samples: list[Sampled]


async def samples_per_s(address: str, seconds: float) -> float:
    """Samples that a viewer of all hosts gets in so many seconds from the first frame on, each host's times once."""
    decoder, seen, began_s = msgspec.json.Decoder(Frame), Counter[tuple[str, int]](), 0.0
    url, event = f"{address}/api/v1/live?metrics=cpu.total", ""
    async with httpx.AsyncClient(timeout=60) as client, client.stream("GET", url) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                event = line[6:].strip()
            elif event == "frame" and line.startswith("data:"):
                began_s = began_s or time.monotonic()
                seen.update((sample.host, sample.time) for sample in decoder.decode(line[5:]).samples)
            if began_s and time.monotonic() - began_s > seconds:
                break
    return len(seen) / (time.monotonic() - began_s) if began_s else 0.0

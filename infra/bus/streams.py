"""The streams and the bucket of agents' settings, as JetStream is to have them."""

from __future__ import annotations

import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StorageType, StreamConfig

from schemas.subjects import CONFIG_BUCKET, CONFIG_BYTES, CONFIG_STREAM, STREAMS, Stream


async def ensure_streams(client: Client, streams: tuple[Stream, ...] = STREAMS, replicas: int = 1) -> None:
    """Create or update every stream and the bucket of agents' settings; safe to run by several processes at once."""
    jetstream = client.jetstream()
    for config in (*(stream_config(stream, replicas) for stream in streams), config_bucket(replicas)):
        try:
            await jetstream.stream_info(str(config.name))
        except nats.js.errors.NotFoundError:
            await _add_stream(jetstream, config)
        else:
            await jetstream.update_stream(config)


async def _add_stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except nats.js.errors.BadRequestError:
        await jetstream.update_stream(config)


def config_bucket(replicas: int = 1) -> StreamConfig:
    """The stream behind the key-value bucket CONFIG: one value a host, repeated on `config.<host>` when it changes."""
    return StreamConfig(
        name=CONFIG_STREAM,
        subjects=[f"$KV.{CONFIG_BUCKET}.>"],
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        duplicate_window=120,
        max_msgs_per_subject=1,
        max_bytes=CONFIG_BYTES,
        max_msg_size=64 * 1024,
        num_replicas=replicas,
        allow_rollup_hdrs=True,
        deny_delete=True,
        allow_direct=True,
        republish=RePublish(f"$KV.{CONFIG_BUCKET}.>", "config.>"),
    )


def stream_config(stream: Stream, replicas: int = 1) -> StreamConfig:
    """The JetStream configuration of `stream`."""
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=stream.max_age_s,
        max_bytes=stream.max_bytes,
        max_msg_size=stream.max_msg_bytes,
        discard=DiscardPolicy.NEW if stream.discard_new else DiscardPolicy.OLD,
        duplicate_window=600,
        num_replicas=replicas,
        deny_delete=True,
        allow_direct=True,
    )

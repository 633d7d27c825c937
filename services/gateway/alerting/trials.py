"""`/channels/{channel}/test`: the alerts service sends a test message, and says what came back."""

from __future__ import annotations

import msgspec
import nats.errors

from infra.storage.database import Pool
from schemas.channels import Trial, TrialAnswer
from schemas.routes import ChannelId
from schemas.subjects import TRY_CHANNEL
from services.gateway.alerting import sql_telling as sql
from services.gateway.alerting.channels import CHANNELS_KEY, PATH
from services.gateway.http.bus import Bus
from services.gateway.http.database import connected
from services.gateway.http.operations import Call, Nothing, Operation
from services.gateway.http.problems import ProblemError, unavailable, unknown
from services.gateway.settings.announce import Announce

WITHIN_S = 30.0
"""A test ends by itself before."""


def trial_operations(pool: Pool, bus: Bus, announce: Announce) -> list[Operation]:
    async def send_test(call: Call[Nothing, None]) -> TrialAnswer:
        name = call.path["channel"]
        async with connected(pool) as database:
            if await database.fetchrow(sql.CHANNELS, name) is None:
                raise unknown("channel", name)
        answer = await ask(bus, Trial(name))
        if answer.ok:  # what held it is mended
            async with connected(pool) as database:
                await database.execute(sql.RELEASE_CHANNEL, name)
            await announce(CHANNELS_KEY, 0)
        return answer

    return [
        Operation(
            "POST",
            f"{PATH}/test",
            send_test,
            tag="alerting",
            summary="Send a test message, and say what came back",
            role="operator",
            answers={200: TrialAnswer},
            path_types={"channel": ChannelId},
            refuses=(504,),
            audited=False,
            description="A channel that is held is tried, too; if it takes the message, it is held no longer.",
        )
    ]


async def ask(bus: Bus, trial: Trial) -> TrialAnswer:
    """Raises ProblemError: 503 while nobody listens, 504 when no answer comes in time."""
    client = bus.client
    if client is None or not bus.connected:
        raise unavailable("the gateway is not connected to the bus (NATS); retry", "/problems/bus-away")
    try:
        message = await client.request(TRY_CHANNEL, msgspec.json.encode(trial), timeout=WITHIN_S)
        return msgspec.json.decode(message.data, type=TrialAnswer)
    except nats.errors.NoRespondersError:
        detail = "the alert service does not run, or is away from the bus; check `sonde alerts`"
        raise unavailable(detail, "/problems/alerts-away", 10) from None
    except (TimeoutError, nats.errors.TimeoutError):
        detail = f"the alert service did not answer within {WITHIN_S:g} s; see its log"
        raise ProblemError(504, detail, type="/problems/alerts-silent") from None
    except (nats.errors.Error, msgspec.DecodeError) as error:
        raise unavailable(f"the bus did not deliver the request: {error}", "/problems/alerts-away") from None

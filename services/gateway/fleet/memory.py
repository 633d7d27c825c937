"""The fleet in memory: for every host its state, latest values and last minute, fed by the bus and by the database.

The same sample may arrive three times (live, in its batch, from the database at start) and in any order; a sample time
that a host has had in the last minute is not new again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from schemas.api import AlertCounts, Host, HostDetail, HostState, LiveSample, Refusal, Values
from schemas.catalogue import Family
from schemas.codec import Poison, times_ms
from schemas.messages import Batch, HostFacts
from services.gateway.fleet.given import Given, update_state
from services.gateway.fleet.instances import GONE_PERIODS, ended
from services.gateway.fleet.liveness import host_state
from services.gateway.fleet.membership import Membership
from services.gateway.fleet.recent import WINDOW_MS, History, MessageRing, SummaryRing
from services.gateway.fleet.samples import converters, labels_of, samples_of
from services.gateway.fleet.selection import Selection, by_family, pick

AHEAD_MS = 300_000
"""How far ahead of our clock a sample may be; ingest refuses it too."""
SET_BACK_MS = 5_000
"""A newest sample this far in the future followed by an older one: the host's clock was set back."""


@dataclass(slots=True)
class _Record:
    """What is known of one host."""

    name: str
    facts: HostFacts = field(default_factory=HostFacts)
    """What the agent says."""
    given: Given = field(default_factory=Given)
    alerts: AlertCounts = field(default_factory=AlertCounts)
    state: HostState = "offline"
    """As last announced to viewers."""
    newest_ms: int = 0
    """Time of the newest sample; 0 while there is none."""
    stored_ms: int = 0
    """Time of the newest sample in the tables, where it is later: of back-filled ones, or of rows that are gone."""
    seen_ms: int = 0
    """As `newest_ms`, but never later than that sample's arrival: no clock ahead of ours makes a host look alive."""
    live_ms: int = 0
    """When the last live message arrived."""
    latest: Values = field(default_factory=dict)
    latest_ms: dict[str, dict[str, int]] = field(default_factory=dict)
    """Time of each row of `latest`, by family and instance."""
    labels: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    times_ms: set[int] = field(default_factory=set)
    """Sample times of the last minute."""
    summary: SummaryRing = field(default_factory=SummaryRing)
    messages: MessageRing = field(default_factory=MessageRing)
    periods_ms: dict[str, int] = field(default_factory=dict)
    """Family -> time between its samples, where the host's settings made it another than the catalogue's."""
    shed: bool = False
    """Whether viewers still show what was forgotten here: a family that ended, times of a clock that was set back."""
    change: int = 0
    """Number of the last change of anything that is shown of the host."""


class Fleet:
    """All hosts. Every method is synchronous, so between two awaits the whole is consistent."""

    def __init__(self, catalogue: tuple[Family, ...]) -> None:
        self.catalogue = catalogue
        self.down_s = 30.0
        """Seconds without a sample after which a host is offline; a setting."""
        self._watched_ms: dict[str, int] = {}
        """Since when each host, or `*` for all, has been asked to send every sample."""
        self.complete = False
        """Whether the hosts of the table were read: before that, only those are known that have sent something."""
        self.refusals: dict[str, list[Refusal]] = {}
        """What ingest refused, by host."""
        self._convert = converters(catalogue)
        self._periods_s = {family.name: family.period_s for family in catalogue}
        self._records: dict[str, _Record] = {}
        self._changes = 0
        self.members = Membership()

    def __contains__(self, host: str) -> bool:
        return host in self._records

    def names(self) -> list[str]:
        return sorted(self._records)

    def facts(self, host: str) -> HostFacts:
        """Facts of `host`, empty when it is unknown."""
        record = self._records.get(host)
        return record.facts if record else HostFacts()

    def tags(self, host: str) -> tuple[str, ...]:
        """The tags of `host`, none when it is unknown."""
        record = self._records.get(host)
        return record.given.tags if record else ()

    def change(self, host: str) -> int:
        """A number that grows whenever something that is shown of `host` changes. KeyError when it is unknown."""
        return self._records[host].change

    def _touch(self, record: _Record) -> None:
        self._changes += 1
        record.change = self._changes

    def enter(self, host: str, host_id: int, archived: bool = False, last_ms: int | None = None) -> bool:
        """Note a row of the table; True when that is news."""
        former, was_archived = self.members.id_of(host), self.members.is_archived(host)
        if not self.members.enter(host, host_id, archived):
            return False
        if former not in (0, host_id):
            self._records.pop(host, None)  # another machine under the name of one that was removed
        news = host not in self._records or was_archived != archived
        record = self._record(host)
        if archived:
            record.newest_ms = max(record.newest_ms, last_ms or 0)
        if archived and news:
            record.summary, record.alerts = SummaryRing(), AlertCounts()
            record.messages.clear()
            record.times_ms.clear()
        if news:
            self._touch(record)
        return news

    def forget(self, host: str, host_id: int = 0) -> bool:
        """Forget a removed host, which had `host_id` at most, until it has enrolled again; True if it was known."""
        self.members.forget(host, host_id)
        self.refusals.pop(host, None)
        return self._records.pop(host, None) is not None

    def take(self, batch: Batch, data: bytes, now_ms: int) -> list[LiveSample]:
        """Take in a checked batch, encoded in `data`; returns its samples that are new and of the last minute.

        Raises Poison, and takes nothing, when a value or a time is impossible.
        """
        record, samples = self._note(batch, now_ms)
        live = batch.lane == "live"
        if live:
            record.live_ms = now_ms
        fresh = [sample for sample in samples if self._is_fresh(record, sample.time)]
        self._touch(record)
        for sample in fresh:
            record.times_ms.add(sample.time)
            record.summary.add(sample)
        if fresh or not live:
            record.messages.add(times_ms(batch.times), live, data)
        if len(record.times_ms) > 2 * WINDOW_MS // 1000:
            record.times_ms = {time for time in record.times_ms if time > record.newest_ms - WINDOW_MS}
        return fresh

    def recall(self, batch: Batch, now_ms: int) -> None:
        """Note the newest row of each family and instance, as the database has them: latest values, not samples."""
        record, _ = self._note(batch, now_ms)
        self._touch(record)

    def _note(self, batch: Batch, now_ms: int) -> tuple[_Record, list[LiveSample]]:
        """Note times, labels and, where they are the latest, values. Raises Poison before anything is noted."""
        if self.members.is_gone(batch.host):
            return _Record(batch.host), []
        times = times_ms(batch.times)
        newest = max(times)
        known = self._records.get(batch.host)
        has_all = known is not None and _has_all(known, batch, times)
        samples = [] if has_all else samples_of(batch, self.catalogue, self._convert)
        if newest > now_ms + AHEAD_MS:
            raise Poison(f"sample time {newest} ms is more than {AHEAD_MS // 1000} s in the future")
        record = self._record(batch.host)
        if newest < record.newest_ms - WINDOW_MS and record.newest_ms > now_ms + SET_BACK_MS:
            self._forget_times(record, min(times))
        record.newest_ms = max(record.newest_ms, newest)
        record.seen_ms = max(record.seen_ms, min(newest, now_ms))
        for block in batch.families:
            record.periods_ms[block.family] = block.period_ms
        for family, labels in labels_of(batch).items():
            record.labels.setdefault(family, {}).update(labels)
        for sample in samples:
            for family, instances in sample.families.items():
                held = record.latest_ms.setdefault(family, {})
                for instance, row in instances.items():
                    if sample.time >= held.get(instance, 0):
                        held[instance] = sample.time
                        record.latest.setdefault(family, {})[instance] = row
        self._drop_gone(record)
        return record, samples

    def _is_fresh(self, record: _Record, time_ms: int) -> bool:
        return time_ms not in record.times_ms and time_ms > record.newest_ms - WINDOW_MS

    def _forget_times(self, record: _Record, now_ms: int) -> None:
        """Begin anew at `now_ms` after a host's clock was set back; values stay until newer ones replace them."""
        record.newest_ms = record.seen_ms = 0
        record.times_ms.clear()
        record.summary = SummaryRing()
        record.messages.clear()
        record.latest_ms = {family: dict.fromkeys(times, now_ms) for family, times in record.latest_ms.items()}
        record.shed = True

    def _drop_gone(self, record: _Record) -> None:
        """Drop instances that their family outlives (an unplugged disk) and families that the host outlives."""
        for family, times in list(record.latest_ms.items()):
            period_ms = self._period_ms(record, family)
            newest = max(times.values())
            if record.newest_ms - newest > GONE_PERIODS * period_ms + WINDOW_MS:
                for families in (record.latest_ms, record.latest, record.labels):
                    families.pop(family, None)
                record.shed = True
                continue
            for instance in ended(times, period_ms):
                for rows in (times, record.latest[family], record.labels.get(family, {})):
                    rows.pop(instance, None)

    def period_ms(self, host: str, family: str) -> int:
        """Time between two samples of `family` on `host`."""
        return self._period_ms(self._records.get(host) or _Record(host), family)

    def _period_ms(self, record: _Record, family: str) -> int:
        usual_ms = 1000 * max(self._periods_s[family], record.facts.sample_interval_s)
        return record.periods_ms.get(family) or round(usual_ms)

    def learn(
        self,
        host: str,
        facts: HostFacts | None = None,
        alerts: AlertCounts | None = None,
        given: Given | None = None,
    ) -> bool:
        """Note facts, alert counts or what people say of `host`, which need not have sent anything yet.

        True when something changed.
        """
        if self.members.is_gone(host):
            return False
        new = host not in self._records
        record = self._record(host)
        if given is not None and given.version < record.given.version:
            given = None  # read before a change that is known here already
        told = (facts or record.facts, alerts or record.alerts, given or record.given)
        changed = new or told != (record.facts, record.alerts, record.given)
        record.facts, record.alerts, record.given = told
        if changed:
            self._touch(record)
        return changed

    def learn_stored(self, host: str, last_ms: int, now_ms: int) -> bool:
        """Note when the newest sample was taken that the tables have of `host`; True when none so late is known here.

        One ahead of our clock is passed over: that host's clock may have been set back since.
        """
        record = self._records.get(host)
        if record is None or last_ms > now_ms or last_ms <= max(record.newest_ms, record.stored_ms):
            return False
        record.stored_ms = last_ms
        self._touch(record)
        return True

    def is_blank(self, host: str) -> bool:
        """Whether no value of `host` is known."""
        record = self._records.get(host)
        return record is not None and not record.latest

    def learn_labels(self, host: str, family: str, instance: str, labels: dict[str, str]) -> None:
        """Labels as the database has them, for an instance that is shown."""
        record = self._records.get(host)
        if record and instance in record.latest.get(family, {}):
            record.labels.setdefault(family, {}).setdefault(instance, labels)
            self._touch(record)

    def watch(self, hosts: list[str], now_ms: int) -> None:
        """Note which hosts, or `*` for all, are asked to send every sample from now on."""
        self._watched_ms = {host: self._watched_ms.get(host, now_ms) for host in hosts}

    def turned(self, now_ms: int, host: str | None = None) -> list[str]:
        """Hosts, or that one host, of which viewers must be told; now they count as announced.

        Their state is another than the one last announced, or something was forgotten that no sample will replace.

        A host that is not known here yet has none.
        """
        records: Iterable[_Record] = self._records.values()
        if host is not None:
            records = filter(None, [self._records.get(host)])
        turned = []
        for record in records:
            state = self._state(record, now_ms)
            if state != record.state or record.shed:
                record.state, record.shed = state, False
                self._touch(record)
                turned.append(record.name)
        return turned

    def newest(self, host: str) -> tuple[Values, dict[str, dict[str, int]]] | None:
        """Latest values, and when they were sampled: live, not to be kept. None for a host that is unknown."""
        record = self._records.get(host)
        return None if record is None else (record.latest, record.latest_ms)

    def newest_ms(self, host: str) -> int:
        """When its newest sample was taken; 0 while there is none."""
        record = self._records.get(host)
        return 0 if record is None else record.newest_ms

    def states(self, now_ms: int) -> dict[str, HostState]:
        """Of every host."""
        return {name: self._state(record, now_ms) for name, record in self._records.items()}

    def _state(self, record: _Record, now_ms: int) -> HostState:
        if self.members.is_archived(record.name):
            return "archived"
        since_ms = self._watched_ms.get(record.name, self._watched_ms.get("*"))
        live = since_ms is not None and record.live_ms >= since_ms
        return host_state(record.seen_ms or None, now_ms, live, record.facts, self.down_s)

    def host(self, name: str, now_ms: int, metrics: dict[str, frozenset[str]] | None = None) -> Host:
        """What the API shows of a host; of its values the part that `metrics` names. KeyError when it is unknown."""
        record = self._records[name]
        return Host(
            name,
            self._state(record, now_ms),
            max(record.newest_ms, record.stored_ms) or None,
            record.facts,
            record.alerts,
            pick(record.latest, metrics),
            record.labels,
            record.given.label,
            list(record.given.tags),
            [tag for tag in record.facts.tags if tag not in record.given.tags],
            record.given.muted(now_ms),
            record.given.version,
            update_state(record.facts.agent_version),
        )

    def detail(self, name: str, now_ms: int) -> HostDetail:
        """`host` with what only its own page shows. KeyError when it is unknown."""
        return HostDetail(
            **structs.asdict(self.host(name, now_ms)),
            refusals=self.refusals.get(name, []),
            note=self._records[name].given.note,
        )

    def past(self, name: str, detailed: bool, metrics: dict[str, frozenset[str]] | None) -> History:
        """The last minute of a host: if `detailed`, everything that `metrics` names, else the summary metrics.

        KeyError when it is unknown.
        """
        record = self._records[name]
        return record.messages.history(self.catalogue, self._convert, metrics) if detailed else record.summary.history()

    def hosts(self, selection: Selection, now_ms: int) -> list[Host]:
        """The selected hosts, by name."""
        metrics = by_family(selection.metrics)
        return [self.host(name, now_ms, metrics) for name in self._selected(selection)]

    def _selected(self, selection: Selection) -> list[str]:
        return [name for name in self.names() if selection.shows(name, self.tags(name))]

    def _record(self, host: str) -> _Record:
        record = self._records.get(host)
        if record is None:
            record = self._records[host] = _Record(host)
        return record


def _has_all(record: _Record, batch: Batch, times: Sequence[int]) -> bool:
    """Whether every sample of a batch came live before, so that nothing of it need be looked at again."""
    if not record.times_ms.issuperset(times):
        return False
    for block in batch.families:
        latest_ms = record.latest_ms.get(block.family, {})
        for series in block.series:
            rows = series.rows
            last_ms = times[-1] if rows is None else times[rows[-1]] if rows else 0
            if latest_ms.get(series.instance, -1) < last_ms:
                return False
    return True

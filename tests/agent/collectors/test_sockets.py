"""Sums of sockets and tracked connections."""

from __future__ import annotations

from pathlib import Path

from agent.collectors.linux.sockets import Sockets, Tcp, parse_snmp, parse_time_wait

SNMP = b"""Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm MaxConn CurrEstab InSegs RetransSegs
Tcp: 1 -1 12 1000 50
Udp: InDatagrams
Udp: 3
"""
SOCKSTAT = b"""sockets: used 19
TCP: inuse 2 orphan 0 tw 7 alloc 2 mem 67
UDP: inuse 0 mem 0
"""


def proc(tmp_path: Path, tracked: bool = True) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "snmp").write_bytes(SNMP)
    (tmp_path / "net" / "sockstat").write_bytes(SOCKSTAT)
    directory = tmp_path / "sys" / "net" / "netfilter"
    directory.mkdir(parents=True)
    if tracked:
        (directory / "nf_conntrack_count").write_text("50\n")
        (directory / "nf_conntrack_max").write_text("200\n")
    return tmp_path


def test_columns_are_found_by_their_names() -> None:
    assert parse_snmp(SNMP) == Tcp(12, 50)
    assert parse_snmp(b"Tcp: CurrEstab\n") == Tcp(None, None)


def test_time_wait_is_that_of_tcp() -> None:
    assert parse_time_wait(SOCKSTAT) == 7
    assert parse_time_wait(b"sockets: used 1\n") is None


def test_everything_is_told(tmp_path: Path) -> None:
    sockets = Sockets(str(proc(tmp_path) / "net"), str(tmp_path))
    assert sockets.collect(0)[""]["tcp_retransmits"] is None
    (tmp_path / "net" / "snmp").write_bytes(SNMP.replace(b"1000 50", b"1000 80"))
    assert sockets.collect(10)[""] == {
        "tcp_established": 12,
        "tcp_time_wait": 7,
        "tcp_retransmits": 3,
        "conntrack_used": 50,
        "conntrack_limit": 200,
        "conntrack_percent": 25,
    }


def test_without_connection_tracking_only_its_metrics_are_null(tmp_path: Path) -> None:
    values = Sockets(str(proc(tmp_path, tracked=False) / "net"), str(tmp_path)).collect(0)[""]
    assert values["conntrack_used"] is values["conntrack_percent"] is None
    assert values["tcp_established"] == 12


def test_connection_tracking_that_is_loaded_later_is_seen(tmp_path: Path) -> None:
    sockets = Sockets(str(proc(tmp_path, tracked=False) / "net"), str(tmp_path))
    sockets.collect(0)
    (tmp_path / "sys" / "net" / "netfilter" / "nf_conntrack_count").write_text("9\n")
    assert sockets.collect(10)[""]["conntrack_used"] == 9


def test_a_part_that_is_missing_costs_only_its_own_metrics(tmp_path: Path) -> None:
    sockets = Sockets(str(proc(tmp_path) / "net"), str(tmp_path))
    (tmp_path / "net" / "sockstat").unlink()
    values = sockets.collect(0)[""]
    assert (values["tcp_established"], values["tcp_time_wait"]) == (12, None)


def test_a_kernel_without_a_network_has_no_such_family(tmp_path: Path) -> None:
    assert Sockets(str(tmp_path / "net"), str(tmp_path)).collect(0) == {}


def test_a_counter_that_went_back_gives_null_once(tmp_path: Path) -> None:
    sockets = Sockets(str(proc(tmp_path) / "net"), str(tmp_path))
    rates: list[float | None] = []
    for count in (b"50", b"10", b"30"):
        (tmp_path / "net" / "snmp").write_bytes(SNMP.replace(b"1000 50", b"1000 " + count))
        rates.append(sockets.collect(10.0 * len(rates))[""]["tcp_retransmits"])
    assert rates == [None, None, 2]

import pytest

from services.alerts.deliver.formats import format_duration, format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (92.5, "%", "92.5 %"),
        (75.0, "%", "75 %"),
        (0.25, "%", "0.25 %"),
        (0, "%", "0 %"),
        (-0.001, "%", "0 %"),
        (512, "B", "512 B"),
        (1536, "B", "1.5 KiB"),
        (1024**3 - 1, "B", "1 GiB"),
        (1.5 * 1024**3, "B", "1.5 GiB"),
        (2**62, "B", "4 EiB"),
        (12 * 1024**2, "B/s", "12 MiB/s"),
        (3.2, "1/s", "3.2 /s"),
        (12345, "", "12,345"),
        (1.25, "", "1.2"),
        (41.5, "°C", "41.5 °C"),
        (-3, "°C", "-3 °C"),
        (250.4, "W", "250.4 W"),
        (3400, "MHz", "3,400 MHz"),
        (0.42, "ms", "0.42 ms"),
        (330, "s", "5 min 30 s"),
        (None, "%", "no value"),
    ],
)
def test_a_value_reads_like_people_write_it(value: float | None, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (45.4, "45 s"),
        (59.6, "1 min"),
        (300, "5 min"),
        (7500, "2 h 5 min"),
        (7201, "2 h"),
        (273600, "3 d 4 h"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_duration_shows_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text

"""What crosses a boundary: the metric catalogue, the messages, the subjects and their codecs. Imports msgspec only."""

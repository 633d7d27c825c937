"""The live stream: its viewers and feeds, and what they are fed from."""

"""Tests of services/gateway: pure decisions, then the API and the live stream on real servers."""

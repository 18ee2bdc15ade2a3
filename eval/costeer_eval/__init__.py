"""Asks questions with and without private context of running servers, and judges the answers."""

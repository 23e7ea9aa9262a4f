"""Faults on purpose, one module each, run by script/chaos NAME. Each starts a private site of its own, and nothing else
is killed. Each prints one table and ends with status 1 when a promise was broken."""

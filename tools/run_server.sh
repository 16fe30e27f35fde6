#!/usr/bin/env bash
# Starts the built server on ./datasets, which gets a sample dataset when it holds none.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

./dev python3 tools/make_sample.py datasets
cat <<'TEXT'
Serving ./datasets. Three commands to try in another shell, from this folder:

  ./dev build/release/hangar ls
  ./dev build/release/hangar head planets.parquet
  ./dev python3 -c 'import pyarrow.flight as flight; print(flight.connect("grpc://127.0.0.1:8815").do_get(flight.Ticket(b"planets.parquet")).read_all())'

Ctrl-C stops the server.

TEXT

# On a terminal the server gets a process group of its own, so that Ctrl-C reaches it alone: its
# exit code is then what make sees, instead of make dying of the same signal with a complaint.
# Should this script be ended, the server is told to stop.
if [[ -t 0 ]]; then
  set -m
  ./dev setpriv --pdeathsig TERM build/release/hangar serve --data datasets
else
  exec ./dev build/release/hangar serve --data datasets
fi

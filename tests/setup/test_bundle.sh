#!/usr/bin/env bash
# The portable bundle works on this system as it is: tests/setup/test_bundle.sh BUNDLE.tar.gz. It is
# unpacked below a path with a blank, reached through a link, and given an empty environment.
set -euo pipefail

bundle=$(realpath -- "${1:?usage: tests/setup/test_bundle.sh BUNDLE.tar.gz}")
scratch=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true
  rm -rf -- "$scratch"
}
trap finish EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

name=$(basename -- "$bundle" .tar.gz)
version=${name#hangar-}
version=${version%%-*}
mkdir -p "$scratch/some place" "$scratch/bin" "$scratch/data"
tar -xzf "$bundle" -C "$scratch/some place" --no-same-owner
[[ $(ls "$scratch/some place") == "$name" ]] || fail "the bundle holds more than the folder $name"
ln -s "../some place/$name/bin/hangar" "$scratch/bin/hangar"
cd "$scratch"
hangar() { timeout 60 env -i PATH=/usr/bin:/bin "$scratch/bin/hangar" "$@"; }

shown=$(hangar --version)
[[ $shown == *"$version"* ]] || fail "--version says '$shown', the bundle is named $version"
for program in "some place/$name/bin/hangar" bin/hangar; do
  [[ $(timeout 60 "$program" --version) == "$shown" ]] || fail "$program does not run"
done
[[ $(cd bin && timeout 60 sh hangar --version) == "$shown" ]] || fail "sh hangar does not run"
echo "ok: --version says $shown"

mkfifo output
env -i PATH=/usr/bin:/bin "$scratch/bin/hangar" serve --data "$scratch/data" --listen grpc://127.0.0.1:0 >output 2>server.log &
server=$!
exec {from_server}<output
read -r -t 60 first_line <&"$from_server" || fail "serve says nothing: $(cat server.log)"
[[ $first_line =~ ^listening\ on\ (grpc://127\.0\.0\.1:[0-9]+)$ ]] || fail "serve says '$first_line'"
address=${BASH_REMATCH[1]}
foreign=$(grep -o '/[^ ].*\.so[^/]*$' "/proc/$server/maps" | sort -u | grep -vF "$scratch/some place/$name/lib/" || true)
[[ -z $foreign ]] || fail "libraries of this system are in use: $foreign"
echo "ok: serve is $first_line, with the bundle's own libraries"

printf 'planet,moons\nEarth,1\nMars,2\n' >planets.csv
hangar put -q --server "$address" planets.parquet planets.csv || fail "put does not work"
[[ -s data/planets.parquet ]] || fail "put left no file in the data folder"
hangar get -q --server "$address" planets.parquet -o back.csv || fail "get does not work"
[[ $(tr -d '"' <back.csv) == "$(cat planets.csv)" ]] || fail "get gives back: $(cat back.csv)"
hangar get -q --server "$address" planets.parquet -o back.parquet || fail "get as Parquet does not work"
hangar put -q --server "$address" again.parquet back.parquet || fail "put of Parquet does not work"
[[ $(hangar ls --server "$address") == *again.parquet*planets.parquet* ]] || fail "ls does not list both"
echo "ok: put, get and ls"

kill -TERM "$server"
code=0
wait "$server" || code=$?
server=
[[ $code -eq 0 ]] || fail "serve ends with $code on SIGTERM: $(cat server.log)"
echo "ok: SIGTERM stops the server"

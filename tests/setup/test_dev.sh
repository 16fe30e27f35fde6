#!/usr/bin/env bash
# What ./dev promises: tests/setup/test_dev.sh. Run on a host without Arrow Flight it looks at the
# making and entering of roots too, with a stand-in for mmdebstrap, so that nothing is downloaded.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
set -euo pipefail

project=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
dev=$project/dev
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system -- "$scratch"' EXIT
failures=0

# expect WHAT WANTED FOUND
expect() {
  if [[ $2 == "$3" ]]; then
    echo "ok: $1"
  else
    printf 'FAILED: %s\n  wanted: %q\n  found:  %q\n' "$1" "$2" "$3" >&2
    failures=$((failures + 1))
  fi
}

# Prints the exit code of a command whose output does not matter.
code_of() {
  local code=0
  "$@" >/dev/null 2>&1 || code=$?
  echo "$code"
}

native=$("$dev" sh -c 'if [ "$PATH" = "$1" ]; then echo yes; else echo no; fi' sh "$PATH")
readonly native

test_running() {
  expect "the exit code is the command's" 7 "$(code_of "$dev" sh -c 'exit 7')"
  expect "a command that is not there gives 127" 127 "$(code_of "$dev" no-such-command)"
  expect "no command is a usage error" 2 "$(code_of "$dev")"
  expect "an unknown option is a usage error" 2 "$(code_of "$dev" --no-such-option)"
  expect "help is no error" 0 "$(code_of "$dev" --help)"
  expect "standard input and output are the command's" "a b" "$(echo 'a b' | "$dev" cat)"
  expect "standard error is apart" "out" "$("$dev" sh -c 'echo out; echo err >&2' 2>/dev/null)"
  expect "arguments arrive as they are" "[a b][][\$x][\"'][-n]" \
    "$("$dev" sh -c 'printf "[%s]" "$@"' sh 'a b' '' '$x' "\"'" -n)"
  expect "the environment is passed on" "some thing" "$(HANGAR_PROBE='some thing' "$dev" sh -c 'echo "$HANGAR_PROBE"')"
  expect "the environment's home may be missing" "$project" "$(cd "$project" && env -u HOME "$dev" pwd)"
  mkdir -p "$scratch/some folder"
  expect "the current folder stays" "$scratch/some folder" "$(cd "$scratch/some folder" && "$dev" pwd)"
  (cd "$scratch/some folder" && "$dev" sh -c 'echo text >file')
  expect "what is written there is there" "text" "$(cat "$scratch/some folder/file")"
  expect "the user stays" "$(id -u)" "$("$dev" id -u)"
}

test_signals() {
  local pid signal code
  "$dev" sh -c 'echo $$' >"$scratch/pid" &
  pid=$!
  wait "$pid"
  expect "the command takes ./dev's own place" "$pid" "$(cat "$scratch/pid")"
  mkfifo "$scratch/ready"
  for signal in TERM KILL; do
    "$dev" sh -c 'echo >"$1"; exec sleep 600' sh "$scratch/ready" &
    pid=$!
    read -r <"$scratch/ready"
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" 2>/dev/null || code=$?
    expect "SIG$signal to ./dev ends the command" "$((128 + $(kill -l "$signal")))" "$code"
  done
  rm "$scratch/ready"
}

# Puts a stand-in for mmdebstrap first on PATH. It makes a root of a shell and little more, and notes
# each call; it fails or waits to be ended when the file "behaviour" says so.
fake_mmdebstrap() {
  mkdir -p "$scratch/bin"
  cat >"$scratch/bin/mmdebstrap" <<'FAKE'
#!/usr/bin/env bash
set -euo pipefail
scratch=$(dirname -- "$(dirname -- "${BASH_SOURCE[0]}")")
echo $$ >>"$scratch/calls"
target=${!#}
root=$target
[[ $target == - ]] && root=$(mktemp -d "$scratch/stream.XXXXXX")
mkdir -p "$root/etc" "$root/usr/bin" "$root/tmp"
case $(cat "$scratch/behaviour") in
  fail) exit 1 ;;
  wait) echo >"$scratch/started"; exec sleep 600 ;;
esac
for program in /bin/sh /bin/cat "$(command -v setpriv)"; do
  for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do cp -L --parents "$file" "$root"; done
done
[[ -e $root/usr/bin/setpriv ]] || cp -L "$(command -v setpriv)" "$root/usr/bin/"
if [[ $target == - ]]; then tar -C "$root" -c .; fi
FAKE
  chmod +x "$scratch/bin/mmdebstrap"
  PATH=$scratch/bin:$PATH
  echo make >"$scratch/behaviour"
  : >"$scratch/calls"
}

# A project of its own, below a path with a blank, with a cache of its own.
test_making_roots() {
  local copy="$scratch/a project" first second pid code
  fake_mmdebstrap
  export XDG_CACHE_HOME="$scratch/a cache"
  mkdir -p "$copy/packaging"
  cp "$dev" "$copy/"
  echo first >"$copy/packaging/debian-packages.txt"
  cd "$copy"

  echo fail >"$scratch/behaviour"
  expect "a root that cannot be made is ./dev's own failure" 125 "$(code_of ./dev /bin/sh -c true)"
  expect "and nothing of it stays" "lock" "$(ls "$XDG_CACHE_HOME/hangar")"

  echo wait >"$scratch/behaviour"
  mkfifo "$scratch/started"
  ./dev /bin/sh -c true 2>/dev/null &
  pid=$!
  read -r <"$scratch/started"
  kill -TERM "$pid"
  code=0
  wait "$pid" 2>/dev/null || code=$?
  expect "an interrupted making ends by the signal" 143 "$code"
  expect "and nothing of it stays either" "lock" "$(ls "$XDG_CACHE_HOME/hangar")"
  expect "and mmdebstrap has ended" 1 "$(code_of kill -0 "$(tail -n 1 "$scratch/calls")")"

  echo make >"$scratch/behaviour"
  : >"$scratch/calls"
  ./dev /bin/sh -c 'exit 3' 2>/dev/null &
  first=$!
  ./dev /bin/sh -c 'exit 4' 2>/dev/null &
  second=$!
  code=0
  wait "$first" || code=$?
  expect "of two at once, one runs" 3 "$code"
  code=0
  wait "$second" || code=$?
  expect "and the other" 4 "$code"
  expect "in one root, made once" 1 "$(wc -l <"$scratch/calls")"
  expect "the host's PATH stays outside" no "$(./dev /bin/sh -c 'case $PATH in *'"$scratch"'*) echo yes ;; *) echo no ;; esac')"
  echo visible >file
  expect "a project with a blank in its path is seen" visible "$(./dev /bin/cat file)"

  echo second >>"$copy/packaging/debian-packages.txt"
  expect "a changed list says what is left over" 1 "$(./dev /bin/sh -c true 2>&1 | grep -c -- '--prune')"
  expect "and makes a second root" 2 "$(find "$XDG_CACHE_HOME/hangar" -maxdepth 1 -name 'root-*' | wc -l)"
  : >"$scratch/calls"
  ./dev --prune 2>/dev/null
  expect "pruning leaves one root" 1 "$(find "$XDG_CACHE_HOME/hangar" -maxdepth 1 -name 'root-*' | wc -l)"
  expect "the one of this list" "0 0" "$(code_of ./dev /bin/sh -c true) $(wc -l <"$scratch/calls")"
}

test_running
test_signals
if [[ $native == yes ]]; then
  echo "skipped: the making of roots (the toolchain is installed on this system)"
elif [[ $EUID -ne 0 ]] && ! { command -v newuidmap && grep -q "^$(id -un):" /etc/subuid; } >/dev/null 2>&1; then
  echo "skipped: the making of roots (this user has no range in /etc/subuid)"
else
  test_making_roots
fi
if [[ $failures -gt 0 ]]; then
  echo "$failures expectation(s) of ./dev failed" >&2
  exit 1
fi

#!/usr/bin/env bash
# A real S3 server for the tests: one node of Ceph (a monitor, a storage daemon that keeps all in
# memory, the S3 gateway), reachable from this machine alone. Run it in the toolchain:
#
#   ./dev tests/s3/ceph.sh install              gets Ceph, once, below ~/.cache/hangar (0.6 GB)
#   ./dev tests/s3/ceph.sh run COMMAND...       runs COMMAND with a Ceph that ends with it
#   eval "$(./dev tests/s3/ceph.sh start DIR)"  starts one that keeps its state in the new folder DIR
#   ./dev tests/s3/ceph.sh stop DIR             ends it; DIR and all that was stored is gone
#
# COMMAND and the caller of "start" get AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
# AWS_REGION, HANGAR_S3_BUCKET, the name of a bucket that is there, and HANGAR_S3_URI, which names it
# as --data does. Clients use path-style addresses. As many as wanted run at once; none needs root, a
# mount or a fixed port.
set -euo pipefail

readonly packages=(ceph-common ceph-mon ceph-osd radosgw)
readonly start_seconds=60
# What may be stored. Memory is taken only as objects come.
readonly capacity_bytes=$((8 << 30))

export AWS_ACCESS_KEY_ID=HANGARTESTACCESSKEY0
export AWS_SECRET_ACCESS_KEY=hangar-test-secret-key-not-a-secret-0000
export AWS_REGION=us-east-1
export HANGAR_S3_BUCKET=test
readonly given=(AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION
  HANGAR_S3_BUCKET HANGAR_S3_URI)

say() { printf 'ceph: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
usage() {
  sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

cache=${XDG_CACHE_HOME:-}
[[ $cache == /* ]] || cache=${HOME:?}/.cache
readonly root=$cache/hangar/ceph-20

# --- install

# The packages are only unpacked: the programs run with the loader and the libraries that came with
# them, so they neither touch this system nor depend on it.
unpack() {
  local partial=$1 archives=$1.archives file
  local -a apt=(apt-get -qq -o "Dir::Cache=$archives" -o "Dir::State=$archives"
    -o "Dir::State::status=$archives/status" -o APT::Sandbox::User= -o APT::Install-Recommends=false)
  rm -rf -- "$partial" "$archives"
  mkdir -p -- "$partial" "$archives/lists/partial" "$archives/archives/partial"
  : >"$archives/status" # Nothing is installed, as far as this is concerned.
  "${apt[@]}" update >&2
  "${apt[@]}" install --yes --download-only "${packages[@]}" >&2
  for file in "$archives"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$file" |
      tar -C "$partial" -x --no-same-owner --exclude='./usr/share' --exclude='./var' --exclude='./etc'
  done
  rm -rf -- "$archives"
}

install() {
  [[ ! -d $root ]] || return 0
  grep -qs '^VERSION_CODENAME=forky$' /etc/os-release ||
    fail "this is not the suite that has the wanted Ceph; run ./dev tests/s3/ceph.sh install"
  mkdir -p -- "${root%/*}"
  local lock
  exec {lock}>"$root.lock"
  flock "$lock"
  if [[ ! -d $root ]]; then
    say "getting Ceph, once: $root"
    # A root that exists is whole. (Not in a condition: there "set -e" would not hold.)
    unpack "$root.partial"
    mv -T -- "$root.partial" "$root"
  fi
  exec {lock}>&-
}

# --- start

# Sets what the functions below stand on: the state's folder and how a program of Ceph is called.
use() {
  state=$1
  libraries=$(echo "$root"/usr/lib/*-linux-gnu)
  loader=$(echo "$libraries"/ld-linux-*.so.*)
  loaded=(env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "PYTHONHOME=$root/usr" OPENSSL_CONF=/dev/null
    "$loader" --library-path "$libraries:$libraries/ceph")
}

# The program $1 of Ceph, with its arguments.
call() {
  local program=$1
  shift
  "${loaded[@]}" "$root/usr/bin/$program" -c "$state/ceph.conf" "$@"
}

# The command of the monitors, which is a Python program.
monitor_command() {
  "${loaded[@]}" "$root/usr/bin/python3" "$root/usr/bin/ceph" -c "$state/ceph.conf" \
    --connect-timeout 20 "$@"
}

# Whether the process $1 is one of this cluster's. (A number may have gone to somebody else.)
ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- " -c $state/ceph.conf "; }

# Starts the program $1, with its arguments, apart from the terminal's other programs.
daemon() {
  local program=$1
  shift
  setsid "${loaded[@]}" "$root/usr/bin/$program" -c "$state/ceph.conf" "$@" \
    </dev/null >"$state/$program.out" 2>&1 &
  echo $! >"$state/$program.pid"
  disown
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens on, below those that the system gives to outgoing connections.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((15000 + RANDOM % 15000))
    listening "$port" || break
  done
  echo "$port"
}

# Waits until the command $2... succeeds, for as long as the daemon $1 lives.
await() {
  local name=$1
  shift
  until "$@"; do
    if ! kill -0 "$(cat "$state/$name.pid")" 2>/dev/null || ((SECONDS > start_seconds)); then
      tail -n 20 "$state/$name.out" >&2
      fail "$name did not come up: $*"
    fi
    sleep 0.02
  done
}

write_configuration() {
  cat >"$state/ceph.conf" <<CONF
[global]
fsid = $1
mon host = [v2:127.0.0.1:$2]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $state/keyring
run dir = $state
admin socket =
pid file =
log file =
log to stderr = true
debug ms = 0/0
debug rgw = 0/0
plugin dir = $libraries/ceph
erasure code dir = $libraries/ceph/erasure-code
osd class dir = $libraries/rados-classes
# One storage daemon, one copy of everything.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
auth allow insecure global id reclaim = false
# Decisions of the one monitor need not wait for those of others.
paxos propose interval = 0.01
paxos min wait = 0.01
[mon]
mon data = $state/mon
mon cluster log to file = false
# How full the disk is does not matter to what is in memory.
mon data avail crit = 0
mon data avail warn = 0
[osd]
osd data = $state/osd
osd objectstore = memstore
memstore device bytes = $capacity_bytes
[client]
rgw data = $state/rgw
rgw frontends = beast endpoint=127.0.0.1:$3 tcp_nodelay=1
# A request that missed a change of the cluster at its start is asked again soon.
objecter tick interval = 0.2
rgw thread pool size = 64
rgw dynamic resharding = false
# Memory of deleted objects comes back in minutes, not in hours.
rgw gc obj min wait = 15
rgw gc processor period = 15
CONF
}

# Names with every right: who reaches this cluster may do anything in it.
make_state() {
  local id=$1 monitor_port=$2 name
  call ceph-authtool --create-keyring "$state/keyring" --gen-key -n mon. --cap mon 'allow *' || return
  for name in client.admin osd.0; do
    call ceph-authtool "$state/keyring" --gen-key -n "$name" \
      --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' || return
  done
  call monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$monitor_port]" "$state/monmap" &&
    call ceph-mon --mkfs -i a --monmap "$state/monmap" --keyring "$state/keyring" &&
    call ceph-osd --mkfs -i 0 --osd-uuid "$id" --no-mon-config
}

# Runs a step of the start; what it says is shown only when it fails.
step() {
  "$@" >"$state/step.out" 2>&1 || {
    tail -n 20 "$state/step.out" >&2
    fail "the start failed at: $1 $2"
  }
}

# Signed requests to the gateway on port $1.
s3() {
  local port=$1
  shift
  curl --silent --show-error --fail --noproxy '*' --max-time 20 --aws-sigv4 "aws:amz:$AWS_REGION:s3" \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "http://127.0.0.1:$port/$HANGAR_S3_BUCKET" "$@"
}

start() {
  local id monitor_port gateway_port
  [[ $1 == /* && $1 != *[[:space:]]* ]] || fail "the folder has to be an absolute path without blanks"
  install
  mkdir -m 700 -- "$1" || fail "the folder of a new Ceph has to be new"
  trap 'stop "$state"' EXIT
  trap 'exit 143' TERM INT HUP
  use "$1"
  mkdir "$state"/{mon,osd,rgw}
  ulimit -n "$(ulimit -Hn)"
  id=$(cat /proc/sys/kernel/random/uuid)
  monitor_port=$(free_port)
  gateway_port=$(free_port)
  write_configuration "$id" "$monitor_port" "$gateway_port"
  step make_state "$id" "$monitor_port"
  daemon ceph-mon -i a -f
  await ceph-mon listening "$monitor_port"
  step monitor_command osd new "$id" 0
  daemon ceph-osd -i 0 -f
  step call radosgw-admin -n client.admin user create --uid=test --display-name=test \
    --access-key="$AWS_ACCESS_KEY_ID" --secret-key="$AWS_SECRET_ACCESS_KEY"
  daemon radosgw -n client.admin -f
  await radosgw listening "$gateway_port"
  step s3 "$gateway_port" -X PUT
  export AWS_ENDPOINT_URL=http://127.0.0.1:$gateway_port
  export HANGAR_S3_URI="s3://$HANGAR_S3_BUCKET?endpoint=$AWS_ENDPOINT_URL&region=$AWS_REGION"
  say "S3 on $AWS_ENDPOINT_URL after $SECONDS s"
}

stop() {
  local file pid
  state=$1
  [[ -f $state/ceph.conf ]] || fail "$state holds no Ceph"
  # Nothing is worth an orderly end, which takes the gateway half a minute.
  for file in "$state"/*.pid; do
    [[ -f $file ]] || continue
    pid=$(cat "$file")
    if ours "$pid"; then kill -KILL "$pid"; fi
    while ours "$pid"; do sleep 0.02; done
  done
  rm -rf -- "$state"
}

run() {
  local code=0 child
  start "$(mktemp -d -u -t hangar-ceph.XXXXXX)"
  "$@" <&0 &
  child=$!
  trap 'kill "$child" 2>/dev/null || true; exit 143' TERM INT HUP
  wait "$child" || code=$?
  exit "$code"
}

[[ $# -ge 1 ]] || usage
command=$1
shift
case $command in
  install) install ;;
  run)
    [[ $# -ge 1 ]] || usage
    run "$@"
    ;;
  start)
    [[ $# -eq 1 ]] || usage
    start "$1"
    trap - EXIT
    for name in "${given[@]}"; do printf 'export %s=%q\n' "$name" "${!name}"; done
    ;;
  stop)
    [[ $# -eq 1 ]] || usage
    stop "$1"
    ;;
  *) usage ;;
esac

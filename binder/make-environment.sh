#!/bin/sh
# Makes the virtual environment of a checkout: make-environment.sh FOLDER GROUP...
# Picks the newest tested Python; uses venv, else uv, else (as root) installs python3-venv.
# Does nothing where the environment already fits pyproject.toml.
set -eu

TESTED="3.13 3.12 3.11"
folder=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)

stop() { echo "nbship: $*" >&2; exit 1; }

answers() { # a shim may exist and yet not run
  "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

find_python() {
  for version in $TESTED; do
    for name in "python$version" python3 python; do
      if command -v "$name" >/dev/null 2>&1 && answers "$name" "$version"; then
        command -v "$name"
        return
      fi
    done
  done
}

install_debian_venv() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >&2
}

make_environment() {
  python=$(find_python)
  if [ -n "$python" ] && "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -m venv --clear "$folder"
  elif command -v uv >/dev/null 2>&1; then
    uv venv --quiet --seed --clear --python "${python:-3.13}" "$folder"
  elif install_debian_venv && python=$(find_python) && [ -n "$python" ]; then
    "$python" -m venv --clear "$folder"
  elif [ -n "$python" ]; then
    stop "$python has no venv module: install python3-venv or uv, then run make again"
  else
    found=$(python3 --version 2>/dev/null || echo "no Python")
    stop "Python 3.11, 3.12 or 3.13 was expected, found $found: install one of them or uv, then run make again"
  fi
}

# what an editable installation copies or builds: another state of it asks for another one
state() {
  cat "$root/pyproject.toml" "$root/extension/hatch_build.py" "$root/extension/package-lock.json"
  find "$root/extension/src" "$root/extension/style" "$root/extension/schema" -type f -exec cat {} +
}

# the first line of the stamp is that state, each other one a group that was installed with it
stamp=$folder/.nbship-environment
now=$(state | cksum)
installed=
if [ -f "$stamp" ] && { read -r line && [ "$line" = "$now" ]; } < "$stamp"; then
  installed=$(cat "$stamp")
fi
missing=
for group in "$@"; do
  case "$installed
" in *"
$group
"*) ;; *) missing="$missing $group" ;; esac
done
[ -n "$missing" ] || exit 0
if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
  echo "nbship: making the environment $folder" >&2
  make_environment
fi
echo "nbship: installing nbship with groups:$missing (minutes, the first time)" >&2
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=25.1"
groups=
for group in $missing; do groups="$groups --group $root/pyproject.toml:$group"; done
# shellcheck disable=SC2086  # one word per option
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -e "$root" $groups
# without the panel the environment is not what was wanted: the next make tries again
if "$folder/bin/python" -c 'import sys; from nbship_lab.app import has_front_end; sys.exit(not has_front_end())'; then
  [ -n "$installed" ] && echo "$installed" > "$stamp" || echo "$now" > "$stamp"
  # shellcheck disable=SC2086  # one word per group
  printf '%s\n' $missing >> "$stamp"
fi

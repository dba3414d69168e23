# Sourced by .ci/test and .ci/run: named, timed steps and what they need of the
# machine. A step that fails does not end the run, so that one run shows all
# that is wrong; `finish` gives the verdict.

# The root of the module, whatever folder the caller stands in.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# Nothing here asks a question.
exec </dev/null

# A folder for what lasts no longer than the run. Go makes its module cache read-only.
SCRATCH=$(mktemp -d)
trap 'chmod -R u+w "$SCRATCH" && rm -rf "$SCRATCH"' EXIT

# A service account may have no home; the caches of Go need one.
if [ -z "${HOME:-}" ] || ! mkdir -p "$HOME" 2>/dev/null || [ ! -w "$HOME" ]; then
  export HOME="$SCRATCH/home"
  mkdir "$HOME"
  echo "HOME is not a folder that can be written to; using $HOME for this run"
fi

# Numbers are printed with a point, and sorted as bytes.
export LC_ALL=C

# A checkout owned by another user makes git refuse to answer, and then a build
# fails for want of a version stamp that no check needs.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

# `.ci/run` starts `.ci/test`, which then writes to the same table.
STEPS=${EXOAUDIT_CI_STEPS:-}
STEPS_OWNED=
if [ -z "$STEPS" ]; then
  STEPS="$SCRATCH/steps"
  STEPS_OWNED=yes
fi
export EXOAUDIT_CI_STEPS="$STEPS"

# step NAME COMMAND...: runs a command, says how long it took, and goes on.
# The command's status is its own: `set -e` does not hold inside it.
step() {
  local name=$1 begin status=0
  shift
  printf '\n==> %s\n' "$name"
  begin=$(date +%s)
  "$@" || status=$?
  local word=ok
  [ "$status" -eq 0 ] || word=FAIL
  record "$name" "$(($(date +%s) - begin))" "$word"
  return 0
}

# must NAME COMMAND...: a step without which the rest makes no sense.
must() {
  step "$@"
  if tail -n 1 "$STEPS" | failed; then
    finish
  fi
}

# record NAME SECONDS WORD: one row of the table.
record() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$STEPS"
}

# failed: says whether a row read from standard input is of a failure.
failed() {
  grep -q "$(printf '\t')FAIL\$"
}

# finish: prints the table, and exits with 1 where a step failed.
finish() {
  local status=0
  if failed <"$STEPS"; then
    status=1
  fi
  if [ -n "$STEPS_OWNED" ]; then
    printf '\nSeconds  Result  Step\n'
    awk -F '\t' '{ printf "%7d  %-6s  %s\n", $2, $3, $1; sum += $2 } END { printf "%7d          all\n", sum }' "$STEPS"
  fi
  exit "$status"
}

# refuse MESSAGE...: ends the run for want of something only people can install.
refuse() {
  printf '%s\n' "$@" >&2
  exit 1
}

# need_go: Go is not installed from here; which one to trust is not ours to say.
need_go() {
  if ! command -v go >/dev/null 2>&1 && [ -x /usr/local/go/bin/go ]; then
    export PATH="$PATH:/usr/local/go/bin"
  fi
  local wanted
  wanted=$(awk '$1 == "go" { print $2; exit }' go.mod)
  if ! command -v go >/dev/null 2>&1; then
    refuse "Go is not installed. Install Go $wanted or later (https://go.dev/doc/install) and put its bin folder on PATH."
  fi
  if ! go env GOVERSION >/dev/null; then
    refuse "This Go cannot work on the module, which needs Go $wanted or later (https://go.dev/doc/install)."
  fi
  go version
}

# links: says whether the C compiler and the C library's headers are here.
links() {
  # shellcheck disable=SC2086 # CC may hold flags
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | ${CC:-gcc} -x c -o "$SCRATCH/links" - 2>/dev/null
}

# apt_install REASON PACKAGE...: installs packages of Debian or Ubuntu, as root or by
# sudo where it asks for no password; elsewhere it refuses, and says what to install.
apt_install() {
  local reason=$1 as_root=
  shift
  if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
  fi
  if ! command -v apt-get >/dev/null 2>&1 || ! $as_root true 2>/dev/null; then
    refuse "$reason" "(Debian and Ubuntu: apt-get install $*), then run this again."
  fi
  local options="-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120"
  # shellcheck disable=SC2086 # options are words
  $as_root apt-get update $options || return 1
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $options "$@"
}

# need_cc: the race detector links with a C compiler.
need_cc() {
  if links; then
    return 0
  fi
  if [ -n "${CC:-}" ]; then
    refuse "CC is set to '$CC', which cannot build a C program. Correct it, or unset it to use gcc."
  fi
  apt_install "The race detector needs a C compiler and there is none. Install gcc and the headers of the C library" gcc libc6-dev || return 1
  if ! links; then
    refuse "gcc is installed and cannot build a C program. Set CC to a compiler that can."
  fi
}

# need_xmllint: JUnit reports are held to their schema by it.
need_xmllint() {
  if command -v xmllint >/dev/null 2>&1; then
    return 0
  fi
  apt_install "The tests of JUnit reports need xmllint and there is none. Install it" libxml2-utils || return 1
  xmllint --version
}

# chromium_here: says which Chromium starts, as the tests look for it.
chromium_here() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if "$name" --version 2>/dev/null; then
      return 0
    fi
  done
  return 1
}

# need_chromium: HTML reports are looked at in it; letters take a font. Debian and Ubuntu
# name the package differently.
need_chromium() {
  if chromium_here; then
    return 0
  fi
  local reason="The tests of HTML reports need Chromium and there is none. Install it"
  apt_install "$reason" chromium fonts-liberation || apt_install "$reason" chromium-browser fonts-liberation || return 1
  chromium_here
}

#!/usr/bin/env bash
# Everything that must hold before a change lands, in the order of what fails fastest.
#
#   ./scripts/test.sh             needs Rust (rustup reads rust-toolchain.toml) and a C compiler; nothing else
#   ./scripts/test.sh --install   also installs the C compiler, Postfix, Dovecot, valgrind, Docker and debootstrap where they
#                                 are missing (apt-get), and in directories outside the checkout SAM, its companions and an
#                                 emulator of AWS (pip); counts what reading a mail costs, and builds, deploys and runs what
#                                 is deployed (scripts/e2e.sh)
#
# No network beyond cargo's, pip's and apt's own, no AWS account: DynamoDB and S3 run inside the test processes. Docker is for
# one step of scripts/e2e.sh, which says so where it cannot be had.
# CI=true means --install, and a target directory outside the checkout that outlives it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install=false
[[ "${CI:-}" == true ]] && install=true
for argument in "$@"; do
  case "$argument" in
    --install) install=true ;;
    *)
      echo "usage: scripts/test.sh [--install]" >&2
      exit 64
      ;;
  esac
done

if [[ "${CI:-}" == true ]]; then
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/postern/target}"
fi
target="${CARGO_TARGET_DIR:-target}"

# shellcheck source=scripts/apt.sh
source scripts/apt.sh

# The embedded DynamoDB engine compiles SQLite.
if ! command -v cc >/dev/null; then
  if [[ "$install" == true ]] && command -v apt-get >/dev/null; then
    apt_install gcc libc6-dev
  else
    echo "there is no C compiler (cc); install one: sudo apt-get install -y gcc libc6-dev" >&2
    exit 1
  fi
fi
# The tests start a Postfix of their own, which needs root; the installed one stays as it is.
if ! command -v postfix >/dev/null && [[ ! -x /usr/sbin/postfix ]]; then
  if [[ "$install" == true ]] && command -v apt-get >/dev/null; then
    # Without a configuration of its own the machine's Postfix never starts.
    echo "postfix postfix/main_mailer_type select No configuration" | "${as_root[@]}" debconf-set-selections
    apt_install_stopped postfix
  else
    echo "== Postfix: its tests are SKIPPED; sudo apt-get install -y --no-install-recommends postfix"
  fi
elif [[ "$(id -u)" != 0 ]]; then
  echo "== Postfix: its tests are SKIPPED, because pipe(8) deliveries need root"
fi
# And a Dovecot of their own, on high loopback ports; the installed one is not touched.
if [[ ! -x /usr/sbin/dovecot ]]; then
  if [[ "$install" == true ]] && command -v apt-get >/dev/null; then
    apt_install_stopped dovecot-imapd openssl
  else
    echo "== Dovecot: its tests are SKIPPED; sudo apt-get install -y --no-install-recommends dovecot-imapd openssl"
  fi
elif [[ "$(id -u)" != 0 ]]; then
  echo "== Dovecot: its tests are SKIPPED, because its processes change their user, which needs root"
fi
if [[ "$install" == true ]] && ! command -v valgrind >/dev/null && command -v apt-get >/dev/null; then
  apt_install valgrind
fi
if ! command -v cargo >/dev/null; then
  echo "there is no cargo; install Rust by rustup: https://rustup.rs" >&2
  exit 1
fi

# step NAME COMMAND...: runs it, says how long it took, and on failure which command repeats it.
step() {
  local name="$1" started="$SECONDS"
  shift
  echo "== $name"
  if ! "$@"; then
    echo "== $name FAILED after $((SECONDS - started)) s; to repeat it:$(printf ' %q' "$@")" >&2
    exit 1
  fi
  echo "== $name: $((SECONDS - started)) s"
}

step format cargo fmt --all --check
step lint cargo clippy --workspace --all-targets --locked -- -D warnings
step documentation env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
step tests cargo test --workspace --locked
step build cargo build --workspace --locked
step smoke ./scripts/smoke.sh "$target/debug/postern"
if command -v valgrind >/dev/null; then
  step instructions ./scripts/instructions.sh --quick
else
  echo "== instructions: SKIPPED; sudo apt-get install -y --no-install-recommends valgrind"
fi
if [[ "$install" == true ]]; then
  step deployment ./scripts/e2e.sh --install
else
  echo "== deployment: SKIPPED; ./scripts/e2e.sh --install installs SAM outside the checkout, builds what is deployed and runs it"
fi

echo "all steps passed in $SECONDS s"

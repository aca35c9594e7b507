#!/usr/bin/env bash
# What is deployed: the template is valid and lints, every function builds as `sam build` builds it for a user, and the
# files have the right processor, C library and size. No AWS account, no Docker; network for pip and cargo only.
#
#   ./scripts/e2e.sh                          needs Rust, and sam, cargo-lambda, cfn-lint and checkov in the versions below
#   ./scripts/e2e.sh --install                puts those four into environments outside the checkout
#   ./scripts/e2e.sh --architecture x86_64    builds for the other processor; without it, what the template defaults to
#
# CARGO_TARGET_DIR is honoured: one target directory for all functions, and it outlives the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# From 1.156.0 on SAM builds Rust without --beta-features.
sam_version=1.170.0
cargo_lambda_version=1.9.2
cfn_lint_version=1.58.0
# Amazon Linux 2023 has glibc 2.34.
glibc_minor_max=34
# The local engines are larger than what is left below it: they must never be part of a function.
bootstrap_octets_max=15000000

usage() {
  echo "usage: scripts/e2e.sh [--install] [--architecture arm64|x86_64]" >&2
  exit 64
}

install=false
architecture=
while [[ $# -gt 0 ]]; do
  case "$1" in
    --install) install=true ;;
    --architecture)
      shift
      architecture="${1:-}"
      [[ "$architecture" == arm64 || "$architecture" == x86_64 ]] || usage
      ;;
    *) usage ;;
  esac
  shift
done

cache="${XDG_CACHE_HOME:-$HOME/.cache}/postern"
tools="$cache/tools-$sam_version-$cargo_lambda_version-$cfn_lint_version"

# The mark is set last: a broken installation is made anew.
install_tools() {
  rm -rf "$tools"
  mkdir -p "$cache"
  if ! python3 -m venv "$tools" && command -v apt-get >/dev/null; then
    local as_root=()
    [[ "$(id -u)" == 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get update
    "${as_root[@]}" apt-get install -y python3-venv
    python3 -m venv --clear "$tools"
  fi
  "$tools/bin/python3" -m pip install --quiet --disable-pip-version-check \
    "aws-sam-cli==$sam_version" "cargo-lambda==$cargo_lambda_version" "cfn-lint==$cfn_lint_version"
  touch "$tools/complete"
}

if [[ "$install" == true && ! -e "$tools/complete" ]]; then
  started="$SECONDS"
  echo "== tools: sam $sam_version, cargo-lambda $cargo_lambda_version, cfn-lint $cfn_lint_version"
  install_tools
  echo "== tools: $((SECONDS - started)) s"
fi
# Zig, with which cargo-lambda links, is a Python package beside it: its interpreter must come first.
[[ -e "$tools/complete" ]] && export PATH="$tools/bin:$PATH"
for tool in sam cargo-lambda cfn-lint; do
  if ! command -v "$tool" >/dev/null; then
    echo "there is no $tool; ./scripts/e2e.sh --install puts it into $tools" >&2
    exit 1
  fi
done

# Neither asks AWS for anything; a region is needed to know which resources there are.
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-eu-central-1}"
if [[ -z "${CARGO_TARGET_DIR:-}" ]]; then
  export CARGO_TARGET_DIR="$PWD/target"
fi
build="$CARGO_TARGET_DIR/sam-build"

# step NAME COMMAND...: runs it, says how many minutes it took, and on failure which command repeats it.
step() {
  local name="$1" started="$SECONDS" took
  shift
  echo "== $name"
  if ! "$@"; then
    echo "== $name FAILED after $((SECONDS - started)) s; to repeat it:$(printf ' %q' "$@")" >&2
    exit 1
  fi
  took=$((SECONDS - started))
  printf '== %s: %d.%d minutes\n' "$name" "$((took / 60))" "$((took % 60 / 6))"
}

# octets FILE OFFSET: two octets there, as a number.
octets() {
  od -An -t u2 -j "$2" -N 2 "$1" | tr -d ' '
}

# What was built, as a table; what must not be deployed ends the script.
sizes() {
  local wanted="${architecture:-arm64}" machine=183 name file size glibc
  [[ "$wanted" == x86_64 ]] && machine=62
  printf '%-18s %-8s %-6s %12s\n' function for glibc octets
  for name in WebhookFunction ReceiptFunction RetryFunction PublishFunction PollFunction; do
    file="$build/$name/bootstrap"
    size="$(wc -c <"$file")"
    glibc="$(grep -ao 'GLIBC_2\.[0-9]*' "$file" | cut -d. -f2 | sort -n | tail -n 1)"
    printf '%-18s %-8s 2.%-4s %12d\n' "$name" "$wanted" "$glibc" "$size"
    # e_machine of the ELF header.
    if [[ "$(octets "$file" 18)" != "$machine" ]]; then
      echo "$file is not for $wanted" >&2
      return 1
    fi
    if ((glibc > glibc_minor_max)); then
      echo "$file needs glibc 2.$glibc; Lambda has 2.$glibc_minor_max" >&2
      return 1
    fi
    if ((size > bootstrap_octets_max)); then
      echo "$file is larger than $bootstrap_octets_max octets: is a local engine part of it?" >&2
      return 1
    fi
  done
}

# checkov pins what SAM pins otherwise, so it has a virtual environment of its own; it asks nobody.
checkov_version=3.3.30
checkov_tools="$cache/checkov-$checkov_version"

weaknesses() {
  local checkov="$checkov_tools/bin/checkov"
  if [[ ! -e "$checkov_tools/complete" && "$install" == true ]]; then
    rm -rf "$checkov_tools"
    # `step` asks whether this worked, so nothing here ends the script by itself.
    python3 -m venv "$checkov_tools" || return 1
    "$checkov_tools/bin/python3" -m pip install --quiet --disable-pip-version-check "checkov==$checkov_version" || return 1
    touch "$checkov_tools/complete"
  fi
  [[ -e "$checkov_tools/complete" ]] || checkov="$(command -v checkov)" || {
    echo "there is no checkov; ./scripts/e2e.sh --install puts it into $checkov_tools" >&2
    return 1
  }
  "$checkov" --file template.yaml --framework cloudformation --compact --quiet --skip-download
}

overrides=()
[[ -n "$architecture" ]] && overrides=(--parameter-overrides "Architecture=$architecture")

step 'sam validate --lint' sam validate --lint
step cfn-lint cfn-lint template.yaml
step checkov weaknesses
# SAM has no --locked: a stale Cargo.lock ends here instead of being written anew.
step 'cargo fetch' cargo fetch --locked
step 'sam build' sam build --build-dir "$build" "${overrides[@]}"
step sizes sizes

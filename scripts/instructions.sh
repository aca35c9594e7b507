#!/usr/bin/env bash
# Counts what reading a mail costs, in instructions (valgrind's callgrind): for each shape of `shared/examples/cost` a
# small mail and one ten times as large. Ten times the octets may cost at most eleven times the instructions, whatever
# the shape. The numbers go into docs/GUARANTEES.md.
#
#   ./scripts/instructions.sh                      1 MB and 10 MB, release build: the numbers of the documentation; long
#   ./scripts/instructions.sh --quick              8 kB and 80 kB, debug build: what CI runs
#   ./scripts/instructions.sh [--quick] SHAPE...   these shapes only
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

small=1000000 profile=(--release) folder=release
if [[ "${1:-}" == --quick ]]; then
  small=8000 profile=() folder=debug
  shift
fi
if ! command -v valgrind >/dev/null; then
  echo "there is no valgrind; install it: sudo apt-get install -y --no-install-recommends valgrind" >&2
  exit 1
fi
cargo build --package postern --example cost --locked "${profile[@]}"
cost="${CARGO_TARGET_DIR:-target}/$folder/examples/cost"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# count SHAPE OCTETS: "octets instructions peak-kib"
count() {
  local printed
  printed="$(valgrind --tool=callgrind --callgrind-out-file="$scratch/$1.$2" --collect-atstart=no \
    --toggle-collect='cost::measured*' "$cost" "$1" "$2" 2>"$scratch/$1.$2.log")" || {
    cat "$scratch/$1.$2.log" >&2
    return 1
  }
  awk -v printed="$printed" '/^(summary|totals):/ { n = $2 } END { split(printed, p, " "); print p[2], n + 0 }' \
    "$scratch/$1.$2"
}

# row SHAPE: one line of the table.
row() {
  local a b peak
  a="$(count "$1" "$small")" && b="$(count "$1" "$((small * 10))")" || return 1
  peak="$("$cost" "$1" "$((small * 10))" | awk '{ print $4 }')"
  awk -v shape="$1" -v a="$a" -v b="$b" -v peak="$peak" 'BEGIN {
    split(a, x, " "); split(b, y, " ")
    ratio = (y[2] / y[1]) / (x[2] / x[1]) * 10
    printf "%-24s %10d %14.0f %8.1f %8.2f %8.1f%s\n", shape, y[1], y[2], y[2] / y[1], ratio, peak * 1024 / y[1], \
      (ratio > 11 ? "  TOO MUCH" : "")
  }'
}
export -f count row
export small scratch cost

shapes=("$@")
if [[ $# == 0 ]]; then
  mapfile -t shapes < <("$cost")
fi
printf '%-24s %10s %14s %8s %8s %8s\n' shape octets instructions 'per octet' 'ratio' 'memory'
printf '%s\n' "${shapes[@]}" | xargs -P "$(nproc)" -I{} bash -c 'row {}' | tee "$scratch/table"
[[ "$(wc -l <"$scratch/table")" == "${#shapes[@]}" ]] || { echo "a shape was not counted" >&2; exit 1; }
if grep -q 'TOO MUCH' "$scratch/table"; then
  echo "ten times the octets cost more than eleven times the instructions" >&2
  exit 1
fi

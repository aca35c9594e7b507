#!/usr/bin/env bash
# Fuzzes what reads hostile octets, each target for a while, starting from the mails of tests/corpus. A find is printed and
# kept in fuzz/artifacts; make a mail of it, put it into tests/corpus, and mend the cause.
#
#   ./scripts/fuzz.sh [SECONDS [TARGET...]]     60 seconds each of headers, parse, tnef and sanitiser
#
# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler. The instrumentation is unstable in name only: the pinned
# toolchain has it, RUSTC_BOOTSTRAP lets it out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds="${1:-60}"
shift || true
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(headers parse tnef sanitiser)
command -v cargo-fuzz >/dev/null || {
  echo "there is no cargo-fuzz; install it: cargo install cargo-fuzz --locked" >&2
  exit 1
}
export RUSTC_BOOTSTRAP=1
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  echo "== $target: $seconds s"
  cargo fuzz run "$target" "fuzz/corpus/$target" tests/corpus -- \
    -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done

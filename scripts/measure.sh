#!/usr/bin/env bash
# Measures what is deployed: the size of the webhook's bootstrap, and the peak memory of that very process for a large
# mail. The numbers go into docs/GUARANTEES.md. Takes minutes: what is deployed is linked with thin LTO.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${CARGO_TARGET_DIR:-target}"
# The one package that is deployed: with --workspace the features of the local engines would be part of it.
cargo build --package postern-webhook --locked --profile deployed
bootstrap="$(cd "$target/deployed" && pwd)/postern-webhook"
octets="$(wc -c <"$bootstrap")"
printf 'bootstrap (webhook, %s): %d octets, %d.%d MB\n' "$(uname -m)" "$octets" \
  "$((octets / 1000000))" "$((octets % 1000000 / 100000))"

POSTERN_BOOTSTRAP="$bootstrap" cargo test --workspace --locked -- memory --nocapture

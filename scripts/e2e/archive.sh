# shellcheck shell=bash
# What a release attaches, made and unpacked as its reader does. Sourced by scripts/e2e.sh, which deploys it.

unpacked_archive() {
  local bootstrap function
  ./scripts/package.sh --architecture x86_64 --into "$work/dist"
  (cd "$work/dist" && sha256sum --check --quiet SHA256SUMS)
  mkdir "$work/archive"
  tar -C "$work/archive" -xzf "$work"/dist/postern-*-x86_64.tar.gz
  cd "$work"/archive/postern-*-x86_64 || return
  for bootstrap in "$build"/x86_64/*/bootstrap; do
    function="$(basename "$(dirname "$bootstrap")")"
    cmp "$bootstrap" "$function/bootstrap"
  done
  sam validate --lint
  ls
}

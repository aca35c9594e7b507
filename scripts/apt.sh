# shellcheck shell=bash
# Debian's packages, as root or by sudo. Sourced by scripts/test.sh and scripts/e2e/tools.sh.

as_root=()
[[ "$(id -u)" == 0 ]] || as_root=(sudo)

apt_install() {
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

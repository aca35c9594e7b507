# shellcheck shell=bash
# Debian's packages, as root or by sudo. Sourced by scripts/test.sh and scripts/e2e/tools.sh.

as_root=()
[[ "$(id -u)" == 0 ]] || as_root=(sudo)

apt_install() {
  # In one: called in a condition, `set -e` is off here.
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# The same for packages of services, of which none is started: policy-rc.d forbids that, where it is not there already.
apt_install_stopped() {
  local policy=/usr/sbin/policy-rc.d made=false code=0
  if [[ ! -e "$policy" ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    made=true
  fi
  apt_install "$@" || code=$?
  if [[ "$made" == true ]]; then
    "${as_root[@]}" rm "$policy"
  fi
  return "$code"
}

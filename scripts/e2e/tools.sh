# shellcheck shell=bash
# The tools, in the versions that scripts/e2e.sh names. Sourced by it.

as_root=()
[[ "$(id -u)" == 0 ]] || as_root=(sudo)

apt_install() {
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# python_tools DIRECTORY PACKAGE...: a virtual environment. The mark is set last: a broken installation is made anew.
python_tools() {
  local directory="$1"
  shift
  [[ -e "$directory/complete" ]] && return
  rm -rf "$directory"
  mkdir -p "$cache"
  if ! python3 -m venv "$directory" && command -v apt-get >/dev/null; then
    apt_install python3-venv
    python3 -m venv --clear "$directory"
  fi
  "$directory/bin/python3" -m pip install --quiet --disable-pip-version-check "$@"
  touch "$directory/complete"
}

prepare_tools() {
  if [[ "$install" == true ]]; then
    python_tools "$tools" "aws-sam-cli==$sam_version" "cargo-lambda==$cargo_lambda_version" "cfn-lint==$cfn_lint_version"
    python_tools "$emulator" "ministack[full]==$ministack_version"
    if ! command -v dockerd >/dev/null || ! command -v debootstrap >/dev/null || ! command -v ip >/dev/null; then
      # Its package would start a daemon for good; the test starts one of its own where none runs.
      if command -v apt-get >/dev/null; then install_docker; fi
    fi
  fi
  [[ -e "$tools/complete" ]] && PATH="$tools/bin:$PATH"
  local tool
  for tool in sam cargo-lambda cfn-lint; do
    if ! command -v "$tool" >/dev/null; then
      echo "there is no $tool; ./scripts/e2e.sh --install puts it into $tools" >&2
      return 1
    fi
  done
}

# Nothing is started by it: policy-rc.d forbids that, where it is not there already.
install_docker() {
  local policy=/usr/sbin/policy-rc.d made=false
  if [[ ! -e "$policy" ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    made=true
  fi
  apt_install docker.io debootstrap iptables iproute2
  if [[ "$made" == true ]]; then
    "${as_root[@]}" rm "$policy"
  fi
}

# shellcheck shell=bash
# The tools and their versions. Sourced by scripts/e2e.sh and scripts/package.sh.

# From 1.156.0 on SAM builds Rust without --beta-features.
sam_version=1.170.0
cargo_lambda_version=1.9.2
cfn_lint_version=1.58.0
# What checkov finds changes with its version.
checkov_version=3.3.30
# emulator.py leans on names that are private to this version.
ministack_version=1.5.33

cache="${XDG_CACHE_HOME:-$HOME/.cache}/postern"
tools="$cache/tools-$sam_version-$cargo_lambda_version-$cfn_lint_version"
# In environments of their own: what they need contradicts what SAM needs.
checkov="$cache/checkov-$checkov_version"
emulator="$cache/emulator-$ministack_version"

# shellcheck source=scripts/apt.sh
source scripts/apt.sh

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

# Zig, with which cargo-lambda links, is a Python package beside it: its interpreter must come first.
tools_first() {
  [[ ! -e "$tools/complete" ]] || export PATH="$tools/bin:$PATH"
}

# What builds: the least that is needed.
prepare_sam() {
  if [[ "$install" == true ]]; then
    python_tools "$tools" "aws-sam-cli==$sam_version" "cargo-lambda==$cargo_lambda_version" "cfn-lint==$cfn_lint_version"
  fi
  tools_first
  local tool
  for tool in sam cargo-lambda cfn-lint; do
    if ! command -v "$tool" >/dev/null; then
      echo "there is no $tool; ./scripts/e2e.sh --install puts it into $tools" >&2
      return 1
    fi
  done
}

prepare_tools() {
  prepare_sam
  [[ "$install" == true ]] || return 0
  python_tools "$checkov" "checkov==$checkov_version"
  python_tools "$emulator" "ministack[full]==$ministack_version"
  # Each for itself: a Docker from elsewhere would have to go for Debian's. Nothing is started: the test starts a daemon of
  # its own where none runs.
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io iptables)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v ip >/dev/null || missing+=(iproute2)
  command -v curl >/dev/null || missing+=(curl)
  if ((${#missing[@]} > 0)) && command -v apt-get >/dev/null; then
    apt_install_stopped "${missing[@]}"
  fi
}

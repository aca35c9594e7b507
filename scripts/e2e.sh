#!/usr/bin/env bash
# What is deployed, proven as far as that can be without an AWS account: the template lints, every function builds as
# `sam build` builds it for a user, runs in real containers with every sample of events/, and the template as it stands is
# deployed into an emulator of AWS, where mail goes through each way in. What that leaves open: docs/OPERATIONS.md, "What is
# proven without AWS".
#
#   ./scripts/e2e.sh              needs Rust, a C compiler, and sam, cargo-lambda and cfn-lint in the versions of
#                                 scripts/e2e/tools.sh; what else is missing is named and its steps are skipped
#   ./scripts/e2e.sh --install    puts those three, checkov and the emulator into virtual environments outside the checkout,
#                                 and installs Docker and debootstrap (apt-get) where they are missing
#
# Containers need root, or a Docker daemon that answers. Nothing is started that is not stopped; all of it listens on
# 127.0.0.1 or on Docker's bridge. CARGO_TARGET_DIR is honoured: one target directory for all functions, which outlives the
# checkout. The parts: scripts/e2e/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install=false
for argument in "$@"; do
  case "$argument" in
    --install) install=true ;;
    *)
      echo "usage: scripts/e2e.sh [--install]" >&2
      exit 64
      ;;
  esac
done

work="$(mktemp -d)"
# A region is needed to know which resources there are; nothing asks AWS for anything.
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-eu-central-1}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
build="$CARGO_TARGET_DIR/sam-build"
postern="$CARGO_TARGET_DIR/debug/postern"

# shellcheck source=scripts/e2e/steps.sh
source scripts/e2e/steps.sh
# shellcheck source=scripts/e2e/tools.sh
source scripts/e2e/tools.sh
# shellcheck source=scripts/e2e/docker.sh
source scripts/e2e/docker.sh
# shellcheck source=scripts/e2e/archive.sh
source scripts/e2e/archive.sh
# shellcheck source=scripts/e2e/sizes.sh
source scripts/e2e/sizes.sh

finish() {
  docker_stop
  rm -rf "$work"
  summary
}
trap finish EXIT
trap 'exit 143' TERM

step tools prepare_tools
tools_first

step 'sam validate --lint' sam validate --lint
step cfn-lint cfn-lint template.yaml
if [[ -e "$checkov/complete" ]]; then
  # Its guidelines would be fetched; each exception has its reason beside the resource.
  step checkov "$checkov/bin/checkov" --file template.yaml --framework cloudformation --compact --quiet --skip-download
else
  skip checkov "there is no checkov in $checkov; ./scripts/e2e.sh --install"
fi
# SAM has no --locked: a stale Cargo.lock ends here instead of being written anew.
step 'cargo fetch' cargo fetch --locked
step 'sam build, x86_64' sam build --build-dir "$build/x86_64" --parameter-overrides Architecture=x86_64
step 'sam build, one for arm64' sam build WebhookFunction --build-dir "$build/arm64" --parameter-overrides Architecture=arm64
step sizes sizes
step archive unpacked_archive
archive="$(echo "$work"/archive/postern-*-x86_64)"
# The whole workspace: a single package resolves other features and compiles everything anew.
step 'cargo build' cargo build --workspace --locked

# What follows runs what was built, and that is x86_64.
python=python3
[[ -e "$tools/complete" ]] && python="$tools/bin/python3"
if [[ "$(uname -m)" != x86_64 ]]; then
  runs="this machine is $(uname -m), and what was built to run is x86_64"
elif ! "$python" -c 'import boto3, samcli' 2>/dev/null; then
  runs='Python has no boto3 and samcli; ./scripts/e2e.sh --install'
fi
export PYTHONDONTWRITEBYTECODE=1

if [[ -n "${runs:-}" ]]; then
  skip 'cold starts' "$runs"
  skip 'sam deploy, emulator' "$runs"
  skip 'sam deploy, roles enforced' "$runs"
  skip 'sam local, containers' "$runs"
  exit
fi

step 'cold starts' "$python" scripts/e2e/coldstart.py "$postern" "$build/x86_64" "$work"

if [[ -e "$emulator/complete" ]]; then
  deployed=("$python" scripts/e2e/deployed.py "$postern" "$build/x86_64" "$archive" "$work" "$emulator/bin/python3")
  step 'sam deploy, emulator' "${deployed[@]}" plain
  step 'sam deploy, roles enforced' "${deployed[@]}" iam
else
  without="there is no emulator in $emulator; ./scripts/e2e.sh --install"
  skip 'sam deploy, emulator' "$without"
  skip 'sam deploy, roles enforced' "$without"
fi

# Not in a subshell: what is started is noted here.
if docker_start; then
  step 'base image' docker_image
  step 'sam local, containers' "$python" scripts/e2e/local.py "$postern" "$build/x86_64" "$work" "$(docker_bridge_of)"
else
  skip 'sam local, containers' "$docker_missing"
fi

#!/usr/bin/env bash
# What a release attaches: for each processor an archive with the built functions and the template that deploys them, so that
# whoever deploys needs neither Rust nor a checkout; their checksums; and the release's notes out of the changelog.
#
#   ./scripts/package.sh                      into dist/, named by the version in Cargo.toml and the commit
#   ./scripts/package.sh --version 0.1.0      a release: version, changelog and the released template must agree with it
#   ./scripts/package.sh --architecture arm64 only that one
#   ./scripts/package.sh --into DIR           elsewhere than dist/; what lies there is removed
#   ./scripts/package.sh --install            also installs the tools, as scripts/e2e.sh does
#
# The same commit makes the same archives, but for what the compiler puts into its output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  echo "usage: scripts/package.sh [--install] [--version X.Y.Z] [--architecture arm64|x86_64] [--into DIR]" >&2
  exit 64
}

install=false
release=
dist=dist
architectures=(arm64 x86_64)
while [[ $# -gt 0 ]]; do
  case "$1" in
    --install) install=true ;;
    --version)
      shift
      release="${1:-}"
      [[ -n "$release" ]] || usage
      ;;
    --architecture)
      shift
      [[ "${1:-}" == arm64 || "${1:-}" == x86_64 ]] || usage
      architectures=("$1")
      ;;
    --into)
      shift
      dist="${1:-}"
      [[ -n "$dist" ]] || usage
      ;;
    *) usage ;;
  esac
  shift
done

version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-eu-central-1}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# shellcheck source=scripts/e2e/tools.sh
source scripts/e2e/tools.sh

# The changelog's section of a version, without its heading.
notes() {
  awk -v heading="## $1" '$0 == heading || index($0, heading " ") == 1 { found = 1; next } /^## / { found = 0 } found' CHANGELOG.md
}

# All that a release must agree with, told at once.
agrees() {
  local faults=()
  [[ "$release" == "$version" ]] || faults+=("Cargo.toml says $version, not $release")
  [[ -n "$(notes "$release")" ]] || faults+=("CHANGELOG.md has no section \"## $release\"")
  cmp -s template.yaml tests/released/template.yaml ||
    faults+=("tests/released/template.yaml is not the template of this release: CONTRIBUTING.md, \"Release\"")
  ((${#faults[@]} == 0)) && return
  printf 'package.sh: %s\n' "${faults[@]}" >&2
  return 65
}

# pack ARCHITECTURE: builds, and puts everything into one archive.
pack() {
  local architecture="$1" name="postern-$version$suffix-$1" when
  # Not where the archives go: SAM leaves notes of its own beside it.
  local folder="$CARGO_TARGET_DIR/package/$name"
  rm -rf "$folder"
  sam build --build-dir "$folder" --parameter-overrides "Architecture=$architecture"
  # What lies beside it was built for this processor and no other.
  python3 scripts/package/packaged.py "$folder/template.yaml" "$architecture"
  cp LICENSE CHANGELOG.md scripts/package/DEPLOY.md scripts/package/samconfig.toml "$folder/"
  when="$(git log -1 --format=%ct)"
  tar --sort=name --mtime="@$when" --owner=0 --group=0 --numeric-owner -C "$CARGO_TARGET_DIR/package" -cf - "$name" | gzip -n >"$dist/$name.tar.gz"
  rm -rf "$folder"
}

suffix=
if [[ -n "$release" ]]; then
  agrees
else
  suffix="-$(git rev-parse --short HEAD)"
fi
prepare_sam
python3 -c 'import samcli' 2>/dev/null || {
  echo "package.sh: python3 has no samcli beside it, as where pipx installed sam; ./scripts/package.sh --install" >&2
  exit 69
}
rm -rf "$dist"
mkdir -p "$dist"
for architecture in "${architectures[@]}"; do
  pack "$architecture"
done
if [[ -n "$release" ]]; then
  notes "$release" >"$dist/NOTES.md"
fi
(cd "$dist" && sha256sum postern-*.tar.gz | tee SHA256SUMS && ls -l postern-*.tar.gz)

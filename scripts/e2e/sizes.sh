# shellcheck shell=bash
# Whether what was built may be deployed: processor, C library, size. Sourced by scripts/e2e.sh.

# Amazon Linux 2023 has glibc 2.34.
glibc_minor_max=34
# The local engines are larger than what is left below it: they must never be part of a function. x86_64 code is longer.
bootstrap_octets_max_arm64=15000000
bootstrap_octets_max_x86_64=18000000

# octets FILE OFFSET: two octets there, as a number.
octets() {
  od -An -t u2 -j "$2" -N 2 "$1" | tr -d ' '
}

# size ARCHITECTURE FUNCTION: a line of the table; what must not be deployed is an error.
size() {
  local architecture="$1" name="$2" machine=183 most="$bootstrap_octets_max_arm64" file size glibc
  if [[ "$architecture" == x86_64 ]]; then
    machine=62 most="$bootstrap_octets_max_x86_64"
  fi
  file="$build/$architecture/$name/bootstrap"
  size="$(wc -c <"$file")"
  glibc="$(grep -ao 'GLIBC_2\.[0-9]*' "$file" | cut -d. -f2 | sort -n | tail -n 1)"
  printf '%-18s %-8s 2.%-4s %12d\n' "$name" "$architecture" "$glibc" "$size"
  # e_machine of the ELF header.
  if [[ "$(octets "$file" 18)" != "$machine" ]]; then
    echo "$file is not for $architecture" >&2
    return 1
  fi
  if ((glibc > glibc_minor_max)); then
    echo "$file needs glibc 2.$glibc; Lambda has 2.$glibc_minor_max" >&2
    return 1
  fi
  if ((size > most)); then
    echo "$file is larger than $most octets: is a local engine part of it?" >&2
    return 1
  fi
}

sizes() {
  local name
  printf '%-18s %-8s %-6s %12s\n' function for glibc octets
  for name in WebhookFunction ReceiptFunction RetryFunction PublishFunction PollFunction; do
    size x86_64 "$name"
  done
  size arm64 WebhookFunction
}

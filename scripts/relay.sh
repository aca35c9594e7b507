#!/usr/bin/env bash
# Hands one mail from standard input to a raw relay door (docs/PROVIDERS.md, "Raw relay"); called by Postfix's pipe(8).
#
#   relay.sh URL KEY-FILE EVENT-ID SENDER RECIPIENT...
#
# KEY-FILE holds one of the door's hmac_keys (at most 64 characters); SENDER is empty or <> for the null reverse-path.
# Ends with 0 once the mail is safe, 65 where it is too large for the door (Postfix returns it to its sender), and 75
# otherwise (Postfix keeps it and tries again).
set -uo pipefail
export LC_ALL=C

if (($# < 5)); then
  echo "usage: relay.sh URL KEY-FILE EVENT-ID SENDER RECIPIENT..." >&2
  exit 75 # not 64: Postfix would return the mail for a fault of its own configuration
fi
url="$1" key_file="$2" event_id="$3" sender="${4:-<>}"
shift 4
recipients="$(IFS=, && echo "$*")"
mailbox="${url#*/inbound/}" # <door>[/<mailbox>]
mailbox="${mailbox#*/}"
[[ "${url#*/inbound/}" == */* ]] || mailbox=""

later() {
  echo "relay: $1; the mail stays here" >&2
  exit 75
}

key="$(head -n 1 "$key_file")" || later "the key cannot be read"
key_hex="$(printf %s "$key" | od -An -v -tx1 | tr -d ' \n')"
((${#key_hex} >= 32 && ${#key_hex} <= 128)) || later "the key must have 16 to 64 characters"

work="$(mktemp -d)" || later "no temporary directory"
trap 'rm -rf "$work"' EXIT
cat >"$work/mail" || later "the mail cannot be read"

# HMAC-SHA256 (RFC 2104) by hand, because `openssl dgst -hmac KEY` shows the key to everybody who lists processes.
pad() {
  local i octet
  for ((i = 0; i < 64; i++)); do
    octet="${key_hex:i*2:2}"
    # shellcheck disable=SC2059 # the format is the octet
    printf "\\x$(printf %02x $((16#${octet:-00} ^ $1)))"
  done
}
hmac() {
  { pad 0x36 && cat; } | openssl dgst -sha256 -binary | { pad 0x5c && cat; } | openssl dgst -sha256 -r | cut -d' ' -f1
}

timestamp="$(date +%s)"
signature="$({
  printf '%s\n' "$timestamp" "$mailbox" "$sender" "$recipients" "$event_id" ""
  cat "$work/mail"
} | hmac)" || later "signing failed"

# In a file, because addresses are nobody's business either.
printf '%s\n' "Content-Type: message/rfc822" "X-Postern-Mail-From: $sender" "X-Postern-Rcpt-To: $recipients" \
  "X-Postern-Event-Id: $event_id" "X-Postern-Timestamp: $timestamp" "X-Postern-Signature: sha256=$signature" \
  >"$work/fields" || later "no room"
status="$(curl --silent --show-error --max-time 60 --header @"$work/fields" --data-binary @"$work/mail" \
  --output "$work/answer" --write-out '%{http_code}' "$url")" || later "no answer"
case "$status" in
  200) exit 0 ;;
  413)
    echo "the mail is too large for this system" >&2
    exit 65
    ;;
  *) later "HTTP $status $(head -c 300 "$work/answer" 2>/dev/null | tr -d '\r\n')" ;;
esac

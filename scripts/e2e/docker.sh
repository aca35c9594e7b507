# shellcheck shell=bash
# Containers for `sam local`: a Docker daemon, and the base image that functions start from. Sourced by scripts/e2e.sh.
#
# A daemon that answers is used as it is. Else one is started for the time of the test, with its own directory, socket and
# bridge, and without a rule in the machine's firewall: containers speak with this machine only.

base_image=public.ecr.aws/lambda/provided:al2023-x86_64
# What SAM makes of it.
sam_image=public.ecr.aws/lambda/provided:al2023-rapid-x86_64
docker_bridge=postern0
# Of the range for benchmarks (RFC 2544), which no network uses.
docker_bridge_address=198.19.250.1
# Left to itself, a bridge takes the lowest address of its ports. That changes as containers come and go, and one that
# knows the old address then reaches nothing for some seconds.
docker_bridge_mac=02:70:6f:73:74:01
docker_pid=
docker_before=
# What docker_stop takes away again.
docker_started=false
docker_bridge_made=false

# Why there are no containers, in words; empty where there are.
docker_missing=

docker_start() {
  if docker info >/dev/null 2>&1; then
    docker_before="$(docker ps --all --quiet)"
  elif ! command -v dockerd >/dev/null; then
    docker_missing="there is no Docker; sudo apt-get install -y --no-install-recommends docker.io debootstrap"
  elif [[ "$(id -u)" != 0 ]]; then
    docker_missing="no Docker daemon answers, and only root can start one"
  elif ! docker_own; then
    docker_missing="a Docker daemon cannot be started here: $(tail -n 1 "$work/dockerd.log")"
  fi
  if [[ -z "$docker_missing" ]] && ! docker image inspect "$base_image" >/dev/null 2>&1; then
    if ! command -v debootstrap >/dev/null; then
      docker_missing="there is no $base_image, and no debootstrap to make it; sudo apt-get install -y debootstrap"
    elif [[ "$(id -u)" != 0 ]]; then
      docker_missing="there is no $base_image, and only root can make it by debootstrap"
    fi
  fi
  [[ -z "$docker_missing" ]] && docker_started=true
}

docker_own() {
  {
    ip link add "$docker_bridge" address "$docker_bridge_mac" type bridge && docker_bridge_made=true &&
      ip addr add "$docker_bridge_address/24" dev "$docker_bridge" &&
      ip link set "$docker_bridge" up
  } 2>"$work/dockerd.log" || return 1
  dockerd --data-root "$cache/docker" --exec-root "$work/dockerd" --pidfile "$work/dockerd.pid" \
    --host "unix://$work/docker.sock" --bridge "$docker_bridge" \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$work/dockerd.log" 2>&1 &
  docker_pid=$!
  export DOCKER_HOST="unix://$work/docker.sock"
  local tries
  for ((tries = 0; tries < 150; tries++)); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$docker_pid" 2>/dev/null || return 1
    sleep 0.2
  done
  echo "it does not answer within 30 s" >>"$work/dockerd.log"
  return 1
}

# Stops what docker_start started, and nothing else.
docker_stop() {
  local container
  # `sam local` takes its containers away itself, unless it was killed.
  if [[ "$docker_started" == true ]]; then
    for container in $(docker ps --all --quiet --filter "ancestor=$sam_image" 2>/dev/null); do
      [[ "$docker_before" == *"$container"* ]] || docker rm --force "$container" >/dev/null
    done
  fi
  if [[ -n "$docker_pid" ]]; then
    kill "$docker_pid" 2>/dev/null && wait "$docker_pid"
    docker_pid=
    unset DOCKER_HOST
  fi
  if [[ "$docker_bridge_made" == true ]]; then
    ip link del "$docker_bridge" 2>/dev/null || true
  fi
}

# Made once of this machine's own distribution: no image registry is asked. Functions built by cargo-lambda bind to glibc
# 2.34, which is Amazon Linux 2023's and older than Debian's.
docker_image() {
  docker image inspect "$base_image" >/dev/null 2>&1 && return
  local mirror suite root="$work/image"
  suite="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  mirror="$(apt-get indextargets --format '$(SITE)' "Codename: $suite" 'Created-By: Packages' | head -n 1)"
  # A list of mirrors is apt's own; debootstrap takes one, and without any the distribution's.
  if [[ "$mirror" == mirror+file:* ]]; then
    mirror="$(awk '/^[a-z]+:/ { print $1; exit }' "${mirror#mirror+file:}")"
  fi
  echo "making $base_image of $suite"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 || {
    tail -n 5 "$work/debootstrap.log"
    return 1
  }
  tar -C "$root" -c . | docker import - "$base_image" >/dev/null
  rm -rf "$root"
}

# The address of this machine on the bridge that containers are on.
docker_bridge_of() {
  local bridge
  bridge="$(docker network inspect bridge --format '{{index .Options "com.docker.network.bridge.name"}}')"
  ip -4 -o addr show dev "$bridge" | awk '{sub("/.*", "", $4); print $4; exit}'
}

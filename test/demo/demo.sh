#!/usr/bin/env bash
# Shows the product on a simulated fleet of 200 clusters, some of which are broken, and leaves nothing running.
# Needs bin/ (make build).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dir=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap cleanup EXIT

# await NAME FD PATTERN reads a program's lines until one matches, and prints it. If none does, it tells what was printed
# instead.
await() {
  local line before=''
  while IFS= read -r -t 30 -u "$2" line; do
    if [[ $line == *$3* ]]; then
      printf '%s\n' "$line"
      return
    fi
    before+=$line$'\n'
  done
  printf '%s does not start:\n%s' "$1" "$before" >&2
  return 1
}

# show COMMAND… prints the command as one would type it, then runs it. A probe that finds broken clusters exits with 3.
show() {
  printf '\n$ fleetctl %s\n' "$*"
  bin/fleetctl --server "$server" "$@" || [[ $? == 3 ]]
}

echo 'starting 200 simulated clusters, some of them broken, and the aggregator …'
exec {sim}< <(exec bin/fleetsim --clusters 200 --latency 20ms --scenario docs/examples/demo.yaml \
  --kubeconfig-out "$dir/kubeconfig" --for 5m 2>"$dir/fleetsim.log")
pids+=($!)
await fleetsim "$sim" '{' >/dev/null || {
  cat "$dir/fleetsim.log" >&2
  exit 1
}

exec {log}< <(exec bin/aggregator --kubeconfig "$dir/kubeconfig" --grpc-address 127.0.0.1:0 --http-address '' 2>&1)
pids+=($!)
server=$(await aggregator "$log" 'msg=serving' | sed -E 's/.* grpc=([^ ]+).*/\1/')

show probe | tee "$dir/probe" | { grep -v HEALTHY || true; }
printf '  … and %s healthy ones\n' "$(grep -c ' HEALTHY' "$dir/probe" || true)"
show get deployments -n default --clusters 'env=prod' | head -12
show get pods -A -o 'jsonpath={.items[*].metadata.name}' --cluster sim-0001 | cut -c 1-160

cat <<'TEXT'

That was a fleet that does not exist. With yours:

  bin/aggregator --kubeconfig ~/.kube/config     every context is a cluster
  bin/fleetctl probe                             in another terminal: which are healthy, and what is wrong with the others
  bin/fleetctl get pods -A                       a resource in all of them
  bin/fleetctl --help                            and the rest

Or keep a simulated fleet for as long as you like:

  bin/fleetsim --clusters 200 --kubeconfig-out fleet.kubeconfig --scenario docs/examples/demo.yaml
TEXT

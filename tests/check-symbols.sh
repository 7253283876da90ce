#!/bin/sh
# The library exports what the public headers declare, and nothing else: src/libbiscuit.map is compared with them.
# `check-symbols.sh --fix` rewrites the map.
top=${top_srcdir:-$(dirname "$0")/..}
map=$top/src/libbiscuit.map
new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT
{
  printf 'BISCUIT_0 {\nglobal:\n'
  for header in "$top"/include/biscuit/*.h; do
    "${CC:-cc}" -E -P -I"$top/include" "$header"
  done | tr '\n' ' ' | sed 's/;/;\n/g' | grep -v 'static inline' | grep -v typedef |
    grep -o '\bbis_[a-z0-9_]*[([]' | tr -d '([' | sort -u | sed 's/^/\t/; s/$/;/'
  printf 'local:\n\t*;\n};\n'
} >"$new"
if [ "${1:-}" = --fix ]; then
  cp "$new" "$map"
elif ! cmp -s "$new" "$map"; then
  echo "src/libbiscuit.map differs from the public headers (tests/check-symbols.sh --fix):"
  diff "$map" "$new"
  exit 1
fi

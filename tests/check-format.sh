#!/bin/sh
# Is every C file formatted as .clang-format says? `check-format.sh --fix` formats them. Exit 77: no clang-format.
top=${top_srcdir:-$(dirname "$0")/..}
tool=${CLANG_FORMAT:-clang-format}
command -v "$tool" >/dev/null 2>&1 || { echo "clang-format is not installed: skipped"; exit 77; }
cd "$top" || exit 1
if [ "${1:-}" = --fix ]; then
  mode="-i"
else
  mode="--dry-run --Werror"
fi
# shellcheck disable=SC2086
find include src modules magicfs frontend guest tests bench tools -name '*.[ch]' -print0 | xargs -0 -n 40 "$tool" $mode

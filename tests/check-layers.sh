#!/bin/sh
# Dependence runs one way: what each part of the tree may name in an #include line.
#
#   include/biscuit   <biscuit/...> and system headers, nothing in quotes
#   src               itself and <biscuit/...>; not modules, magicfs, frontend
#   modules           src and itself; not magicfs, frontend
#   magicfs           src, modules and itself; not frontend
#   frontend          itself and <biscuit/...>; not src, modules, magicfs
#
# usage: check-layers.sh [top source folder]     environment: srcdir (used without an argument)
# Exit status: 0 all lines obey, 1 some do not.

top=${1:-${srcdir:-.}}
cd "$top" || exit 1
lines=$(mktemp) || exit 1
trap 'rm -f "$lines"' EXIT

# The path below the top folder that header $2 means in file $1; nothing for a system or generated header.
resolve() {
	dir=${1%/*}
	for candidate in "$dir/$2" "$2" "include/$2" "src/$2"; do
		if [ -f "$candidate" ]; then
			parent=$(cd "${candidate%/*}" 2>/dev/null && pwd -P) || continue
			path=$parent/${candidate##*/}
			echo "${path#"$root"/}"
			return
		fi
	done
}

# Is a file of part $1 forbidden to include $2 (relative to the top)?
forbidden() {
	case $1:$2 in
	include:include/biscuit/*) return 1 ;;
	include:*) return 0 ;;
	src:modules/* | src:magicfs/* | src:frontend/*) return 0 ;;
	modules:magicfs/* | modules:frontend/*) return 0 ;;
	magicfs:frontend/*) return 0 ;;
	frontend:src/* | frontend:modules/* | frontend:magicfs/*) return 0 ;;
	*) return 1 ;;
	esac
}

root=$(pwd -P)
failed=0
for part in include src modules magicfs frontend; do
	[ -d "$part" ] || continue
	find "$part" -name '*.[ch]' -exec grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' {} +
done >"$lines"

checked=0
while IFS= read -r line; do
	file=${line%%:*}
	part=${file%%/*}
	name=$(printf '%s\n' "$line" | sed 's/^[^"<]*["<]\([^">]*\)[">].*/\1/')
	target=$(resolve "$file" "$name")
	checked=$((checked + 1))
	if [ -n "$target" ] && forbidden "$part" "$target"; then
		echo "FAIL: $file includes $target, which $part may not know"
		failed=$((failed + 1))
	fi
	case $part:$line in
	include:*\"*)
		echo "FAIL: $file includes \"$name\" in quotes: public headers name public headers as <biscuit/...>"
		failed=$((failed + 1))
		;;
	esac
done <"$lines"

if [ "$checked" -eq 0 ]; then
	echo "FAIL: no #include line found below '$top'"
	exit 1
fi
echo "layers: $checked #include lines, $failed against the rules"
[ "$failed" -eq 0 ]

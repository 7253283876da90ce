# bash completion of biscuit-run

_biscuit_run_modules() {
	"$1" --list-modules 2>/dev/null | cut -d' ' -f1
}

# The folders that --linux finds by name.
_biscuit_run_linux() {
	local folder
	for folder in "${BISCUIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/biscuit}"/linux/*/; do
		[[ -d $folder ]] && basename "$folder"
	done
}

_biscuit_run() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' files='' folders=''
	# "--option=value" arrives as three words.
	if [[ $cur == '=' ]]; then
		cur=
	elif [[ $prev == '=' ]] && ((COMP_CWORD > 1)); then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	case $prev in
	--memory | -m) words='32M 64M 128M 256M 512M 1G 2G' ;;
	--harts | -n) words='1 2 4 8' ;;
	--isa) words='rv32 rv64 rv32imac rv64imac rv32gc rv64gc rv64gc_zba_zbb_zbs' ;;
	--engine) words='interp jit check' ;;
	--code-cache) words='4M 16M 64M 256M' ;;
	--console) words='stdio pty pty,link= file= null' ;;
	--log) words='error warn info debug' files=yes ;;
	--module) words=$(_biscuit_run_modules "$1") files=yes ;;
	--help-module) words=$(_biscuit_run_modules "$1") ;;
	--clock) words='host virtual' ;;
	--firmware) words='none sbi' files=yes ;;
	--linux) words=$(_biscuit_run_linux) files=yes ;;
	--share)
		if [[ $cur == *,* ]]; then
			local base=${cur%,*}
			words=$(printf "$base,%s " ro name= owner=guest owner=mapped owner=host uid= gid= links=inside devices \
				cache=sync handles= root)
		else
			folders=yes
		fi
		;;
	--drive) words='file= file=,readonly file=,overlay= file=,if=native' ;;
	--net) words='user user,hostfwd=tcp::2222-:22 tap,ifname= none' ;;
	--mount) folders=yes ;;
	--window) words='fullscreen scale=2 1280x800' ;;
	--vnc) words=':0 :0,password=' ;;
	--gdb) words=':1234 :1234,nowait' ;;
	--trace)
		local before=
		[[ $cur == *,* ]] && before=${cur%,*},
		words=$(printf "$before%s " insn trap mmio csr fs insn: trap: mmio: csr: fs: file= format=text format=json)
		;;
	--profile | --jit-dump) files=yes ;;
	--append | --timeout) return ;;
	*)
		if [[ $cur == -* ]]; then
			words="--kernel --mount-allow-other --code-cache --jit-background --jit-dump --jit-gdb --jit-perf --jit-stats $("$1" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)"
		else
			files=yes
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	if [[ $files ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
	fi
	if [[ $folders ]]; then
		compopt -o filenames -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	fi
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
}
complete -F _biscuit_run biscuit-run
